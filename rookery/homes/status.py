"""The command `status`: show the status of homes, each asked in one round trip."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.clusters import connect
from rookery.clusters.cluster import NotApplicableError, require_user
from rookery.clusters.config import profile
from rookery.clusters.login_node import facts as probe
from rookery.core import console, invocation, local_time, sizes, wrapping
from rookery.core.console import clean, writer
from rookery.core.errors import RookeryError
from rookery.homes import replaced_programs, selection, up_to_date
from rookery.homes.options import StatusOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

AS_DECLARED, DRIFTED, OUT_OF_DATE, NOT_SET_UP, UNKNOWN = (
    "as declared",
    "drifted",
    "out of date",
    "not set up",
    "can't be known",
)
SHOWN = {AS_DECLARED: "up to date", DRIFTED: "changed since setup", UNKNOWN: "unknown"}
"""What a user reads for a state, where that is not its name in --json."""
DRIFT_EXIT = 3
"""The exit code where a home is not up to date; 1 is that of a command that could not find out."""

_STYLES = {AS_DECLARED: "green", DRIFTED: "yellow", OUT_OF_DATE: "yellow", UNKNOWN: "red", NOT_SET_UP: "dim"}


@dataclass(frozen=True)
class StorageArea:
    """A place on a cluster where files are kept.

    Attributes:
        name: home, persistent …
        path: Where it is.
        free_mb: MB that are left there for the user; None where that is not known.
        quota_mb: MB that the user may have there; None where the profile says nothing of it.
    """

    name: str
    path: str
    free_mb: int | None
    quota_mb: int | None


@dataclass(frozen=True)
class HomeStatus:
    """The status of a home.

    Attributes:
        name: The cluster's.
        state: as declared, drifted, out of date, not set up, or can't be known.
        reason: What is behind that, a line; "" where the rest says it.
        hint: The command to run next; "" where there is none.
        version: rookery's version at the last whole run.
        when: The time of that.
        drift: What is not as it was left: role, kind, path, what, how.
        asked: What is asked for otherwise now, in words.
        new: Facts of the login node that are new.
        gone: Facts that no longer hold.
        tools: Versions of what rookery installed.
        storage: Where files are kept.
    """

    name: str
    state: str
    reason: str = ""
    hint: str = ""
    version: str = ""
    when: str = ""
    drift: tuple[Mapping[str, str], ...] = ()
    asked: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    storage: tuple[StorageArea, ...] = ()


def run(options: StatusOptions) -> int:
    """Show the status of homes.

    Returns:
        0 where all that are set up are as declared, 3 where one is not, 1 where one can't be looked at.

    Raises:
        RookeryError: A cluster is not known.
    """
    names = selection.clusters(options.cluster, sandbox=options.sandbox)
    named = "all" not in [part.strip() for part in options.cluster.split(",")]
    homes = statuses(names, sandbox=options.sandbox)
    code = exit_code(homes, named=named)
    if options.json:
        rows = {home.name: {key: value for key, value in asdict(home).items() if key != "name"} for home in homes}
        print(json.dumps({"exit": code, "clusters": rows}, indent=2))
    else:
        show(homes)
    return code


def statuses(names: list[str], *, sandbox: bool) -> list[HomeStatus]:
    """Return the status of each home; several are asked at the same time."""
    connections: dict[str, Connection] = {}
    looked: dict[str, up_to_date.HomeComparison | RookeryError] = {}
    for name in names:
        try:
            connection = connect.connect(name, sandbox=sandbox)
            profile.require_account(connection.cluster)
            require_user(connection.cluster)
            connections[name] = connection
        except RookeryError as error:
            looked[name] = error
    if len(connections) > 1:
        from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

        looked |= fabric_group.outcomes(connections.values(), up_to_date.look_closely)
    else:
        looked |= {name: _look(connection) for name, connection in connections.items()}
    rows = []
    for name in names:
        if isinstance(outcome := looked[name], RookeryError):
            is_unvisited = isinstance(outcome, NotApplicableError) or (sandbox and name not in connections)
            state = NOT_SET_UP if is_unvisited else UNKNOWN
            rows.append(HomeStatus(name, state, outcome.message, outcome.hint or ""))
        else:
            cluster = connections[name].cluster
            rows.append(status_of(cluster, outcome, up_to_date.asked(cluster)))
    return rows


def _look(connection: "Connection") -> "up_to_date.HomeComparison | RookeryError":
    """Look at one home, over the connection that there is, if any: a stale one is found out by the look itself."""
    try:
        if not connection.has_master():
            connection.open()
        with console.waiting(f"Checking your home on {connection.cluster.name}"):
            return up_to_date.look_closely(connection)
    except RookeryError as error:
        return error


def status_of(cluster: "Cluster", look: up_to_date.HomeComparison, asked: Mapping[str, Any]) -> HomeStatus:
    """Return the status of a home, from the comparison with its last complete setup."""
    name, sealed = cluster.name, look.sealed or {}
    setup = f"{invocation.invocation()} setup {cluster.argument}"
    storage = tuple(areas(cluster, look.output))
    if look.problem:
        return HomeStatus(name, UNKNOWN, look.problem, look.hint or setup, storage=storage)
    if not look.entries or look.sealed is None:  # undone, or no whole run so far
        return HomeStatus(name, NOT_SET_UP, hint=setup, storage=storage)
    state, reason = AS_DECLARED, ""
    changed = tuple(up_to_date.differences(sealed, asked))
    if reason_to_run := look.reason_to_run(asked):
        state = OUT_OF_DATE
        if look.drift or not look.ended:
            state, reason = DRIFTED, "" if look.drift else reason_to_run
    hint = setup if reason_to_run else ""
    if danger := replaced_programs.danger(cluster, look):
        state, reason, hint = DRIFTED, danger.found, danger.fix
    return HomeStatus(
        name,
        state,
        reason,
        hint,
        version=str(sealed.get("rookery", "")),
        when=str(sealed.get("when", "")),
        drift=look.drift,
        asked=changed,
        new=look.new,
        gone=look.gone,
        tools=look.tools,
        storage=storage,
    )


def areas(cluster: "Cluster", output: str) -> Iterator[StorageArea]:
    """Yield the storage areas in a probe's answer; nothing where it has none."""
    try:
        facts = probe.read(output, cluster.data)
    except RookeryError:
        return
    quotas = {area["name"]: area.get("quota_mb") for area in cluster.data["cluster_storage"]}
    for name, path in facts["storage"].items():
        yield StorageArea(name, path, facts["free_mb"].get(name), quotas.get(name))


