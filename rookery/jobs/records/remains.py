"""What a reproduction leaves here and on the cluster: a copy of the project, and the results to compare with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.projects import config, copy_note, fetched_files, project_copy

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.records.reproduction import Reproduction
    from rookery.projects.model import Project

KEPT_DAYS = 30
"""After how many days what a reproduction left is removed by the next one on that cluster."""

ORIGINALS = "original"
"""The folder beside a copy with the results to compare with."""

_COMPARED = "compared"
"""A file beside a copy: the reproduction has come to its end, and the next call of the command begins anew."""


def is_compared(folder: Path) -> bool:
    """Return whether the reproduction has come to its end whose copy is in a folder."""
    return (folder / _COMPARED).exists()


def mark_compared(folder: Path) -> None:
    """Note that the reproduction has come to its end whose copy is in a folder."""
    (folder / _COMPARED).touch()


def remove(copy: "Project", connection: "Connection | None") -> None:
    """Remove a copy here and on a cluster.

    Args:
        copy: The copy.
        connection: The cluster's; None where it was never deployed.
    """
    if connection is not None:
        connection.open()
    folder = copy_note.folder_of(copy.root)
    project_copy.remove(copy, connection)
    for root in (copy.root, *([folder / ORIGINALS] if folder else [])):
        fetched_files.note(root).unlink(missing_ok=True)


def remove_old(planned: "Reproduction", connection: "Connection") -> None:
    """Remove what earlier reproductions left on this cluster and nobody has looked at for long."""
    limit = (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for folder, note in copy_note.every():
        is_ours = note.name.startswith(f"{planned.project.name}-reproduce-") and note.name != planned.name
        is_done = is_compared(folder) and set(note.clusters) <= {connection.cluster.label}
        if is_ours and is_done and note.when < limit and note.root == str(planned.project.root):
            try:
                remove(config.load(folder / copy_note.INSIDE / note.folder), connection)
            except RookeryError as error:
                console.note(error.message)
