"""A long calculation that can be stopped and continued: the integral of exp(-x²), by a sum of many steps.

    python checkpoint.py CHECKPOINTS OUTPUT.csv [STEPS]

For a job with `total_time` and `checkpoint` in rookery.yml (rookery docs run-long-jobs), whose command is
`python checkpoint.py {checkpoint} results/{run}/integral.csv`. Replace `step` by the work of your program.
"""

import json
import math
import os
import signal
import sys
import time
from pathlib import Path

SECONDS = 600  # between two checkpoints: what is lost at most if a node fails
CONTINUE = 75  # exit status: not finished, to be continued


def step(state, steps):
    """Calculate one step. `state` has all that is needed to continue; of a random generator, its state, too."""
    x = 10 * (state["step"] + 0.5) / steps
    state["total"] += math.exp(-x * x) * 10 / steps
    state["step"] += 1


def load(file):
    """Return the state of the last checkpoint; the first state if there is none."""
    return json.loads(file.read_text()) if file.exists() else {"step": 0, "total": 0.0}


def save(file, state):
    """Write a checkpoint beside the last one, then put it in its place: no file is ever half written."""
    unfinished = file.with_suffix(".unfinished")
    with unfinished.open("w") as stream:
        json.dump(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)


def main():
    """Calculate until all steps are done, or this part of the job ends."""
    file, output = Path(sys.argv[1]) / "state.json", Path(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000_000
    asked = []  # the handler does nothing else, since a signal may come in the middle of anything
    signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))  # before the end of a part
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))  # Slurm ends the job
    state, saved = load(file), time.monotonic()
    while state["step"] < steps:
        step(state, steps)
        stopping = bool(asked)  # looked at once: the signal may come between two lines
        if stopping or time.monotonic() - saved > SECONDS:
            save(file, state)
            saved = time.monotonic()
        if stopping:
            return CONTINUE
    unfinished = output.with_suffix(".unfinished")
    unfinished.write_text(f"steps,integral\n{steps},{state['total']!r}\n")
    unfinished.replace(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
