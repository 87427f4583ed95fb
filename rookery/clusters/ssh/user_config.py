"""Make `ssh penguins` work for the user: entries that their own ~/.ssh/config includes, by one line at its top.

They are in a file of rookery's own, ssh_hosts, so that ~/.ssh/config is changed once. It holds Host entries alone:
rookery's ssh_config includes the user's, and would include itself.
"""

import fnmatch
import glob
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import config_file, config_syntax
from rookery.core import atomic_files, locking, paths
from rookery.core.errors import RookeryError

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_HEAD = "# Written by rookery, which overwrites changes: your own settings belong in ~/.ssh/config.\n"
_MARK = "# rookery: "
_NOTE = "# rookery: ssh to your clusters by name"
BLOCK_BEGINS, BLOCK_ENDS = "# >>> rookery: {}", "# <<< rookery: {}"
"""The lines around a cluster's block in ~/.ssh/config."""
_DEEPEST = 16
"""How deep ssh follows an Include (readconf.c, READCONF_MAX_DEPTH)."""


@dataclass(frozen=True)
class Change:
    """A planned change of ~/.ssh/config.

    Attributes:
        path: The file; where it is a link, what that leads to.
        before: Its text; "" where there is none.
        after: The text it is to have.
        exists: Whether it is there.
    """

    path: Path
    before: str
    after: str
    exists: bool

    def __bool__(self) -> bool:
        """Return whether anything is to change."""
        return self.after != self.before

    def diff(self) -> list[str]:
        """Return the lines that change, as `diff -u` shows them."""
        from difflib import unified_diff  # noqa: PLC0415 start-up

        before, after = self.before.splitlines(), self.after.splitlines()
        return list(unified_diff(before, after, str(self.path), f"{self.path}, then", n=1, lineterm=""))


def file() -> Path:
    """Return the file with the Host entries."""
    return paths.config_dir() / "ssh_hosts"


def own_config() -> Path:
    """Return the user's own ssh configuration."""
    return Path.home() / ".ssh" / "config"


def line() -> str:
    """Return the line that includes the entries."""
    return config_syntax.include(file())


def owner(name: str) -> str:
    """Return the file and line where the user's own configuration has a Host entry of exactly this name; "" for none.

    Args:
        name: What would be typed behind ssh.
    """
    return next((where for host, where in _hosts(own_config(), 0) if host == name), "")


