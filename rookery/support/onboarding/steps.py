"""The steps of onboarding: each looks at what there is, does what is missing, and says what it did and where."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import account
from rookery.clusters.config import profile
from rookery.clusters.ssh import config_file, user_config, user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.diagnosis import is_locked
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.core.tables import console
from rookery.homes import options, setup
from rookery.homes.vscode import workstation
from rookery.support.onboarding import first_project, key, prompts, result
from rookery.support.onboarding.key import Key

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.clusters.ssh.errors import SshError
    from rookery.support.onboarding.first_project import Study
    from rookery.support.options import OnboardOptions


@dataclass
class Onboarding:
    """One onboarding under way.

    Attributes:
        request: What is asked for.
        cluster: The cluster, with what is known of the user.
        steps: How many there are.
        number: The one that is being done.
        changed: Whether anything was to do so far.
        key: The user's key; None where the cluster takes none.
        told: What the profile is told of the user.
    """

    request: "OnboardOptions"
    cluster: "Cluster"
    steps: int
    number: int = 0
    changed: bool = False
    key: Key | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show which step this is, and set what comes apart from it."""
        self.number += 1
        console().print(f"[{self.number}/{self.steps}] {title}", style="bold", markup=False)
        yield

    def say(self, line: str, *, changed: bool = False) -> None:
        """Say what was done, or found."""
        self.changed |= changed
        print(f"  {line}")


def who(way: Onboarding) -> None:
    """Which cluster, and under which name.

    Raises:
        NoAccount: The user has none there.
    """
    cluster, request = way.cluster, way.request
    with way.step("Who and where"):
        if not cluster.sandbox:
            user = prompts.username(cluster, request)
            way.told |= profile.of_person(cluster.name, user, prompts.account(cluster, request))
            way.cluster = profile.load(cluster.name, overrides=way.told)
        charged = f", jobs charged to {account(way.cluster.data)}" if account(way.cluster.data) else ""
        way.say(f"{way.cluster.user} on {cluster.title}, {cluster.host}{charged}")


def your_key(way: Onboarding) -> None:
    """Find or make the key that the login is tried with."""
    cluster, request = way.cluster, way.request
    with way.step("Your ssh key"):
        if cluster.sandbox:
            way.say("the miniature has one of its own")
        elif not key.takes_keys(cluster):
            way.say(f"{cluster.name} takes none: a login there takes {' or '.join(cluster.data['cluster_logins'])}")
        elif not _has_key(way):
            if way.key is None:
                way.key = _made(way)
            if request.asks and is_locked(way.key.path):
                held = key.unlock(way.key)
                way.say(
                    "your ssh agent holds it"
                    if held
                    else "no ssh agent runs here: its passphrase is asked at each login"
                )
            way.told["cluster_identity_file"] = str(way.key.path)
            way.cluster = profile.load(cluster.name, overrides=way.told)


def _has_key(way: Onboarding) -> bool:
    """Look for a key, and return whether the user's ssh opens the cluster as it is, so that none has to be named.

    Raises:
        SshError: The cluster can't be reached, so whether a key works is not known.
    """
    cluster, request = way.cluster, way.request
    found = key.find(cluster, request.key)
    named = request.key or cluster.identity_file
    if not named and (found is None or user_settings.has_identity(cluster)):
        try:
            needed = key.is_needed(Connection(cluster), ask=request.asks, accept_host_key=request.accept_host_key)
        except SshError as error:
            raise _not_in(way, error) from None
        if not needed:
            opener = "your ssh configuration" if user_settings.has_identity(cluster) else "your ssh agent"
            way.say(f"{opener} opens {cluster.name} already; no key is made")
            return True
    if found:
        way.key = Key(found)
        way.say(f"{way.key.shown} is there already")
    return False


def _made(way: Onboarding) -> Key:
    """Make a key, and say what it is and what a missing passphrase means."""
    made = key.make(key.place(way.cluster, way.request.key), ask=way.request.asks)
    way.say(f"{made.shown} is made; its other half, {made.shown}.pub, may be shown to anybody", changed=True)
    if not is_locked(made.path):
        path = made.shown if " " not in made.shown else shlex.quote(str(made.path))
        way.say(f"it has no passphrase: whoever can read it can log in as you; ssh-keygen -p -f {path} sets one")
    return made


def log_in(way: Onboarding) -> None:
    """Log in, with the host key checked and a password typed where it takes one, and bring the key there."""
    request, cluster = way.request, way.cluster
    connection = Connection(cluster)
    with way.step("Log in"):
        if connection.is_open():
            way.say("the connection is open already")
        else:
            try:
                connection.open(accept_host_key=request.accept_host_key)
            except SshError as error:
                raise _not_in(way, error) from None
            way.say("connected; every step from here on goes through this one connection")
        if not cluster.sandbox:
            profile.remember(cluster.name, profile.of_person(cluster.name, cluster.user, account(cluster.data)))
    with way.step("Your key on the cluster"):
        _bring_key(way, connection)


