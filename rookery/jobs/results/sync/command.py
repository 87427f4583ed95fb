"""Upload runs that were kept offline, with the project's own tools, each once and in the order in which they were made.

What is uploaded is noted where the tool itself looks: wandb puts a marker beside a run, MLflow's server has a tag.
"""

import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, locking, paths, secret_values
from rookery.core.quantities import counted
from rookery.jobs.results.sync import offline_runs, tool

if TYPE_CHECKING:
    from rookery.projects.model import Project

_SERVER = "MLFLOW_TRACKING_URI"
_NO_LOGIN = re.compile(r"\bAPI key\b|\blog(?:ged)? in\b", re.IGNORECASE)
_IMPORT = Path(__file__).with_name("mlflow_import.py")


@dataclass
class SyncResult:
    """What was uploaded.

    Attributes:
        synced: Runs that were.
        failed: Those that were not, each with the reason; they are tried again the next time.
        notes: Lines that say more.
    """

    synced: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run(project: "Project", *, check: bool = False) -> SyncResult:
    """Upload all runs in a project's outputs that are not uploaded yet.

    Args:
        project: The project.
        check: Whether to upload nothing, and only to say which runs of wandb would be.

    Raises:
        HeldError: Another command uploads runs of the project: each would take the other's for cut off.
    """
    result = SyncResult()
    found = offline_runs.find(project.root, project.outputs)
    if check:
        result.notes += [f"Would sync {counted(len(found.wandb), 'run')} of wandb"] * bool(found.wandb)
        return result
    if not found.wandb and not found.stores:
        result.notes.append("No run of wandb or MLflow in the outputs that is not uploaded yet")
        return result
    with locking.held(f"sync-{paths.digest(project.root)}", f"uploading runs of {project.name}"):
        _wandb(project, found, result)
        if found.stores and not os.environ.get(_SERVER):
            shown = found.stores[0].relative_to(project.root)
            result.notes.append(f"{shown}: set {_SERVER} to your server's address to copy MLflow's runs there")
        elif found.stores:
            _mlflow(project, found.stores, result)
    return result


def _wandb(project: "Project", found: offline_runs.OfflineRuns, result: SyncResult) -> None:
    for number, folder in enumerate(found.wandb):
        shown = str(folder.relative_to(project.root))
        again = ["--include-synced"] * (folder in found.changed)
        command = tool.argv(project, ["wandb", "sync", *again, str(folder)])
        left = len(found.wandb) - number - 1
        also = f"; {counted(left, 'other run')} left for the next time" if left else ""
        # its own logs would go into a folder wandb/ of the project
        environment = {"WANDB_DIR": str(folder.parent.parent)}
        try:
            with console.waiting(f"Syncing run {number + 1} of {len(found.wandb)} with wandb"):
                code, output = tool.run(command, project.root, environment)
        except tool.SlowToolError:
            result.failed.append((shown, f"wandb was ended after {tool.TIMEOUT // 60:.0f} minutes{also}"))
            return
        if code or not offline_runs.is_synced(folder):
            why = tool.reason(output, code)
            if _NO_LOGIN.search(why):  # the others would fail alike, each after seconds
                result.failed.append((shown, why + also))
                result.notes.append(f"To log in to wandb: {shlex.join(tool.argv(project, ['wandb', 'login']))}")
                return
            result.failed.append((shown, why))
        else:
            result.synced.append(shown)


def _mlflow(project: "Project", stores: Sequence[Path], result: SyncResult) -> None:
    """Copy runs to the server; one program for all, since MLflow takes seconds to start."""
    command = tool.argv(project, ["python3", str(_IMPORT), *map(str, stores)])
    environment = {"MLFLOW_ALLOW_FILE_STORE": "true"}
    # otherwise it tries for minutes to reach a server for each run
    environment |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")}
    names = ", ".join(str(store.relative_to(project.root)) for store in stores)
    try:
        with console.waiting("Copying runs to MLflow's server"):
            code, output = tool.run(command, project.root, environment)
    except tool.SlowToolError:
        result.failed.append((names, f"MLflow was ended after {tool.TIMEOUT // 60:.0f} minutes"))
        return
    answers = [json.loads(line) for line in output.splitlines() if line.startswith('{"run"')]
    result.synced += [f"mlflow {answer['run']}" for answer in answers if answer.get("state") == "new"]
    reasons = {answer["run"]: answer["why"] for answer in answers if "why" in answer}
    result.failed += [(f"mlflow {run}", secret_values.hidden("", why)) for run, why in reasons.items()]
    unfinished = sum(answer.get("state") == "running" for answer in answers)
    if unfinished:
        result.notes.append(f"{counted(unfinished, 'run')} of MLflow without an end: left for the next time")
    if code and not reasons:
        result.failed.append((names, secret_values.hidden("", tool.reason(output, code))))