def exit_code(homes: list[HomeStatus], *, named: bool) -> int:
    """Return the exit code for these statuses.

    Args:
        homes: The homes.
        named: The clusters were named one by one, so that one that is not set up is not as it should be.
    """
    states = {home.state for home in homes}
    if UNKNOWN in states:
        return 1
    return DRIFT_EXIT if states & {DRIFTED, OUT_OF_DATE, *([NOT_SET_UP] if named else [])} else 0


def show(homes: list[HomeStatus]) -> None:
    """Print the statuses."""
    from rich.text import Text

    output = writer(sys.stdout)
    width = max((len(home.name) for home in homes), default=0)
    for home in homes:
        label = f"{home.name:{width}}  "
        version = f"rookery {home.version}, {_when(home.when)}" if home.version else ""
        reason = home.reason.removeprefix(f"{home.name}: ")
        state = SHOWN.get(home.state, home.state)
        line = "  ".join(filter(None, (f"{label}{state}", version, reason)))
        text = Text(wrapping.fit(clean(line), sys.stdout))
        text.stylize(_STYLES[home.state], len(label), len(label) + len(state))
        output.print(text)
        console.say(*(f"  {label:<10} {text}" for label, text in _lines(home)))


def _when(text: str) -> str:
    return local_time.when(local_time.of_iso(text)) or text


def _lines(home: HomeStatus) -> Iterator[tuple[str, str]]:
    """Yield the lines on a home, each with its label."""
    for thing in home.drift:
        yield thing["role"], f"{thing['what']}: {thing['how']}"
    for text in home.asked:
        yield "changed", text
    for text in home.new:
        yield "new", text
    for text in home.gone:
        yield "gone", text
    if home.tools:
        yield "tools", ", ".join(f"{name} {version}" for name, version in home.tools.items())
    for area in home.storage:
        yield area.name, f"{area.path}{_free_space(area)}"
    if home.hint:
        yield "next", invocation.as_typed(home.hint)


def _free_space(area: StorageArea) -> str:
    if area.free_mb is None:
        return ""
    of = f" of {sizes.of_mebibytes(area.quota_mb)}" if area.quota_mb else ""
    return f"  ({sizes.of_mebibytes(area.free_mb)}{of} free)"
