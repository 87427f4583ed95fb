"""Run all benchmarks, each beside other ways to do the same.

.venv/bin/python benchmarks [RUNS] [alone]
"""

import os
import sys

import add
import at_once
import deploy
import fetch
import jobs
import lint
import setup
import top

os.environ.setdefault("UV_LINK_MODE", "copy")
setup.main(sys.argv[1:])
for benchmark in (add, deploy, jobs, fetch, lint, top):
    benchmark.main()
at_once.main(sys.argv[1:])  # the last one, as it leaves this process fewer cores
