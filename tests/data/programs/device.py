"""Tell which GPUs the job was given, and look at the device of each."""

import json
import os
from pathlib import Path

own = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
print(json.dumps({"own": len(own), "there": [Path("/dev/nvidia" + number).exists() for number in own]}))
