"""Tell the thread counts that a job was given."""

import json
import os

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MC_CORES", "SRUN_CPUS_PER_TASK", "GREETING")
print(json.dumps({name: os.environ.get(name, "") for name in NAMES}))
