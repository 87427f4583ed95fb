"""The steps of onboarding: each looks at what there is, does what is missing, and prints what it did and where."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import account
from rookery.clusters.config import profile
from rookery.clusters.ssh import user_config, user_settings
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.diagnosis import is_locked
from rookery.clusters.ssh.errors import SshError
from rookery.core import console, near_names, paths, prompts, tables
from rookery.core.errors import RookeryError
from rookery.homes import setup
from rookery.homes.options import SetupOptions
from rookery.homes.vscode import workstation
from rookery.support.onboarding import details, first_project, key, result
from rookery.support.onboarding.key import Key

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.onboarding.first_project import Study
    from rookery.support.options import OnboardOptions


@dataclass
class Onboarding:
    """A running onboarding.

    Attributes:
        options: What is asked for.
        cluster: The cluster, with what is known of the user.
        steps: How many there are.
        number: The one that is being done.
        changed: Whether anything was to do so far.
        key: The user's key; None where the cluster takes none.
        settings: The user's settings for the profile.
    """

    options: "OnboardOptions"
    cluster: "Cluster"
    steps: int
    number: int = 0
    changed: bool = False
    key: Key | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show which step this is, and set its output apart."""
        self.number += 1
        console.show(tables.console(), f"[{self.number}/{self.steps}] {title}", "bold")
        yield

    def say(self, line: str, *, changed: bool = False) -> None:
        """Print what was done, or found."""
        self.changed |= changed
        console.say(f"  {line}")


def who(onboarding: Onboarding) -> None:
    """Settle the cluster, and the user's name there.

    Raises:
        NoAccount: The user has none there.
    """
    cluster, options = onboarding.cluster, onboarding.options
    with onboarding.step("Your username"):
        if not cluster.sandbox:
            user = details.username(cluster, options)
            onboarding.settings |= profile.of_user(cluster.name, user, details.account(cluster, options))
            onboarding.cluster = profile.load(cluster.name, overrides=onboarding.settings)
        charged = f", jobs charged to {account(onboarding.cluster.data)}" if account(onboarding.cluster.data) else ""
        onboarding.say(f"{onboarding.cluster.user} on {cluster.title}, {cluster.host}{charged}")


def your_key(onboarding: Onboarding) -> None:
    """Find or make the key that the login is tried with."""
    cluster, options = onboarding.cluster, onboarding.options
    with onboarding.step("Your ssh key"):
        if cluster.sandbox:
            onboarding.say("the miniature has its own key")
        elif not key.takes_keys(cluster):
            ways = near_names.either(cluster.data["cluster_logins"])
            onboarding.say(f"{cluster.name} accepts no keys; log in with {ways}")
        elif not _has_key(onboarding):
            if onboarding.key is None:
                onboarding.key = _make_key(onboarding)
            if options.asks and is_locked(onboarding.key.path):
                held = key.unlock(onboarding.key)
                onboarding.say(
                    "your ssh agent holds the key"
                    if held
                    else "no ssh agent is running, so each login asks for its passphrase"
                )
            onboarding.settings["cluster_identity_file"] = str(onboarding.key.path)
            onboarding.cluster = profile.load(cluster.name, overrides=onboarding.settings)


def _has_key(onboarding: Onboarding) -> bool:
    """Look for a key, and return whether the user's ssh already opens the cluster, so that none has to be named.

    Raises:
        SshError: The cluster can't be reached, so whether a key works is not known.
    """
    cluster, options = onboarding.cluster, onboarding.options
    path = key.find(cluster, options.key)
    named = options.key or cluster.identity_file
    if not named and (path is None or user_settings.has_identity(cluster)):
        try:
            needed = key.is_needed(Connection(cluster), ask=options.asks, accept_host_key=options.accept_host_key)
        except SshError as error:
            raise _not_in(onboarding, error) from None
        if not needed:
            opener = "your ssh configuration" if user_settings.has_identity(cluster) else "your ssh agent"
            onboarding.say(f"{opener} already has a key that {cluster.name} accepts")
            return True
    if path:
        onboarding.key = Key(path)
        onboarding.say(f"found {onboarding.key.shown}")
    return False


def _make_key(onboarding: Onboarding) -> Key:
    """Make a key, and print what it is and what a missing passphrase means."""
    new_key = key.make(key.place(onboarding.cluster, onboarding.options.key), ask=onboarding.options.asks)
    onboarding.say(f"made {new_key.shown}. Keep it secret; {new_key.shown}.pub may be shared", changed=True)
    if not is_locked(new_key.path):
        path = new_key.shown if " " not in new_key.shown else shlex.quote(str(new_key.path))
        onboarding.say(
            f"it has no passphrase: anybody who can read it can log in as you. To set one: `ssh-keygen -p -f {path}`"
        )
    return new_key


def log_in(onboarding: Onboarding) -> None:
    """Log in, with the host key checked and a password typed where it takes one, and copy the key to the account."""
    options, cluster = onboarding.options, onboarding.cluster
    connection = Connection(cluster)
    with onboarding.step("Log in"):
        if connection.is_open():
            onboarding.say("already connected")
        else:
            try:
                connection.open(accept_host_key=options.accept_host_key)
            except SshError as error:
                raise _not_in(onboarding, error) from None
            onboarding.say("connected; all further steps use this connection")
        if not cluster.sandbox:
            profile.remember(cluster.name, profile.of_user(cluster.name, cluster.user, account(cluster.data)))
    with onboarding.step("Your key on the cluster"):
        _bring_key(onboarding, connection)


