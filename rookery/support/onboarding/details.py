"""The details that onboarding needs of a user: found where possible, asked otherwise; every answer is a flag too."""

import getpass
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.cluster import account as known_account
from rookery.clusters.config import profile
from rookery.clusters.ssh.config_syntax import is_username
from rookery.core import console, prompts
from rookery.core.errors import RookeryError
from rookery.projects import scaffold
from rookery.projects.options import NewOptions
from rookery.projects.scaffold import LANGUAGES

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.options import OnboardOptions


class NoAccount(Exception):  # noqa: N818 said of a user, not of something that broke
    """The error for a user who has no account on the cluster yet."""


def username(cluster: "Cluster", options: "OnboardOptions") -> str:
    """Return the user's name on the cluster.

    Raises:
        NoAccount: They say that they have none.
        RookeryError: The user can't be asked, or another user works on this cluster from here.
    """
    if options.user and cluster.data.get("cluster_user", "") not in {"", options.user}:
        me, where = shlex.quote(options.user), f"--cluster {cluster.name}"
        apart = f"XDG_CONFIG_HOME=~/{me}/config XDG_STATE_HOME=~/{me}/state"
        raise RookeryError(
            f"On this computer, {cluster.name} is used as {cluster.user}, not as {options.user}.",
            hint=f"{apart} invoke onboard {where} --user {me} --key ~/.ssh/id_{me}   # keeps two people apart, "
            f"before every command; or, if you are {cluster.user} no more: invoke login {where} --user {me}",
        )
    if options.user and not is_username(options.user):
        raise RookeryError(
            f"{options.user!r} can't be a username on {cluster.name}.",
            hint=f"invoke onboard --cluster {cluster.name} --user NAME",
        )
    if known := options.user or cluster.user:
        return known
    if not options.asks:
        raise RookeryError(
            f"{cluster.name}: what is your username there?",
            hint=f"invoke onboard --cluster {cluster.name} --user NAME   # no account yet? --request instead",
        )
    console.say(f"  On this computer you are {getpass.getuser()}; on {cluster.title} you may have another name.")
    while answer := prompts.ask("  Your username there (Enter alone, if you have no account yet)"):
        if is_username(answer):
            return answer
        console.note("  A username has letters and digits, and . _ - between them.")
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
            f"{cluster.name}: which account are your jobs charged to{profile.such_as(known)}?",
            hint=f"invoke onboard --cluster {cluster.name} --account CODE",
        )
    console.say(f"  Jobs on {cluster.title} are charged to an account{profile.such_as(known)}.")
    while not profile.is_account(answer := prompts.ask("  Your account")):
        console.note("  An account has letters and digits, and . _ - between them.")
    return answer


def author(options: "OnboardOptions") -> tuple[str, str]:
    """Return the user's name and address for the project's commits; empty where git knows them, or none is given.

    Git's own words for them (git-config(1), user.name and user.email) are what counts.
    """
    if _git("user.name") and _git("user.email"):
        return "", ""
    name, email = options.name or _git("user.name"), options.email or _git("user.email")
    if options.asks and not (name and email):
        console.say("  Git signs each version of your project with your name and address; it does not know them yet.")
        name = name or prompts.ask("  Your full name")
        email = email or prompts.ask("  Your email address")
    return name, email


def check(options: "OnboardOptions") -> None:
    """Refuse invalid options, before anything is done.

    Raises:
        RookeryError: There is no such language, no project can have that name, or there is no git here.
    """
    if options.language and options.language not in scaffold.LANGUAGES:
        raise RookeryError(
            f"There is no --language {options.language!r}. There are: {', '.join(scaffold.LANGUAGES)}.",
            hint="the same command with one of those",
        )
    if options.project and (why := bad_name(options.project)):
        again = f"invoke onboard --cluster {options.cluster} --project {scaffold.suggested(options.project)}"
        raise RookeryError(why, hint=again)
    scaffold.require_git()
    try:
        Path.cwd()
    except OSError:
        raise RookeryError("The folder that you are in is gone.", hint="cd   # then the same command") from None


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
        prompts.ask("  The language of your first project", "python", tuple(LANGUAGES)) if options.asks else "python"
    )


def _git(key: str) -> str:
    done = subprocess.run(["git", "config", "--get", key], capture_output=True, text=True, check=False)
    return done.stdout.strip()
