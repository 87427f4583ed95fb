"""Run in a job under scalene: start the program that stands behind `--`, as `python FILE` or `python -m MODULE` does.

Scalene 2 looks for its own options behind its `---`, too, where Python is older than 3.12.8 or 3.13.1: a program's --n
would be an ambiguous abbreviation of --no-stacks and --no-async (python/cpython#58573). Behind `--`, it sees none.
"""

import os
import runpy
import sys
from typing import List


def main(words: List[str]) -> None:
    """Run a program.

    Args:
        words: `--`, which some Pythons have removed, and then the program with its arguments.
    """
    words = words[1:] if words[:1] == ["--"] else words
    here = os.path.dirname(os.path.abspath(__file__))
    is_module = words[0] == "-m"
    sys.argv = words[is_module:]
    own = [] if is_module else [os.path.dirname(os.path.abspath(words[0]))]
    sys.path[:] = own + [path for path in sys.path if path != here]
    if is_module:
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(os.path.abspath(words[0]), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
