"""Random homes and storages, as lists of parts: a case is made smaller by leaving parts out."""

from __future__ import annotations

import os
import random
import shutil
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

USER, GROUP, PROJECT, OTHER, FOREIGN = 65534, 65534, 4711, 4712, 4713
"""The account whose home it is, its groups, and another account; only root can make files of others."""

MOVED = (".cache", ".conda", ".mamba", ".code")
"""Folders of the home that setup moves to the storage."""

EDITED = (
    *(".bashrc", ".profile", ".zshenv", ".cshrc", ".Rprofile", ".tmux.conf"),
    *("start-pyenv", "settings.json", "tool", ".code/s.json", ".code/data/x"),
)
"""Files of the home that setup writes to."""

Attributes = tuple[tuple[str, bytes], ...]
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Part:
    """One file, folder or link.

    Attributes:
        path: Below the top folder: `home/…`, `storage/…`, or `outside/…`, which is neither.
        kind: folder, file, link, name (another name of a file), fifo or socket.
        content: Of a file; where a link leads (`@` is the top folder); the file that a name is of.
        mode: Permission bits.
        mtime: Time of change, in nanoseconds.
        foreign: Whether it belongs to another account.
        group: Its group.
        hole: Bytes of a hole before the content.
        attributes: Extended attributes.
    """

    path: str
    kind: str
    content: bytes = b""
    mode: int = 0o755
    mtime: int = 1_600_000_000_123_456_789
    foreign: bool = False
    group: int = GROUP
    hole: int = 0
    attributes: Attributes = ()


