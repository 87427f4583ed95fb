"""Tell the arguments, exactly, whatever the locale."""

import json
import os
import sys

print(json.dumps([os.fsencode(argument).decode("utf-8") for argument in sys.argv[1:]]))
