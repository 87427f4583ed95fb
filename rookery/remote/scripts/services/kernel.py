"""Written for Jupyter on a compute node: describe its Python kernel, which has the project's own code.

A kernel with a debugger listens on a port that lets anybody on the node in (debugpy.listen), so they find none.

Arguments: the folder of the service's socket; the release, or nothing; the project's name, or nothing.
"""

import json
import os
import shutil
import sys

from ipykernel.kernelspec import RESOURCES  # type: ignore[import-not-found]

START = """
import sys
sys.path.pop(0)
sys.modules["debugpy"] = None
from ipykernel import debugger, kernelapp
del sys.modules["debugpy"]
kernelapp.launch_new_instance()
"""

place, release, name = sys.argv[1:4]
folder = os.path.join(place, "jupyter", "kernels", "python3")
shutil.copytree(RESOURCES, folder)
spec = {
    "argv": [sys.executable, "-c", START, "-f", "{connection_file}"],
    "display_name": "Python 3 (%s)" % (name or "home"),
    "language": "python",
    "env": {"PYTHONPATH": release} if release else {},
}
with open(os.path.join(folder, "kernel.json"), "w", encoding="utf-8") as stream:
    json.dump(spec, stream)
