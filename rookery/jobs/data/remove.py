"""The command `data.rm`: remove versions of the input data on a cluster, except those that are used."""

import json as json_
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rookery.core import console, prompts, typed_command
from rookery.core.errors import RookeryError
from rookery.core.name_lists import shortened
from rookery.core.sizes import of_bytes as shown_size
from rookery.jobs.data import data_client, naming
from rookery.jobs.options import DataRmOptions
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.data.comparison import SHOWN

if TYPE_CHECKING:
    from rookery.projects.target import Target

_NAMED = 3
"""How many releases that use a version are named."""


def run(options: DataRmOptions) -> int:
    """Remove data sets, or versions of them.

    Returns:
        The exit code: 0; 1 where the user does not agree.

    Raises:
        RookeryError: There is no such data, or a release or a job uses it; nothing is removed then.
    """
    if options.digest and not re.fullmatch("[0-9a-f]{6,64}", options.digest):
        raise RookeryError(
            f"{options.digest!r} is not the beginning of a digest: 6 to 64 digits of 0-9 and a-f.",
            hint=typed_command.again("--digest", "DIGEST"),
        )
    project = config.load(options.project)
    if not (options.paths or options.unused):
        flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
        raise RookeryError(
            "Missing argument PATH, or --unused for all unused versions.", hint=f"invoke data.list{flags}"
        )
    paths = naming.of_words(project, options.paths) if options.paths else None
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    target.connection.open()
    data_client.look(target.connection, project, paths)
    request = {
        "project": project.origin,
        "paths": paths,
        "digest": options.digest,
        "unused": options.unused,
        "force": options.force,
        "slurm": target.cluster.scheduler == "slurm",
        "who": data_client.who(),
    }
    would = data_client.ask(target.connection, "remove", {**request, "check": True})
    if would["state"] == "used":
        raise _used(target, options, would["kept"])
    done = would
    if not options.check and (would["removed"] or would["partial"]):
        if not _confirmed(target, options, would):
            console.note("Nothing was removed.")
            return 1
        done = data_client.ask(target.connection, "remove", {**request, "check": False})
        if done["state"] == "used":  # deployed meanwhile
            raise _used(target, options, done["kept"])
    if options.json:
        keys = ("removed", "kept", "partial")
        document = {"cluster": target.cluster.name, "check": options.check, **{key: done[key] for key in keys}}
        print(json_.dumps(document, indent=2))
    else:
        console.say(*_lines(target, done, check=options.check))
    return 0


def _described(answer: Mapping[str, Any]) -> str:
    """Return what is removed, in words."""
    versions = [f"{each['path']} {each['digest'][:SHOWN]} ({shown_size(each['size'])})" for each in answer["removed"]]
    return ", ".join([*versions, *(f"an incomplete push of {path}" for path in answer["partial"])])


def _confirmed(target: "Target", options: DataRmOptions, would: Mapping[str, Any]) -> bool:
    """Return whether the user agrees.

    Raises:
        RookeryError: There is nobody to ask.
    """
    if options.yes:
        return True
    what = f"{_described(would)} from {target.cluster.name}"
    if not prompts.is_interactive():
        raise RookeryError(f"This would remove {what}.", hint=typed_command.again("--yes"))
    return prompts.confirm(f"Remove {what}?")


def _used(target: "Target", options: DataRmOptions, kept: Sequence[Mapping[str, Any]]) -> RookeryError:
    """Return the error for data that something uses."""
    lines = []
    for each in kept:
        names = [f"{use['project']} {use['commit'][:7]}{' (current)' * use['current']}" for use in each["used"]]
        releases = f"release{'s' * (len(names) != 1)} {shortened(names, _NAMED)}"
        numbers = ", ".join(dict.fromkeys(job["number"] for job in each["jobs"]))
        jobs = f", and by jobs in the queue: {numbers}" if numbers else ""
        lines.append(f"{each['path']} {each['digest'][:SHOWN]} on {target.cluster.name} is used by {releases}{jobs}.")
    words = " ".join(map(shlex.quote, options.paths))
    hint = target.next(f"invoke data.rm {words} --unused   # only unused versions; deploy --prune removes old releases")
    return RookeryError("\n".join(["Nothing was removed.", *lines]), hint=hint)


def _lines(target: "Target", done: Mapping[str, Any], *, check: bool) -> Iterator[str]:
    """Yield the lines on what was removed, and what stays."""
    if done["removed"] or done["partial"]:
        yield f"{'Would remove' if check else 'Removed'} {_described(done)} from {target.cluster.name}"
    else:
        yield f"Nothing to remove on {target.cluster.name}"
    for each in done["kept"]:
        uses = len(each["used"])
        yield f"  kept  {each['path']} {each['digest'][:SHOWN]}: {uses} release{'s' * (uses != 1)} with a link to it"
