"""`vscode.settings`: the settings of the editors on this computer, seen to by hand."""

import json as json_

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.homes import selection
from rookery.homes.vscode import workstation


def clusters(names: str) -> list[Cluster]:
    """Return the clusters named, with commas between them; "" or `all` for those where the user's username is known.

    Raises:
        RookeryError: One is not known, or none is meant.
    """
    chosen = selection.clusters(names, "vscode.settings") if names not in {"", "all"} else profile.names()
    found = [profile.load(name) for name in chosen]
    meant = found if names not in {"", "all"} else [one for one in found if one.user]
    if not meant:
        raise RookeryError(
            "Which clusters? Your username is known on none yet.", hint="invoke vscode.settings --cluster hec"
        )
    return meant


def settings(cluster: str, *, check: bool, json: bool) -> int:
    """See to the settings, and say what came of it.

    Args:
        cluster: As `clusters` takes names.
        check: Write nothing.
        json: Print one JSON document.

    Returns:
        The exit code: 1 where those of an editor could not be written.

    Raises:
        RookeryError: As `clusters`.
    """
    outcomes = workstation.run(clusters(cluster), check=check)
    code = int(any(one.state in {"broken", "unwritable"} for one in outcomes))
    if json:
        told = [
            {
                "path": str(one.path),
                "state": one.state,
                "written": [list(wish.path) for wish in one.added],
                "kept": [list(wish.path) for wish, _ in one.kept],
                "note": one.note,
            }
            for one in outcomes
        ]
        print(json_.dumps({"exit": code, "files": told}, indent=2))
        return code
    for line in workstation.lines(outcomes):
        print(line)
    if not outcomes:
        print("No VS Code is on this computer. Once it is, the same command again.")
    return code