def _bring_key(onboarding: Onboarding, connection: "Connection") -> None:
    cluster = onboarding.cluster
    if onboarding.key is None:
        onboarding.say("no key is needed")
        return
    if not key.bring(connection, key.public_line(onboarding.key, ask=onboarding.options.asks)):
        onboarding.say("the key is already installed")
    elif key.opens(connection):
        onboarding.say("installed the key: further logins need no password", changed=True)
    elif is_locked(onboarding.key.path):
        onboarding.say("installed the key; the next login asks for its passphrase", changed=True)
    else:
        onboarding.say(f"installed the key, but {cluster.name} does not accept it: log in as before", changed=True)
        return
    profile.remember(cluster.name, {"cluster_identity_file": str(onboarding.key.path)})


def _not_in(onboarding: Onboarding, error: "SshError") -> RookeryError:
    """Return what to do where the login failed: a key that has to be given to somebody first, above all."""
    error.hint = (error.hint or "").replace("invoke login ", "invoke onboard ") or None
    if error.reason != "denied" or onboarding.key is None or key.takes_passwords(onboarding.cluster):
        return error
    access = onboarding.cluster.data.get("cluster_access") or {}
    ask = access.get("ask") or "the people who run it"
    return RookeryError(
        f"{onboarding.cluster.name} accepts only keys, and does not have {onboarding.key.shown} yet.",
        hint=f"send {onboarding.key.shown}.pub to {ask}, then run the command again",
    )


def ssh_by_name(onboarding: Onboarding) -> None:
    """Write entries so that `ssh penguins`, scp, rsync, git and VS Code work."""
    cluster, options = onboarding.cluster, onboarding.options
    with onboarding.step("ssh configuration"):
        if cluster.sandbox:
            onboarding.say(f"to log in to the miniature: `{details.ssh_command(cluster)}`")
            return
        alias = user_config.aliases().get(cluster.name) or _alias(onboarding)
        fresh = user_config.write(cluster, alias)
        change = user_config.planned()
        if change:
            print(*(f"    {line}" for line in change.diff()), sep="\n")
            if options.asks and not prompts.confirm("  Add this line to ~/.ssh/config?", default=True):
                onboarding.say(f"not added. For `ssh {alias}`, add it at the top yourself: `{user_config.line()}`")
                return
            try:
                kept = user_config.carry_out(change)
            except RookeryError as error:
                onboarding.say(f"{error.message} {error.hint}")
                return
            onboarding.say(f"added{f'; the file before that is in {kept}' if kept else ''}", changed=True)
        onboarding.changed |= fresh
        if not user_config.works(alias, cluster):
            line = user_config.line()
            onboarding.say(
                f"`ssh {alias}` does not work: an entry of ~/.ssh/config hides it. Move this line to its top: `{line}`"
            )
            return
        onboarding.say(f"`ssh {alias}` works; so do scp, rsync, git and VS Code with that name")
        _editors(onboarding)


def _alias(onboarding: Onboarding) -> str:
    """Return the name for `ssh`: the cluster's, where the user has no entry of that name."""
    name, asks = onboarding.cluster.name, onboarding.options.asks
    others = (f"{name}-{onboarding.cluster.user}{number or ''}" for number in range(1000))
    free = next(other for other in others if not user_config.taken(other))
    while why := user_config.taken(name):
        onboarding.say(f"{why}")
        name = prompts.ask("  Another name for this cluster", free) if asks else free
    return name


def _editors(onboarding: Onboarding) -> None:
    """Tell VS Code on this computer how to reach the cluster; where there is none, say nothing."""
    outcomes = workstation.run([onboarding.cluster])
    for line in workstation.lines(outcomes, quiet=True):
        onboarding.say(line)
    onboarding.changed |= any(outcome.state == "changed" for outcome in outcomes)


def home(onboarding: Onboarding) -> None:
    """Set up the home by `setup`.

    Raises:
        RookeryError: It could not.
    """
    options = onboarding.options
    with onboarding.step("Your home on the cluster"):
        before = setup.last(onboarding.cluster)
        code = setup.run(SetupOptions(cluster=onboarding.cluster.name, sandbox=options.sandbox, yes=options.yes))
        if code:
            raise RookeryError(
                f"Your home on {onboarding.cluster.name} is not set up yet.",
                hint="fix the problem above, then run the command again: it continues there",
            )
        onboarding.changed |= setup.last(onboarding.cluster) != before


def first_result(onboarding: Onboarding) -> "Study":
    """Bring a first project to a first result, and show it."""
    with onboarding.step("First project"):
        study = first_project.begin(onboarding.cluster, onboarding.options)
        onboarding.say(f"{'created' if study.made else 'found'} {paths.shown(study.root)}", changed=study.made)
    with onboarding.step("First result"):
        onboarding.changed |= first_project.result(study, onboarding.cluster)
        table = first_project.table(study.root, onboarding.cluster)
        onboarding.say(f"{paths.shown(table)}:")
        result.show(table)
    return study
