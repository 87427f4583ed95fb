"""Find the editors of VS Code's kind on this computer: their settings files, and the commands that open them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SETTINGS = Path("User") / "settings.json"
_WINDOWS = "ROOKERY_WINDOWS_APPDATA"
"""Names the folder AppData/Roaming of Windows, as WSL sees it, where rookery does not find it."""


@dataclass(frozen=True)
class Editor:
    """A kind of editor.

    Attributes:
        command: What opens it.
        title: Its usual name.
        folder: Where it keeps its settings, below the folder that the system has for that.
        flatpak: Its name as a Flatpak.
        remote: The extension that connects to clusters.
    """

    command: str
    title: str
    folder: str
    flatpak: str
    remote: str = "ms-vscode-remote.remote-ssh"


EDITORS = (
    Editor("code", "VS Code", "Code", "com.visualstudio.code"),
    Editor("code-insiders", "VS Code Insiders", "Code - Insiders", "com.visualstudio.code.insiders"),
    # Microsoft's extension is for Microsoft's editors alone
    Editor("codium", "VSCodium", "VSCodium", "com.vscodium.codium", remote="jeanp413.open-remote-ssh"),
)


@dataclass(frozen=True)
class Place:
    """The settings file of an editor on this computer.

    Attributes:
        editor: The editor.
        path: The file, which need not be there.
        on_windows: Whether it is Windows' side of a computer with WSL, where paths of this side mean nothing.
    """

    editor: Editor
    path: Path
    on_windows: bool = False

    @property
    def title(self) -> str:
        """Its usual name."""
        return f"{self.editor.title} on Windows" if self.on_windows else self.editor.title


def places() -> list[Place]:
    """Return the settings files of each editor here: it has run before, or its command is found."""
    return [*_here(), *_windows()]


def find(command: str = "") -> Editor | None:
    """Return the editor of a command, or the first whose command is found; None where there is none.

    Args:
        command: code, code-insiders or codium; "" for whichever is there.
    """
    known = [editor for editor in EDITORS if command in {"", editor.command}]
    return next((editor for editor in known if program(editor)), None)


def program(editor: Editor) -> str:
    """Return the path of an editor's command; "" where it is not there."""
    path = shutil.which(editor.command)
    if not path and sys.platform == "darwin":
        # where "Install 'code' command in PATH" was never asked for
        name = {"code": "Visual Studio Code", "code-insiders": "Visual Studio Code - Insiders", "codium": "VSCodium"}
        bundled = f"/Applications/{name[editor.command]}.app/Contents/Resources/app/bin/{editor.command}"
        path = shutil.which(bundled)
    return path or ""


def _here() -> Iterator[Place]:
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        config_home = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(config_home) if config_home.startswith("/") else Path.home() / ".config"
    windows = _is_wsl()
    for editor in EDITORS:
        folder = base / editor.folder
        # in WSL the command is that of Windows, whose settings are there
        if folder.is_dir() or (not windows and program(editor)):
            yield Place(editor, folder / _SETTINGS)
        boxed = Path.home() / ".var" / "app" / editor.flatpak / "config" / editor.folder
        if boxed.is_dir():
            yield Place(editor, boxed / _SETTINGS)


def _windows() -> Iterator[Place]:
    base = _appdata()
    for editor in EDITORS if base else ():
        if base and (base / editor.folder).is_dir():
            yield Place(editor, base / editor.folder / _SETTINGS, on_windows=True)


def _is_wsl() -> bool:
    return bool(os.environ.get("WSL_DISTRO_NAME") or os.environ.get(_WINDOWS))


def _appdata(users: Path = Path("/mnt/c/Users")) -> Path | None:
    """Return the user's AppData/Roaming on Windows' side; None without one.

    Windows is asked; where it may not be (interop can be switched off), the one folder that there is will do.
    """
    if folder := os.environ.get(_WINDOWS):
        return Path(folder)
    if not _is_wsl():
        return None
    if shutil.which("cmd.exe"):
        ask = ["cmd.exe", "/d", "/c", "echo %APPDATA%"]
        try:
            completed = subprocess.run(
                ask, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False, cwd=users.parent
            )
        except (OSError, subprocess.TimeoutExpired):
            completed = None
        output = completed.stdout.decode(errors="replace").strip() if completed else ""
        if match := re.fullmatch(r"([A-Za-z]):\\(.+)", output):
            return Path("/mnt", match[1].lower(), *match[2].split("\\"))
    folders = [path for path in users.glob("*/AppData/Roaming") if os.access(path, os.W_OK)]
    return folders[0] if len(folders) == 1 else None
