"""What a run's first task noted of the node and the software that it ran with; a file beside the records of runs.

Only the node knows it, once the job has begun: so it is no part of the record, which is written when a job is
submitted. `fetch` brings it.
"""

import re
from pathlib import Path
from typing import Any

from rookery.clusters.login_node import answers
from rookery.core import local_time, state_files
from rookery.core.shapes import MismatchError, many, struct, text
from rookery.jobs.run_record import RunRecord
from rookery.remote import strict_json

FOLDER = "runs/facts"
"""Where they are, in the project here and below ~/projects/NAME there."""

LOCAL = re.compile(rf"[A-Za-z0-9_.\-]{{1,120}}-{answers.JOB_NUMBER}\.json")
"""The name of a file here: clusters may give two runs the same number."""

TEXTS = ("node", "cpu", "architecture", "system", "kernel", "glibc", "slurm", "python", "r")
"""What there is one of, in the order in which it is shown."""

LISTS = ("modules", "gpus")
"""What there may be several of: modules by the names that they resolved to, GPUs with their drivers."""

SKEW = 600
"""Seconds that a node's clock may be behind the login node's."""

_SHAPE = struct(
    {"id": answers.number},
    {"when": answers.when, **dict.fromkeys(TEXTS, text(longest=300)), **dict.fromkeys(LISTS, many(text(), 1000))},
)


def is_one(path: str) -> bool:
    """Return whether a path of a project is that of a file of facts: `fetch` copies it, and does not report it."""
    return path.startswith(f"{FOLDER}/")


def local(path: str, cluster: str) -> str:
    """Return the path here of a file of facts.

    Args:
        path: Its path there.
        cluster: The cluster, as Cluster.label names it.
    """
    return f"{FOLDER}/{cluster}-{path.rpartition('/')[2]}"


def of(root: Path, record: RunRecord) -> dict[str, Any]:
    """Return what is known of where a run ran; nothing where it has not begun, or was not fetched.

    Args:
        root: The project's folder.
        record: The run.
    """
    document = state_files.load(root / local(f"{record.id}.json", record.cluster), _SHAPE)
    noted = local_time.of_iso(document.get("when", "")) if document else 0
    if not document or document["id"] != record.id or noted + SKEW < record.submitted:
        return {}  # a cluster that was made anew counts from 1 again
    return {key: document[key] for key in (*TEXTS, *LISTS) if document.get(key)}


def fault(content: bytes, name: str) -> str:
    """Return why a file that came from a cluster does not hold a run's facts; "" where it does.

    Args:
        content: The file's content.
        name: Its name here.
    """
    try:
        document = _SHAPE(strict_json.loads(content))
    except (strict_json.MalformedError, MismatchError) as error:
        return f"not the facts of a run: {error}"
    return "" if name.endswith(f"-{document['id']}.json") else f"it holds the facts of run {document['id']}"
