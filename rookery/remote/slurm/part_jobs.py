"""Submit the other jobs of a run whose parts are jobs: each begins when those before it have ended."""

import contextlib
import os
import re
from typing import Any, Callable, Dict, List, Tuple

from rookery.remote.slurm import parts
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import run

Sbatch = Callable[[List[str]], Tuple[int, str, str]]


def submit(  # noqa: PLR0913 all of them say what
    base: str, made: Dict[str, Any], number: str, count: int, *, argument: str, sbatch: Sbatch
) -> None:
    """Submit those jobs of a run that are missing.

    Each is noted at once, so that a submission that was cut off is continued. A job that Slurm has taken but did not
    tell of is noted before by whoever finds it.

    Args:
        base: ~/projects/NAME.
        made: The record of the run.
        number: The first job, which the run is named after.
        count: How many jobs there are to be.
        argument: The run that the script works for: this one, or the one that it completes.
        sbatch: Runs sbatch with some arguments.

    Raises:
        Answer: Slurm does not answer; or it refuses one, and none is left.
    """
    jobs = parts.numbers_of([number], parts.chains(base))
    parts.save_chain(base, number, jobs)
    while len(jobs) < count:
        script = os.path.join(str(made["release"]), str(made["script_path"]))
        code, out, err = sbatch(["--parsable", *_options(made, number, jobs), script, argument, number])
        found = re.findall(r"^(\d+)(?:;.*)?$", out, re.MULTILINE)
        if not found and "timed out" in err.lower():
            raise Answer("unknown", said=err.strip())
        if not found:
            cancel(base, number)
            said = err.strip() or out.strip() or "exit status %d" % code
            said += "\nThis was part %d; all %d parts have to be in the queue together." % (len(jobs) + 1, count)
            raise Answer("refused", said=said)
        jobs.append(found[-1])
        parts.save_chain(base, number, jobs)


def cancel(base: str, number: str) -> None:
    """Cancel all jobs of a run, the last first, so that none begins, and forget them."""
    for job in reversed(parts.numbers_of([number], parts.chains(base))):
        run(["scancel", job])
    with contextlib.suppress(OSError):
        os.unlink(parts.chain_file(base, number))


def _options(made: Dict[str, Any], number: str, jobs: List[str]) -> List[str]:
    """Return sbatch's options: those of the first job, after all those before, and its logs."""
    options, awaited = [], "afterany:" + ":".join(jobs)
    for option in made["options"]:
        if option.startswith("--dependency="):  # if that fails, no part may run
            awaited = "%s,%s" % (option.partition("=")[2], awaited)
        else:
            options.append(option)
    for name, key in (("output", "log"), ("error", "error_log")):
        if made[key]:
            options.append("--%s=%s" % (name, _log(str(made[key]), number, bool(made["array"]))))
    return [*options, "--dependency=" + awaited]


def _log(pattern: str, number: str, is_array: bool) -> str:
    """Return a log's pattern with the run's number: all parts write one log. %j differs for each task of an array."""
    letters = "A" if is_array else "Aj"
    width = "%([0-9]{0,2})[" + letters + "]"
    return re.sub(width, lambda match: number.zfill(min(int(match.group(1) or 0), 10)), pattern)
