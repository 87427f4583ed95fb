"""Check shells, software, the network and the clock, from one inspection of a home; or why there was none."""

import re
import shlex
from typing import TYPE_CHECKING

from rookery.clusters.architectures import ARCHITECTURES
from rookery.clusters.ssh import startup_files
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.core.name_lists import shortened
from rookery.homes import replaced_programs, status, up_to_date
from rookery.homes import setup as runs
from rookery.remote import strict_json
from rookery.support.doctor import checks, environment_checks, inspection, storage_checks, vscode_checks
from rookery.support.doctor.checks import CheckResults
from rookery.support.doctor.connection_checks import whom_to_ask
from rookery.support.doctor.fix_commands import login, on_cluster, setup, setup_again, with_note
from rookery.support.doctor.inspection import HomeInspection

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_COMMAND = (".bashrc", ".zshenv", ".cshrc", ".tcshrc", ".config/fish/config.fish")
"""Start-up files that a command over ssh may read; a login may read them too."""

_LOGIN = (*_COMMAND, ".profile", ".bash_profile", ".bash_login", ".zprofile", ".zshrc", ".login")

_WORDS = {status.DRIFTED: "changed since setup"}

SKEW = 60
"""Seconds that two clocks may differ."""


def judge(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    """Check a home, from the login node's answer."""
    _startup(results, cluster, home)
    _programs(results, cluster, home)
    environment_checks.judge(results, cluster, home)
    is_set_up = _set_up(results, cluster, home)
    _paths(results, cluster, home, is_set_up=is_set_up)
    storage_checks.judge(results, cluster, home, is_set_up=is_set_up)
    _modules(results, cluster, home)
    _conda(results, cluster, home)
    _python(results, cluster, home, is_set_up=is_set_up)
    _r(results, cluster, home)
    internet(results, cluster, "login", home.value("internet"))
    clock(results, home.skew)
    vscode_checks.judge(results, cluster, home)


def _startup(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    word, _, output = home.value("startup").partition(" ")
    if word == "prints":
        shown = repr(output.strip()[:60])
        message = f"they print text for ssh commands, too ({shown}), which breaks scp, rsync and VS Code"
        results.fault("startup", message, setup(cluster))
    elif word == "reads":
        guards = home.value("culprit-shell") in startup_files.GUARDED_SHELLS
        message = f"they read the input of ssh commands{_line(home)}, which breaks scp, rsync and VS Code"
        results.fault("startup", message, setup(cluster) if guards else _editing(cluster))
    elif word == "quiet":
        results.ok("startup", "they print nothing, and ssh commands work")
    else:
        results.warn(
            "startup", f"they are slow, or rookery can't check them{_line(home)}", on_cluster(cluster, "time true")
        )


def _line(home: HomeInspection) -> str:
    """Return the line of a start-up file that is the cause, where it is known."""
    culprit = f"shell {home.value('culprit-shell')}\nat {home.value('culprit-at')}"
    line = startup_files.read(culprit, home.fact("home")).line
    return f" ({line})" if line else ""


def _editing(cluster: "Cluster") -> str:
    """Return how a user gets to their start-up files where `setup` can put no guard into them."""
    return with_note(login(cluster), "log in, and run that line only in interactive shells")


def _programs(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    """Check whether others could have replaced installed programs; then nothing that depends on them is checked."""
    danger = replaced_programs.danger(cluster, home.comparison)
    if danger is None:
        results.ok("programs", "only you and the people who run the cluster")
        return
    results.fault("programs", danger.found, danger.fix)
    for name in ("set-up", "path-login", "path-command", "python", "caches"):
        results.skip(name, "fix write access to installed programs first")


def _set_up(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> bool:
    """Check whether the home is set up, and up to date; return whether it is set up at all."""
    home_status = status.status_of(cluster, home.comparison, up_to_date.asked(cluster))
    if home_status.state == status.NOT_SET_UP:
        results.fault("set-up", "not set up yet", setup(cluster))
        return False
    if home_status.state == status.UNKNOWN:
        results.warn("set-up", f"unknown: {home_status.reason}", home_status.hint)
        return bool(home.values.get("expected"))
    if home_status.state == status.AS_DECLARED:
        results.ok("set-up", f"up to date (setup of {home_status.when[:10]})")
        return True
    drift = [f"{thing['what']}: {thing['how']}" for thing in home_status.drift]
    what = (
        drift
        or [f"new setting: {text}" for text in home_status.asked]
        or [*home_status.gone, *home_status.new]
        or [home_status.reason]
    )
    word = _WORDS.get(home_status.state, home_status.state)
    results.warn("set-up", f"{word}: {shortened(what, 3, '; ')}", setup(cluster))
    return True


def expected(home: HomeInspection) -> list[str]:
    """Return the folders that `setup` put on PATH, on machines of the login node's architecture."""
    on_path: list[str] = []
    for text in home.values.get("expected") or []:
        try:
            document = strict_json.loads(f"{{{text}}}")
        except ValueError:
            continue
        folders = document.get("path")
        on_path += [
            folder
            for folder in (folders if isinstance(folders, list) else [])
            if isinstance(folder, str) and folder not in on_path
        ]
    return [_native(folder, home) for folder in on_path if not _is_foreign(folder, home.fact("architecture"))]


def _is_foreign(folder: str, architecture: str) -> bool:
    """Return whether a folder has programs for another architecture."""
    match = _PROGRAMS.search(folder)
    return match is not None and match[1] != architecture


_PROGRAMS = re.compile(rf"/rookery/({'|'.join(ARCHITECTURES)})/bin$")


def _native(folder: str, home: HomeInspection) -> str:
    home_path = home.fact("home")
    return f"{home_path}{folder[1:]}" if folder.startswith("~/") else folder


def lacking(path: str, wanted: list[str]) -> list[str]:
    """Return the folders that are missing in a PATH."""
    there_ = path.split(":")
    return [folder for folder in wanted if folder not in there_]


def _paths(results: CheckResults, cluster: "Cluster", home: HomeInspection, *, is_set_up: bool) -> None:
    wanted = expected(home)
    for kind, other, what in (("login", "command", "a login shell"), ("command", "login", "an ssh command")):
        name, path = f"path-{kind}", home.value(f"path-{kind}")
        if not is_set_up:
            results.skip(name, "your home is not set up yet")
        elif not path:
            results.fault(
                name,
                f"{what} ends too early: does a login file end it?",
                on_cluster(cluster, "head -n 50 .bash_profile .bash_login .profile"),
            )
        elif missing := lacking(path, wanted):
            message = f"{what} does not find rookery's tools: PATH lacks {', '.join(missing)}"
            if kind == "command" and results.is_bad(f"path-{other}"):
                results.skip(name, "fix PATH at login first")
            else:
                results.fault(name, message, _with_path(results, cluster, kind, home))
        else:
            results.ok(name, "rookery's tools are found")


def _with_path(results: CheckResults, cluster: "Cluster", kind: str, home: HomeInspection) -> str:
    """Return the fix for a PATH that lacks folders: setup, or removing a line that sets it anew."""
    reads = _LOGIN if kind == "login" else _COMMAND
    resets = [place for place in home.values.get("resets") or [] if place.partition(":")[0] in reads]
    if resets and not any(thing.get("role") == "shell" for thing in home.comparison.drift):
        file, _, line = resets[-1].partition(":")
        note = f"line {line} of ~/{file} replaces PATH: use PATH=…:$PATH instead"
        return with_note(on_cluster(cluster, f"sed -i.old '{line}s/^/# /' ~/{file}"), note)
    return setup_again(results, cluster)


def _modules(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    if not inspection.has_modules(cluster):
        results.ok("modules", "the cluster has none")
        return
    word, *missing = home.value("module").split() or [""]
    if word != "yes":
        show = on_cluster(cluster, "cat ~/.bash_profile ~/.bash_login ~/.profile")
        fix = with_note(show, f"does one of them end early, or unset it? If not: {whom_to_ask(cluster)}")
        results.fault("modules", "a login shell has no `module` command", fix)
    elif missing:
        show = on_cluster(cluster, "bash -lc 'module avail'")
        fix = with_note(show, "lists the modules; then set cluster_modules in your inventory")
        results.warn("modules", f"not available any more: {', '.join(missing)}", fix)
    else:
        results.ok("modules", "all modules of the profile are available")


def _conda(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    files = home.values.get("conda") or []
    if not files:
        results.ok("conda", "no lines of `conda init`")
        return
    named = ", ".join(f"~/{file}" for file in files)
    take_out = "; ".join(
        f"sed -i.old '/^# >>> conda initialize >>>/,/^# <<< conda initialize <<</d' ~/{file}" for file in files
    )
    fix = f"{on_cluster(cluster, take_out)}   # keeps a copy with the ending .old"
    if inspection.has_modules(cluster):
        message = f"`conda init` in {named} hides the Python of modules: use `source activate PATH` instead"
        results.fault("conda", message, fix)
    else:
        results.warn("conda", f"`conda init` in {named} hides other Pythons", fix)


def _python(results: CheckResults, cluster: "Cluster", home: HomeInspection, *, is_set_up: bool) -> None:
    system = dict((line.split(" ", 1)[::-1]) for line in home.facts.get("python") or [] if " " in line).get(
        "/usr/bin/python3", ""
    )
    profile_version = str(cluster.data.get("cluster_system_python") or "")
    note = f"; the system has {system}" if system else ""
    note += (
        f" (profile: {profile_version})"
        if system and profile_version and not f"{system}.".startswith(f"{profile_version}.")
        else ""
    )
    if not is_set_up:
        results.skip("python", f"your home is not set up yet{note}")
        return
    if results.is_bad("path-login"):
        results.skip("python", "fix PATH at login first")
        return
    found = ""
    for name in inspection.PYTHONS:
        path, _, words = home.value(name).partition(" ")
        if problem := _python_problem(results, cluster, name, home):
            results.fault("python", *problem)
            return
        found = found or f"{words.removeprefix('Python ')} ({path})"
    results.ok("python", f"{found}{note}")


def _python_problem(
    results: CheckResults, cluster: "Cluster", name: str, home: HomeInspection
) -> tuple[str, str] | None:
    """Return what is wrong with a Python that a login shell finds by its name, and the fix; None where nothing is."""
    wanted = inspection.python_version(cluster)
    path, _, words = home.value(name).partition(" ")
    version = re.search(r"Python (\d+\.\d+\.\d+)", words)
    if missing := _MISSING.search(words):
        return _missing_python(results, cluster, name, (missing[1], missing[2]), home)
    if version is None:
        message = f"`{name}` {'does not start: ' + words if path else 'is missing'}"[:200]
        return message, setup_again(results, cluster)
    if f"{version[1]}.".startswith(f"{wanted}."):
        return None
    message = f"`{name}` is {version[1]} ({path}) instead of {wanted}"
    folder = path.rpartition("/")[0]
    before = home.value("path-login").split(":")
    ours = [before.index(one) for one in expected(home) if one in before]
    if ours and folder in before and before.index(folder) < min(ours):  # a module, or what an installer has written
        show = on_cluster(cluster, "grep -nE 'module|conda|PATH' .bashrc .bash_profile .bash_login .profile .zshrc")
        return f"{message}: a start-up file puts {folder} first", with_note(show, "shows such lines")
    return message, setup_again(results, cluster)


_MISSING = re.compile(r"version [`'](\S+?)['`] is not installed \(set by (.+?)\)")
"""pyenv's message where it should use a Python that it does not have."""


def _missing_python(
    results: CheckResults, cluster: "Cluster", name: str, missing: tuple[str, str], home: HomeInspection
) -> tuple[str, str]:
    """Return why pyenv's python does not start, and the fix: the line or file that names another version."""
    version, by = missing
    install = f"or install it: pyenv install {version}"
    if "environment variable" not in by:
        message = f"`{name}` does not start in your home: {by} selects {version}, which pyenv does not have"
        if by.endswith("/version"):  # pyenv's own, which `setup` writes
            return message, setup_again(results, cluster)
        return message, with_note(on_cluster(cluster, f"mv {shlex.quote(by)} {shlex.quote(by)}.old"), install)
    place = environment_checks.places(home).get("PYENV_VERSION", "")
    where = f" ({place})" if place else ""
    message = f"`{name}` does not start: PYENV_VERSION{where} is {version}, which pyenv does not have"
    if not place:
        return message, with_note(login(cluster), f"log in, and find what sets it, {install}")
    file, _, line = place.partition(", line ")
    return message, with_note(on_cluster(cluster, f"sed -i.old '{line}s/^/# /' {file}"), install)


def _r(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    modules = (cluster.data.get("cluster_modules") or {}).get("r") or []
    profile_version = str(cluster.data.get("cluster_system_r") or "")
    if not modules and not profile_version:
        results.ok("r", "the cluster has none")
        return
    if modules and results.is_bad("modules"):
        results.skip("r", "fix the module command first")
        return
    path, _, words = home.value("r").partition(" ")
    version = re.search(r"version (\d+\.\d+\.\d+)", words)
    if version and path:
        results.ok(
            "r",
            f"{version[1]} ({path})"
            + (f" (profile: {profile_version})" if profile_version and profile_version != version[1] else ""),
        )
        return
    what = f"with module {modules[0]}, Rscript does not start" if modules else "Rscript does not start"
    show = (
        f'bash -lc "module {cluster.data.get("cluster_module_verb") or "load"} {modules[0]}; R --version"'
        if modules
        else "R --version"
    )
    results.fault(
        "r",
        f"{what}{': ' + words if words.strip() else ''}"[:200],
        f"{on_cluster(cluster, show)}   # shows the error; {whom_to_ask(cluster)}",
    )


def internet(results: CheckResults, cluster: "Cluster", where: str, answer: str) -> None:
    """Check whether the internet can be reached, against the profile: a `no` is a warning only where it says yes."""
    name = f"internet-{where}"
    promised = str((cluster.data.get("cluster_internet") or {}).get(where) or "unknown")
    word, _, why = answer.partition(" ")
    if not inspection.address(cluster):
        results.skip(name, "the package index is not on the internet")
    elif word == "yes":
        results.ok(name, "available" + (" (profile: no)" if promised == "no" else ""))
    elif word == "no" and promised in {"yes", "http"}:
        nodes = "the login node" if where == "login" else "compute nodes"
        results.warn(
            name,
            f"{nodes} can't download {inspection.address(cluster)}: {why}",
            f"try again later, or set cluster_mirrors in your inventory; {whom_to_ask(cluster)}",
        )
    elif word == "no":
        results.ok(name, f"none, as the profile says: {why}")
    else:
        results.skip(name, "no answer")


def clock(results: CheckResults, skew: float) -> None:
    """Check the two clocks: a difference makes builds, tokens and `make` go wrong."""
    if abs(skew) <= SKEW:
        results.ok("clock", "they agree")
        return
    size = f"{abs(skew):.0f} s" if abs(skew) < 600 else f"{abs(skew) / 60:.0f} minutes"
    message = f"the cluster's clock is {size} {'ahead of' if skew > 0 else 'behind'} this computer's"
    fix = "timedatectl set-ntp true   # sets this computer's clock; on a Mac: sudo sntp -sS time.apple.com"
    results.warn("clock", message, fix)


def unreachable(results: CheckResults, cluster: "Cluster", error: SshError) -> None:
    """Note that the connection is open, and why a command does not run: start-up files, account, or network."""
    message = error.message.removeprefix(f"{cluster.name}: ").rstrip(".")
    if error.reason == "startup" and _NOBODY.search(error.message):
        results.replace_with_fault(
            "account", message, f"{whom_to_ask(cluster)}: is the account of {cluster.user} active?"
        )
        results.skip_rest("fix your account first")
    elif error.reason in {startup_files.TAKES_INPUT, startup_files.HANGS}:
        results.fault("startup", message, error.hint or setup(cluster))
        results.skip_rest("fix your start-up files first")
    elif error.reason == startup_files.ENDS:
        reason = message.partition("(")[2].rstrip(")")
        results.fault("startup", f"they end the shell before a command can run ({reason})", _opening(cluster))
        results.skip_rest("fix your start-up files first")
    else:
        results.replace_with_fault("connection", message, error.hint or "run the command again")
        results.skip_rest("fix the connection first")


_NOBODY = re.compile(r"not available|nologin|expired|disabled|locked", re.IGNORECASE)


def _opening(cluster: "Cluster") -> str:
    """Return how a user gets to the start-up files of a home that lets no command through."""
    if not runs.last(cluster):
        return with_note(setup(cluster), "adds lines at their top so that ssh commands work")
    return with_note(
        login(cluster),
        f"log in, and replace `exit` in ~/.bashrc by `return`. The login ends, too? {whom_to_ask(cluster)}",
    )


def silent(results: CheckResults, cluster: "Cluster", error: RookeryError) -> None:
    """Note that there was no answer in time."""
    message = f"{error.message.removeprefix(f'{cluster.name}: ').rstrip('.')}: a command hangs"
    fix = f"{on_cluster(cluster, 'true')}   # does that hang, too? Then check ~/.bashrc, or {whom_to_ask(cluster)}"
    name = "startup" if not results.has("startup") else "job"
    results.fault(name, message, fix)
    results.skip_rest(f"fix {checks.CLUSTER[name]} first")
