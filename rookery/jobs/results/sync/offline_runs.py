"""Find the runs that trackers kept offline in a project's outputs, in the order in which they were made."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_OFFLINE = "offline-run-"
"""How wandb's folders of such runs begin; the time and the run's name follow: offline-run-20261130_235256-rapp52g1."""

_SYNCED = ".synced"
"""What the name of wandb's marker ends in: beside run-NAME.wandb, run-NAME.wandb.synced."""


@dataclass(frozen=True)
class OfflineRuns:
    """What trackers have kept in a project's outputs.

    Attributes:
        wandb: Folders of wandb's runs that are to be uploaded, the first first.
        changed: Those of them that were uploaded before, of which more has come since.
        stores: MLflow's folders with runs.
    """

    wandb: tuple[Path, ...] = ()
    changed: frozenset[Path] = frozenset()
    stores: tuple[Path, ...] = ()


def find(root: Path, outputs: Iterable[str]) -> OfflineRuns:
    """Look into a project's outputs; links are not followed.

    Args:
        root: The project's folder.
        outputs: The outputs.
    """
    runs: dict[Path, bool] = {}
    stores = []
    for folder, names in _folders(root, outputs):
        if folder.name.startswith(_OFFLINE):
            if (is_changed := _is_changed(folder)) is not None:
                runs[folder] = is_changed
        elif folder.name == "mlruns":
            stores.append(folder)
        else:
            continue
        names.clear()
    ordered = sorted(runs, key=lambda folder: folder.name)
    return OfflineRuns(tuple(ordered), frozenset(run for run in ordered if runs[run]), tuple(sorted(stores)))


def is_synced(folder: Path) -> bool:
    """Return whether wandb has marked a run as uploaded, since it came."""
    return _is_changed(folder) is None


def _folders(root: Path, outputs: Iterable[str]) -> Iterator[tuple[Path, list[str]]]:
    """Yield folders with the names of those in them; what is removed from these is not looked into."""
    for output in outputs:
        for path, names, _ in os.walk(root / output):
            yield Path(path), names


def _is_changed(folder: Path) -> bool | None:
    """Return whether a run of wandb's was uploaded before and is not as it was then; None where there is nothing to do.

    A file that is fetched again is a new one, so the time of its change is that of its arrival.
    """
    logs = list(folder.glob("run-*.wandb"))
    markers = [log.with_name(log.name + _SYNCED) for log in logs]
    if not logs or any(log.is_symlink() for log in logs):
        return None
    if not all(marker.exists() for marker in markers):
        return False
    is_newer = any(log.stat().st_ctime > marker.stat().st_mtime for log, marker in zip(logs, markers, strict=True))
    return True if is_newer else None
