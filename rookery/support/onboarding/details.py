"""The details that onboarding needs of a user: found where possible, asked otherwise; every answer is a flag too."""

import getpass
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.cluster import account as known_account
from rookery.clusters.config import profile
from rookery.clusters.ssh.config_file import config_file
from rookery.clusters.ssh.config_syntax import is_username
from rookery.core import console, near_names, paths, preferences, prompts
from rookery.core.errors import RookeryError
from rookery.homes import selection
from rookery.projects import first_commit, scaffold
from rookery.projects.options import NewOptions
from rookery.projects.scaffold import LANGUAGES

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.options import OnboardOptions


def again(options: "OnboardOptions", cluster: str, **changes: Any) -> str:
    """Return the same command for a cluster, with what was given and with changes, for a shell."""
    return replace(options, cluster=cluster, **changes).command("onboard")


def ssh_command(cluster: "Cluster") -> str:
    """Return the command that logs in to a cluster or a miniature by rookery's own ssh configuration."""
    return f"ssh -F {paths.typed(config_file(cluster))} {cluster.name}"


def cluster_name(options: "OnboardOptions") -> str:
    """Return the cluster that is meant; where none is named, the user is asked.

    Raises:
        RookeryError: Several are named, or none is and nobody can be asked.
    """
    known = profile.names()
    if not options.cluster:
        if not options.asks:
            raise RookeryError(
                f"Missing argument CLUSTER: {', '.join(known)}.", hint=again(options, (known or ["NAME"])[0])
            )
        return prompts.choose("Which cluster?", {name: _title(name) for name in known})
    names = selection.clusters(options.cluster)
    if len(names) != 1:
        raise RookeryError("onboard takes one cluster at a time.", hint=again(options, names[0]))
    return names[0]


def _title(name: str) -> str:
    try:
        return profile.load(name, own_ssh=False).title
    except RookeryError:  # a profile with a mistake: reported where that cluster is chosen
        return ""


class NoAccount(Exception):  # noqa: N818 said of a user, not of something that broke
    """The error for a user who has no account on the cluster yet."""


def username(cluster: "Cluster", options: "OnboardOptions") -> str:
    """Return the user's name on the cluster.

    Raises:
        NoAccount: They say that they have none.
        RookeryError: The user can't be asked, or another user works on this cluster from here.
    """
    if options.user and cluster.data.get("cluster_user", "") not in {"", options.user}:
        me = shlex.quote(options.user)
        apart = f"XDG_CONFIG_HOME=~/{me}/config XDG_STATE_HOME=~/{me}/state"
        raise RookeryError(
            f"This computer uses {cluster.name} as {cluster.user}, not as {options.user}.",
            hint=f"invoke login {cluster.name} --user {me}   # if your username has changed; for two people on one "
            f"computer: {apart} invoke onboard {cluster.name} --user {me} --key ~/.ssh/id_{me}   (both variables "
            "before every command)",
        )
    if options.user and not is_username(options.user):
        raise RookeryError(
            f"{options.user!r} is not a valid username.",
            hint=again(options, cluster.name, user="NAME"),
        )
    if known := options.user or cluster.user:
        return known
    if not options.asks:
        raise RookeryError(
            f"Missing option --user: rookery does not know your username on {cluster.name}.",
            hint=f"{again(options, cluster.name, user='NAME')}   # no account yet? Use --request instead",
        )
    console.say(f"  Your username on this computer is {getpass.getuser()}; on {cluster.title} it may differ.")
    while answer := prompts.ask("  Your username there (press Enter if you have no account yet)"):
        if is_username(answer):
            return answer
        console.note("  A username consists of letters and digits, with . _ - in between.")
    raise NoAccount


def account(cluster: "Cluster", options: "OnboardOptions") -> str:
    """Return the account that the user's jobs on the cluster are charged to; "" where it asks for none.

    Raises:
        RookeryError: It asks for one, and there is nobody to ask.
    """
    known = cluster.data.get("cluster_account") or {}
    if name := options.account or known_account(cluster.data):
        return name
    if not known.get("required"):
        return ""
    if not options.asks:
        raise RookeryError(
            f"Missing option --account: jobs on {cluster.name} are charged to an account{profile.such_as(known)}.",
            hint=again(options, cluster.name, account="CODE"),
        )
    console.say(f"  Jobs on {cluster.title} are charged to an account{profile.such_as(known)}.")
    while not profile.is_account(answer := prompts.ask("  Your account")):
        console.note("  An account consists of letters and digits, with . _ - in between.")
    return answer


def author(options: "OnboardOptions") -> tuple[str, str]:
    """Return the user's name and address for the project's commits; empty where git knows them, or none is given.

    What Git's settings say counts first (git-config(1), user.name and user.email), then the options, then what
    `config` holds. Where the user is asked, `config` keeps the answers, and Git gets them if they want that.

    Raises:
        RookeryError: The answers can't be kept.
    """
    if _git("--get", "user.name") and _git("--get", "user.email"):
        return "", ""
    name, email = known_author(options)
    if options.asks and not (name and email):
        console.say("  Git records your name and email in each commit, and has none for you yet.")
        name = name or prompts.ask("  Your full name")
        email = email or prompts.ask("  Your email address")
        while email and preferences.wrong("email", email):
            console.note("  Write it like ada@example.ac.uk, or press Enter to skip.")
            email = prompts.ask("  Your email address")
        preferences.keep({"name": name, "email": email})
        everywhere = "  Use them for all your git repositories on this computer?"
        if name and email and prompts.confirm(everywhere, default=True):
            _git("--global", "user.name", name)
            _git("--global", "user.email", email)
    return name, email


def known_author(options: "OnboardOptions") -> tuple[str, str]:
    """Return the user's name and address as options, Git or `config` give them; "" for what is not known."""
    saved = preferences.values()
    name = options.name or _git("--get", "user.name") or saved.get("name", "")
    return name, options.email or _git("--get", "user.email") or saved.get("email", "")


def check(options: "OnboardOptions") -> None:
    """Refuse invalid options, before anything is done.

    Raises:
        RookeryError: The language is unknown, no project can have that name, or git is not installed.
    """
    if options.language and options.language not in scaffold.LANGUAGES:
        raise RookeryError(
            f"Unknown --language {options.language!r}. Use {near_names.either(scaffold.LANGUAGES)}.",
            hint=again(options, options.cluster, language=next(iter(scaffold.LANGUAGES))),
        )
    if options.project and (why := bad_name(options.project)):
        raise RookeryError(why, hint=again(options, options.cluster, project=scaffold.suggested(options.project)))
    first_commit.require_git()
    try:
        Path.cwd()
    except OSError:
        raise RookeryError(
            "The current folder does not exist any more.", hint="cd   # then run the command again"
        ) from None


def bad_name(name: str) -> str:
    """Return why a project can't have this name; "" where it can."""
    try:
        scaffold.checked(NewOptions(name))
    except RookeryError as error:
        return error.message
    return ""


def language(options: "OnboardOptions") -> str:
    """Return the language of a first project."""
    return options.language or (
        prompts.ask("  Language of your first project", "python", tuple(LANGUAGES)) if options.asks else "python"
    )


def _git(*arguments: str) -> str:
    """Return what `git config` prints; "" where it fails."""
    command = ["git", "config", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
