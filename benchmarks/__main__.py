"""Run all benchmarks: `setup`, `invoke --list` and `deploy`, beside other ways to do the same.

.venv/bin/python benchmarks [RUNS] [alone]
"""

import os
import sys

import deploy
import setup

os.environ.setdefault("UV_LINK_MODE", "copy")
setup.main(sys.argv[1:])
deploy.main()