class Generator:
    """What makes the parts of one home.

    Args:
        rng: Where its choices come from.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.parts: list[Part] = []
        self.strange = rng.random()  # most homes have little that can't be moved, a few have a lot
        self.is_project = rng.random() < 0.2

    def home(self) -> list[Part]:
        """Home, storage, and a folder outside both."""
        self._roots()
        for name in MOVED:
            self._movable(f"home/{name}", name)
            if self._chance(0.4):
                self._movable(f"storage/{name}", name)
        if self._chance(0.15):
            self._tree(self._pick("storage/rookery", "storage/rookery/home", "storage/rookery/home/.cache"))
        elif self._chance(0.05):
            self._file("storage/rookery")
        for name in EDITED[:6]:
            self._start_up_file(name)
        self._other_targets()
        for _ in range(self.rng.randrange(3)):
            self._node(f"{self._pick('home', 'storage')}/{self._name()}", depth=2)
        return self.parts

    def _roots(self) -> None:
        foreign = self._chance(0.02)
        self._add("home", "folder", mode=self._pick(0o755, 0o700, 0o711, 0o750, 0o2755), foreign=foreign)
        if self._chance(0.02):
            self._add("home", "folder", mode=0o555)
        group, mode = (PROJECT, 0o2770) if self.is_project else (GROUP, self._pick(0o755, 0o700))
        self._add("storage", "folder", mode=mode, group=group)
        self._file("outside/data")

    def _movable(self, path: str, name: str) -> None:
        shape = self._pick("tree", "tree", "tree", "tree", "nothing", "nothing", "empty", "link", "file")
        if shape == "tree":
            self._tree(path)
        elif shape == "empty":
            self._add(path, "folder", mode=self._mode(folder=True))
        elif shape == "file":
            self._file(path)
        elif shape == "link":
            places = (f"@/storage/{name}", f"@/storage/rookery/home/{name}", "@/home/elsewhere", "/nowhere", name)
            self._add(path, "link", self._pick(*places, "@/outside", "elsewhere", "../outside/data").encode())
            if self._chance(0.5):
                self._tree("home/elsewhere")

    def _start_up_file(self, name: str) -> None:
        if self._chance(0.4):
            return
        path = f"home/{name}"
        lines = [b"alias x=y", b"# \xff\xfe", b"case $- in *i*) ;; *) return ;; esac", b"export A='b", b"", b"exit 0"]
        text = self._pick(b"\n", b"\n", b"\r\n").join(self.rng.sample(lines, self.rng.randrange(1, 5)))
        text = self._pick(b"", b"", b"", b"\xef\xbb\xbf") + text + self._pick(b"", b"\n", b"\n")
        if self._chance(0.03):
            self._add(path, "folder")
        elif self._chance(0.2):
            inner = self._pick("home/dotfiles/", "home/dotfiles/", "storage/dotfiles/", "outside/") + name[1:]
            self._file(inner, text)
            self._add(path, "link", self._pick(f"@/{inner}", f"../{inner}").encode())
        elif self._chance(0.03):
            self._add(path, "link", self._pick(b"/nowhere/at/all", b"not-there-yet", name.encode()))
        else:
            self._file(path, text)
            if self._chance(0.1):
                self._add(f"home/{name}-other", "name", path.encode())

    def _other_targets(self) -> None:
        texts = {
            "start-pyenv": (b"mine \xff", b""),
            "settings.json": (
                b'{"mine": {"kept": 1}, "empty": {}}',
                b"// comment\n{}",
                b"",
                b"[]",
                b'{\r\n\t"a": 1}\r\n',
            ),
            "tool": (b"x",),
        }
        for name, choices in texts.items():
            if self._chance(0.5):
                self._file(f"home/{name}", self._pick(*choices))
        if self._chance(0.3):
            self._add("home/tool", "link", self._pick(b"/old/tool", b"\xff", b"/new/tool", b"tool"))
        for name in ("open", "made", "lib", "lib/R", ".config", ".config/rookery", ".local", ".local/state"):
            if self._chance(0.25):
                self._add(f"home/{name}", "folder", mode=self._pick(0o755, 0o700, 0o775, 0o2755))
                if self._chance(0.4):
                    self._file(f"home/{name}/{self._name()}")
        if self._chance(0.05):
            self._add("home/.config", "link", b"@/storage/config")
            self._add("storage/config", "folder")

    def _tree(self, path: str, depth: int = 0) -> None:
        self._add(path, "folder", mode=self._mode(folder=True))
        for _ in range(self.rng.choice((0, 1, 2, 2, 3, 4, 5)) if depth < 5 else 0):
            self._node(f"{path}/{self._name()}", depth + 1)

    def _node(self, path: str, depth: int) -> None:
        kind = self._pick(
            "file", "file", "file", "file", "folder", "folder", "folder", "link", "name", "fifo", "socket"
        )
        files = [part.path for part in self.parts if part.kind == "file" and part.path.startswith(path[:6])]
        if kind == "folder":
            self._tree(path, depth)
        elif kind == "link":
            names = (
                "a",
                "../b",
                "..",
                ".",
                "/nowhere",
                "@/outside",
                "@/home",
                "@/storage/.cache",
                Path(path).name,
            )
            self._add(path, "link", self._pick(*(os.fsencode(name) for name in names), b"\xff\n"))
        elif kind == "name" and files:
            self._add(path, "name", os.fsencode(self._pick(*files)))
        elif kind in ("fifo", "socket"):
            self._add(path, kind, mode=self._mode(folder=False))
        else:
            self._file(path)

    def _file(self, path: str, content: bytes | None = None) -> None:
        if content is None:
            content = self._pick(b"", b"same", self.rng.randbytes(self.rng.randrange(200)))
        hole = self._pick(*(0,) * 20, 1 << 16, 1 << 20) if content[:1] not in (b"{", b"/") else 0
        self._add(path, "file", content, mode=self._mode(folder=False), hole=hole)

    def _add(self, path: str, kind: str, content: bytes = b"", **fields: int) -> None:
        if self.strange > 0.85 and "/" in path and self._chance(0.05):
            fields["foreign"] = True
        if self._chance(0.1):
            fields["group"] = OTHER
        attributes = self._attributes(kind) if self._chance(0.1) else ()
        part = Part(path, kind, content, mtime=self._time(), attributes=attributes, **fields)
        self.parts = [other for other in self.parts if other.path != path] + [part]

    def _attributes(self, kind: str) -> Attributes:
        if kind not in ("file", "folder"):
            return ()
        plain = (("user.origin", self.rng.randbytes(9)),)
        return self._pick(plain, (("system.posix_acl_access", access_list(self.rng.randrange(8))),))

    def _mode(self, *, folder: bool) -> int:
        usual = (0o755, 0o700, 0o500, 0o555, 0o2755, 0o1777) if folder else (0o644, 0o600, 0o444, 0o400, 0o755, 0o666)
        odd = (0o000, 0o100, 0o300) if folder else (0o000, 0o4755, 0o2644, 0o1600, 0o200)
        return self._pick(*odd) if self._chance(0.15 if self.strange > 0.7 else 0.003) else self._pick(*usual)

    def _time(self) -> int:
        long_ago, future = self.rng.randrange(2**60), 4_102_444_800_000_000_000 + self.rng.randrange(2**50)
        return self._pick(0, long_ago, long_ago, 1_700_000_000_000_000_000, 1_600_000_000_999_999_999, future)

    def _name(self) -> str:
        plain = (
            "a",
            "b",
            "inner",
            ".hidden",
            "-rf",
            "--",
            "two words",
            "é",
            "*",
            "$(x)",
            "`x`",
            "'",
            '"',
            "\\",
            "~",
            "#",
        )
        odd = (b"\xff\xfe", b"new\nline", b"\x1b[2J", b"\r", b"-\xe9", b"x" * 255, b"\xff" * 200, b" ", b"...")
        if self._chance(0.6):
            return self._pick(*plain)
        if self._chance(0.7):
            return os.fsdecode(self._pick(*odd))
        random_bytes = self.rng.randbytes(self.rng.randrange(1, 9)).replace(b"/", b"-").replace(b"\0", b"0")
        return os.fsdecode(random_bytes if random_bytes not in (b".", b"..") else b"dots")

    def _pick(self, *choices: Choice) -> Choice:
        return self.rng.choice(choices)

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share


def access_list(permissions: int) -> bytes:
    """An access control list that gives another account these permissions, as the kernel keeps it."""
    none = 0xFFFFFFFF
    entries = ((1, 7, none), (2, permissions, FOREIGN), (4, 5, none), (16, 7, none), (32, 0, none))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def build(parts: list[Part], top: Path) -> None:
    """Make the parts; what can't be made here (files of others without root's rights, say) is left as it can be."""
    for root in ("home", "storage", "outside"):
        (top / root).mkdir(parents=True)
    for part in parts:
        _make(part, top)
    for path in [*top.rglob("*")] if os.getuid() == 0 else []:
        os.chown(path, USER, GROUP, follow_symlinks=False)
    made = [part for part in parts if _is_there(part, top)]
    for part in made:
        _give_owner(part, top / part.path)
    for path, part in sorted(((top / part.path, part) for part in made), key=lambda pair: str(pair[0]), reverse=True):
        _give_status(part, path)


def _make(part: Part, top: Path) -> None:
    path = top / part.path
    if any(os.path.lexists(above) and not above.is_dir() for above in _above(path, top)) or path.is_symlink():
        return
    if part.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() or path.parent.resolve() != path.parent:
        return
    if part.kind == "file":
        with path.open("wb") as stream:
            stream.seek(part.hole)
            stream.write(part.content)
            stream.truncate()
    elif part.kind == "link":
        path.symlink_to(os.fsdecode(part.content.replace(b"@", os.fsencode(top))))
    elif part.kind == "name":
        other = top / os.fsdecode(part.content)
        if other.is_file() and not other.is_symlink():
            path.hardlink_to(other)
    else:
        os.mknod(path, (stat.S_IFIFO if part.kind == "fifo" else stat.S_IFSOCK) | 0o600)


def _above(path: Path, top: Path) -> Iterator[Path]:
    yield from (above for above in path.parents if top in above.parents)


def _is_there(part: Part, top: Path) -> bool:
    path = top / part.path
    kinds = {"folder": Path.is_dir, "file": Path.is_file, "link": Path.is_symlink, "fifo": Path.is_fifo}
    return os.path.lexists(path) and kinds.get(part.kind, Path.exists)(path)


def _give_owner(part: Part, path: Path) -> None:
    if os.getuid() == 0 and part.kind != "name":
        os.chown(path, FOREIGN if part.foreign else USER, part.group, follow_symlinks=False)


def _give_status(part: Part, path: Path) -> None:
    if part.kind == "name":
        return
    if part.kind != "link":
        path.chmod(part.mode | 0o200)
        for name, value in part.attributes:
            os.setxattr(path, name, value)
        if not any(name.startswith("system.") for name, _ in part.attributes):
            path.chmod(part.mode)
    os.utime(path, ns=(part.mtime, part.mtime), follow_symlinks=False)


def clear(top: Path) -> None:
    """Remove it all."""
    if os.getuid() != 0:
        for folder, _, _ in os.walk(top):
            Path(folder).chmod(0o700)
    shutil.rmtree(top, ignore_errors=True)