def has_entry(name: str) -> bool:
    """Return whether the user's own configuration has a Host entry that a name fits, other than for every host.

    Args:
        name: What would be typed behind ssh.
    """
    patterns = (pattern for pattern, _ in _hosts(own_config(), 0) if not pattern.startswith("!") and pattern != "*")
    return any(fnmatch.fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def taken(name: str) -> str:
    """Return why a name can't be the one that `ssh` knows a cluster by; "" where it can.

    Args:
        name: The name. What ssh knows a job there by goes with it.
    """
    if not config_syntax.is_name(name):
        return f"{name!r} can't be a name for ssh: use only letters, digits, - _ and ."
    for alias in (name, f"{name}-job"):
        if where := owner(alias):
            return f"`Host {alias}` is your own entry ({where}), and is kept"
    return ""


def works(alias: str, cluster: "Cluster") -> bool:
    """Return whether ssh itself, with the user's configuration, finds the cluster by its name here."""
    completed = subprocess.run(
        ["ssh", "-G", "-F", str(own_config()), alias], capture_output=True, text=True, errors="replace", check=False
    )
    values = dict(line.split(" ", 1) for line in completed.stdout.splitlines() if " " in line)
    return (values.get("hostname"), values.get("user")) == (cluster.host.lower(), cluster.user)


def aliases() -> dict[str, str]:
    """Return by cluster the name that `ssh` knows it by here."""
    path = file()
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return dict(re.findall(rf"^{_MARK}(\S+)\nHost (\S+)$", text, re.MULTILINE))


def write(cluster: "Cluster", alias: str) -> bool:
    """Add a cluster's entry, or bring it up to date; the others stay.

    Args:
        cluster: The cluster.
        alias: The name that it gets for `ssh`.

    Returns:
        Whether anything changed.
    """
    entry = config_file.entry(cluster, alias, checking=True)
    return _update({cluster.name: f"{_MARK}{cluster.name}\n{entry}"}, without="")


def refresh(cluster: "Cluster") -> None:
    """Bring a cluster's entry up to date where there is one."""
    if not cluster.sandbox and (alias := aliases().get(cluster.name)):
        write(cluster, alias)


def forget(cluster: "Cluster") -> None:
    """Remove a cluster's entry and its block; without any entry left, the line in ~/.ssh/config goes too."""
    _update({}, without=cluster.name)
    path = own_config()
    if not path.is_file():
        return
    text = _read(path)
    rest = without_block(text, cluster.name)
    if not file().exists():
        own = re.compile(rf"(?:{re.escape(_NOTE)}\r?\n)?{re.escape(line())}\r?\n(?:\r?\n)?")
        rest = own.sub("", rest, count=1)
    if rest == text:
        return
    target = path.resolve()
    if not rest and not list(target.parent.glob(f"{target.name}{atomic_files.KEPT}*")):  # there was none before
        target.unlink()
    else:
        atomic_files.write(target, rest.encode(errors="surrogateescape"), mode=target.stat().st_mode & 0o7777)


def without_block(text: str, name: str) -> str:
    """Return the text of ~/.ssh/config without a cluster's block (user_block.py)."""
    begins, ends = re.escape(BLOCK_BEGINS.format(name)), re.escape(BLOCK_ENDS.format(name))
    return re.sub(rf"^{begins}\r?\n(?:(?!{begins}).*\n)*?{ends}(?:\r?\n|\Z)", "", text, flags=re.MULTILINE)


def current() -> Change:
    """Return ~/.ssh/config as it is: a change that changes nothing."""
    path = own_config()
    exists = path.exists()
    text = _read(path) if exists else ""
    return Change(path.resolve() if exists else path, text, text, exists)


def planned() -> Change:
    """Return the change of ~/.ssh/config that is needed.

    The line at its top, since below a Host it would hold for that host alone.
    """
    now = current()
    before = now.before
    above = re.split(r"^\s*(?:host|match)\b", before, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)[0]
    if any(text.strip() == line() for text in above.splitlines()):
        return now
    end = "\r\n" if "\r\n" in before else "\n"
    after = end.join([_NOTE, line(), "", before] if before else [_NOTE, line(), ""])
    return Change(now.path, before, after, now.exists)


def carry_out(change: Change, *, hint: str = "") -> Path | None:
    """Write ~/.ssh/config in one step, with its mode; a copy of the old file is kept beside it.

    Args:
        change: The change.
        hint: What to do where it can't be written; by default, to add the line that includes the entries.

    Returns:
        The copy; None where there was no file.

    Raises:
        RookeryError: It can't be written; nothing is changed then.
    """
    kept = atomic_files.copy_name(change.path) if change.exists else None
    before, after = (text.encode(errors="surrogateescape") for text in (change.before, change.after))
    try:
        change.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_files.exchange(change.path, before if change.exists else None, after, mode=0o600, copy=kept)
    except atomic_files.ChangedError:
        message = f"{own_config()} was changed by another program at the same time; rookery did not change it."
        raise RookeryError(message, hint="run the same command again") from None
    except OSError as error:
        raise RookeryError(
            f"Can't write {own_config()}: {error.strerror or error}.",
            hint=hint or f"add this line at the top of the file: {line()}",
        ) from None
    return kept


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise RookeryError(f"Can't read {path}: {error.strerror}.", hint=f"ls -ld {shlex.quote(str(path))}") from None


def _update(entries: dict[str, str], *, without: str) -> bool:
    path = file()
    with locking.waited(paths.runtime_dir() / "ssh_hosts.lock"):
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        pairs = re.findall(rf"^({_MARK}(\S+)\n(?:(?!{_MARK}).*\n)*)", before, re.MULTILINE)
        kept = {name: text.rstrip("\n") + "\n" for text, name in pairs if name != without} | entries
        after = "\n".join([_HEAD, *(kept[name] for name in sorted(kept))]) if kept else ""
        if after == before:
            return False
        if after:
            atomic_files.write(path, after)
        else:
            path.unlink(missing_ok=True)
    return True


def _hosts(path: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the names behind each Host of a file and of those it includes, with their places.

    rookery's own file is left out.
    """
    if depth > _DEEPEST or path == file() or not path.is_file():
        return
    for number, text in enumerate(_read(path).splitlines(), 1):
        match = re.match(r"\s*(host|include)(?:\s*=\s*|\s+)(.+)", text, re.IGNORECASE)
        if not match:
            continue
        try:
            words = shlex.split(match[2], comments=True)
        except ValueError:  # a quote that is not closed, which ssh refuses too
            continue
        for word in words:
            if match[1].lower() == "host":
                yield word, f"{path}, line {number}"
            else:
                # a relative one is below ~/.ssh (ssh_config(5), Include)
                pattern = str(Path.home() / ".ssh" / Path(word).expanduser())
                for included in sorted(glob.glob(pattern)):  # noqa: PTH207 an absolute pattern, which Path.glob takes none of
                    yield from _hosts(Path(included), depth + 1)
