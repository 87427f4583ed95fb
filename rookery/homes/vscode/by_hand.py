"""The command `vscode.settings`: write the settings of the editors on this computer."""

import json

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.core import console, typed_command
from rookery.core.errors import RookeryError
from rookery.homes import selection
from rookery.homes.options import VscodeSettingsOptions
from rookery.homes.vscode import workstation


def clusters(names: str) -> list[Cluster]:
    """Return the clusters named, with commas between them; "" or `all` for those where the user's username is known.

    Raises:
        RookeryError: One is not known, or none is meant.
    """
    chosen = selection.clusters(names) if names not in {"", "all"} else profile.names()
    loaded = [profile.load(name) for name in chosen]
    meant = loaded if names not in {"", "all"} else [cluster for cluster in loaded if cluster.user]
    if not meant:
        raise RookeryError(
            "Missing argument CLUSTER: you have not given a username for any cluster yet.",
            hint=typed_command.again(argument=next(iter(profile.names()), "NAME"), without=("--cluster",)),
        )
    return meant


def settings(options: VscodeSettingsOptions) -> int:
    """Write the settings, and print the results.

    Returns:
        The exit code: 1 where those of an editor could not be written.

    Raises:
        RookeryError: As `clusters`.
    """
    outcomes = workstation.run(clusters(options.cluster), check=options.check)
    code = int(any(outcome.state in {"broken", "unwritable"} for outcome in outcomes))
    if options.json:
        files = [
            {
                "path": str(outcome.path),
                "state": outcome.state,
                "written": [list(change.path) for change in outcome.added],
                "kept": [list(change.path) for change, _ in outcome.kept],
                "note": outcome.note,
            }
            for outcome in outcomes
        ]
        print(json.dumps({"exit": code, "files": files}, indent=2))
        return code
    for line in workstation.lines(outcomes):
        console.say(line)
    if not outcomes:
        console.say("Can't find VS Code on this computer. Install it, then run the same command again.")
    return code
