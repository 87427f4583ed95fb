"""The record of a run, before the job has a number; and the files that are put beside its results."""

import os
import pwd
import re
import time
from typing import Any, Dict, List, Tuple

from rookery.remote.slurm import packages
from rookery.remote.slurm.basics import run, write
from rookery.remote.slurm.deployed_script import DeployedScript

LONGEST_PATCH = 1000000
"""Characters of uncommitted changes that a record holds."""


def build(script: DeployedScript, request: Dict[str, Any], options: List[str], after: List[str]) -> Dict[str, Any]:
    """Return the record of a run, before the job has a number.

    Args:
        script: What is submitted.
        request: What the laptop asks for.
        options: Those of sbatch.
        after: Numbers of the jobs that have to complete before it, or have.
    """
    output, error = log_patterns(script, request["array"])
    loads = re.findall(r"^\s*(?:module|ml)\s+(?:add|load)\s+([^#;&|\n]+)", script.text, re.MULTILINE)
    return {
        "version": 1,
        "job": script.what,
        "id": "",
        "cluster": request["cluster"],
        "project": request["project"],
        "commit": script.stamp.get("commit", ""),
        "base": script.base_commit,
        "dirty": bool(script.stamp.get("dirty")),
        "patch": _patch(script),
        "script": script.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        "script_path": script.path,
        "array": request["array"] or script.directives.get("array", ""),
        "chunk": script.entry.get("chunk") or 1,
        "rows": script.rows(),
        "environment": script.stamp.get("environment") or {},
        "packages": packages.of_release(script.stamp),
        "modules": [name for line in loads for name in line.split()],
        "options": options,
        "release": script.release,
        "outputs": script.stamp.get("outputs") or [],
        "inputs": script.stamp.get("inputs") or {},
        "log": output,
        "error_log": error,
        "who": pwd.getpwuid(os.getuid()).pw_name,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rookery": request["rookery"],
        "tag": request["tag"],
        "failed_of": request["failed_of"],
        "mail_job": "",
        "after": after,
        "token": request["token"],
        "table": "",
        "overruled": request["overruled"],
        "ignored": request["ignored"],
        "race": {},
    }


def log_patterns(script: DeployedScript, array: str) -> Tuple[str, str]:
    """Return the paths of a job's logs, with Slurm's patterns; "" for one that is not written.

    Args:
        script: The job's.
        array: The tasks that are asked for, where they are not the script's.
    """
    is_array = array or script.directives.get("array")
    output = script.directives.get("output") or ("slurm-%A_%a.out" if is_array else "slurm-%j.out")
    error = script.directives.get("error") or ""
    return os.path.join(script.release, output), os.path.join(script.release, error) if error else ""


def make_log_folders(script: DeployedScript, array: str) -> List[str]:
    """Make the folders of a job's logs: without them Slurm ends the job at once, and says nothing.

    Returns:
        Why there are none, a line each.
    """
    warnings = []
    for pattern in filter(None, log_patterns(script, array)):
        folder = os.path.dirname(pattern).replace("%x", script.name).replace("%u", pwd.getpwuid(os.getuid()).pw_name)
        if "%" in folder:
            folder = os.path.dirname(folder[: folder.index("%") + 1])
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            warnings.append("%s: %s" % (folder, error.strerror))
    return warnings


def write_table(script: DeployedScript, number: str, run: str) -> str:
    """Write the table of a job's parameters beside its results.

    Args:
        script: The job's.
        number: The job's number.
        run: The run's: the same, or, where the job completes an earlier run, that one's.

    Returns:
        Its path; "" where the job has none.
    """
    if not script.entry.get("params"):
        return ""
    of_runs = [str(path).replace("{run}", run) for path in script.stamp.get("run_folders") or []]
    outputs = [*of_runs, *(str(path) for path in script.stamp.get("outputs") or [])]
    folder = next((path for path in outputs if "log" not in path), outputs[0] if outputs else ".")
    os.makedirs(os.path.join(script.release, folder), exist_ok=True)
    path = os.path.join(script.release, folder, "%s_%s.params.csv" % (script.what, number))
    with open(os.path.join(script.release, script.entry["params"]), encoding="utf-8", newline="") as stream:
        write(path, stream.read())
    return path


def _patch(script: DeployedScript) -> str:
    """Return the uncommitted changes of a snapshot, against its parent."""
    if not script.stamp.get("dirty"):
        return ""
    commit = str(script.stamp["commit"])
    how = ["diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
    _, out, _ = run(["git", "--git-dir", script.repository, *how, commit + "^", commit, "--"])
    out = out.replace("\0", "\ufffd")  # no text of JSON that the laptop takes has one
    return out if len(out) <= LONGEST_PATCH else out[:LONGEST_PATCH] + "\n[cut here: %d characters]\n" % len(out)