def _bring_key(way: Onboarding, connection: "Connection") -> None:
    cluster = way.cluster
    if way.key is None:
        way.say("none is needed")
        return
    if not key.bring(connection, key.public_line(way.key, ask=way.request.asks)):
        way.say("it is there already")
    elif key.opens(connection):
        way.say("it opens the cluster from now on, without your password", changed=True)
    elif is_locked(way.key.path):
        way.say("it is there now; its passphrase is asked for at the next login", changed=True)
    else:
        way.say(f"it is there now, but {cluster.name} does not take it; you go on logging in as today", changed=True)
        return
    profile.remember(cluster.name, {"cluster_identity_file": str(way.key.path)})


def _not_in(way: Onboarding, error: "SshError") -> RookeryError:
    """Return what to do where the login failed: a key that has to be given to somebody first, above all."""
    error.hint = (error.hint or "").replace("invoke login ", "invoke onboard ") or None
    if error.reason != "denied" or way.key is None or key.takes_passwords(way.cluster):
        return error
    access = way.cluster.data.get("cluster_access") or {}
    return RookeryError(
        f"{way.cluster.name} lets in by key alone, and does not know {way.key.shown} yet.",
        hint=f"send {way.key.shown}.pub to {access.get('ask') or 'the people who run it'}; then the same command again",
    )


def ssh_by_name(way: Onboarding) -> None:
    """Entries so that `ssh penguins`, scp, rsync, git and VS Code work."""
    cluster, request = way.cluster, way.request
    with way.step("ssh by name"):
        if cluster.sandbox:
            config = shlex.quote(str(config_file.config_file(cluster)))
            way.say(f"a miniature is not in ~/.ssh/config: ssh -F {config} {cluster.name}")
            return
        alias = user_config.aliases().get(cluster.name) or _alias(way)
        fresh = user_config.write(cluster, alias)
        change = user_config.planned()
        if change:
            print(*(f"    {line}" for line in change.diff()), sep="\n")
            if request.asks and not prompts.agreed("Shall this line be put into ~/.ssh/config?"):
                way.say(f"left alone; put it there yourself, at the top, for `ssh {alias}`: {user_config.line()}")
                return
            try:
                kept = user_config.carry_out(change)
            except RookeryError as error:
                way.say(f"{error.message} {error.hint}")
                return
            way.say(f"done{f'; as it was before, it is kept in {kept}' if kept else ''}", changed=True)
        way.changed |= fresh
        if not user_config.works(alias, cluster):
            line = user_config.line()
            way.say(
                f"something in ~/.ssh/config keeps ssh from reading the entry of {alias}: at its top must stand {line}"
            )
            return
        way.say(f"ssh {alias} works, and so do scp, rsync, git and VS Code by that name")
        _editors(way)


def _alias(way: Onboarding) -> str:
    """Return the name for `ssh`: the cluster's, where the user has no entry of that name."""
    name, asks = way.cluster.name, way.request.asks
    others = (f"{name}-{way.cluster.user}{number or ''}" for number in range(1000))
    free = next(other for other in others if not user_config.taken(other))
    while why := user_config.taken(name):
        way.say(f"{why}")
        name = prompts.ask("The name for this one", free) if asks else free
    return name


def _editors(way: Onboarding) -> None:
    """VS Code on this computer, told how to reach the cluster; where there is none, nothing is said."""
    outcomes = workstation.run([way.cluster])
    for line in workstation.lines(outcomes, quiet=True):
        way.say(line)
    way.changed |= any(one.state == "changed" for one in outcomes)


def home(way: Onboarding) -> None:
    """Have `setup` make the home ready.

    Raises:
        RookeryError: It could not.
    """
    request = way.request
    with way.step("Your home there"):
        before = setup.last(way.cluster)
        code = setup.run(options.SetupOptions(cluster=way.cluster.name, sandbox=request.sandbox, yes=request.yes))
        if code:
            raise RookeryError(
                f"Your home on {way.cluster.name} is not ready yet.", hint="the same command: it goes on from there"
            )
        way.changed |= setup.last(way.cluster) != before


def first_result(way: Onboarding) -> "Study":
    """Return a first project, brought to a first result, which is shown."""
    with way.step("A first project"):
        mine = first_project.begin(way.cluster, way.request)
        way.say(f"{mine.root} {'is made, and kept in git' if mine.made else 'is there already'}", changed=mine.made)
    with way.step("A first result"):
        way.changed |= first_project.result(mine, way.cluster)
        way.say(f"{mine.root / first_project.TABLE}:")
        result.show(mine.root / first_project.TABLE)
    return mine
