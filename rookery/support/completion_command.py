"""The commands `completion`: have a shell complete rookery's commands at Tab."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rookery.core import atomic_files, console, paths
from rookery.core.errors import RookeryError
from rookery.support.options import CompletionInstallOptions, CompletionRemoveOptions, CompletionShowOptions

SHELLS = ("bash", "zsh", "fish")
BEGIN, END = "# >>> rookery completion >>>", "# <<< rookery completion <<<"


@dataclass(frozen=True)
class FunctionPlace:
    """Where a shell's function goes.

    Attributes:
        file: The function's file, which is rookery's alone.
        start_up: The start-up file that reads it; None where the shell finds it by itself.
    """

    file: Path
    start_up: Path | None = None


def show(options: CompletionShowOptions) -> int:
    """Print a shell's function."""
    print(_function(_shell(options.shell)), end="")
    return 0


def install(options: CompletionInstallOptions) -> int:
    """Write the function, and have the shell read it.

    Raises:
        RookeryError: The shell is not known, or is none of those that complete.
    """
    shell = _shell(options.shell)
    place = _place(shell)
    new = {place.file: _function(shell)}
    if place.start_up:
        before = _text(place.start_up)
        new[place.start_up] = before if BEGIN in before else f"{before}{_separator(before)}{_block(place.file)}"
    changed = [path for path, text in new.items() if _text(path) != text]
    for path in changed:
        if not options.check:
            _write(path, new[path])
        if path == place.file:
            console.say(f"{'Would write' if options.check else 'Wrote'} {paths.shown(path)}")
        else:
            count = len(_block(place.file).splitlines())
            console.say(f"{'Would add' if options.check else 'Added'} {count} lines to {paths.shown(path)}")
    if not changed:
        console.say(f"Completion for {shell} is up to date.")
    elif not options.check:
        console.say(f"  next: exec {shell}   # or open a new terminal")
    return 0


def remove(options: CompletionRemoveOptions) -> int:
    """Take away what `install` wrote, for every shell."""
    done = False
    for place in map(_place, SHELLS):
        for path, text in _without(place):
            done = True
            if not options.check:
                _write(path, text) if text is not None else path.unlink()
            if text is None:
                console.say(f"{'Would delete' if options.check else 'Deleted'} {paths.shown(path)}")
            else:
                console.say(f"{'Would remove' if options.check else 'Removed'} its lines from {paths.shown(path)}")
    if not done:
        console.say("Completion is not installed.")
    return 0


def _without(place: FunctionPlace) -> Iterator[tuple[Path, str | None]]:
    """Yield the files that are to change, with their new text; None for one that goes."""
    if place.file.is_file() and "rookery --complete" in _text(place.file):
        yield place.file, None
    if place.start_up and BEGIN in (text := _text(place.start_up)):
        before, _, rest = text.partition(BEGIN)
        yield place.start_up, (before[:-1] if before.endswith("\n\n") else before) + rest.partition(END)[2][1:]


def _shell(name: str) -> str:
    """Return the shell that is meant: the user's own where none is named.

    Raises:
        RookeryError: It is none of SHELLS.
    """
    shell = name or Path(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        raise RookeryError(
            f"{f'Unknown shell {shell!r}' if shell else 'Missing argument SHELL'}. Shells: {', '.join(SHELLS)}.",
            hint="invoke completion.install bash",
        )
    return shell


def _place(shell: str) -> FunctionPlace:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    if shell == "fish":
        return FunctionPlace(paths.config_dir().parent / "fish/completions/rookery.fish")
    if shell == "zsh":
        return FunctionPlace(
            data / "rookery/completion/rookery.zsh", Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
        )
    return FunctionPlace(data / "rookery/completion/rookery.bash", Path.home() / ".bashrc")


def _function(shell: str) -> str:
    return (paths.root() / "templates/completion" / f"rookery.{shell}").read_text(encoding="utf-8")


def _block(file: Path) -> str:
    return f"{BEGIN}\n[ ! -r {paths.typed(file)} ] || . {paths.typed(file)}\n{END}\n"


def _separator(before: str) -> str:
    return "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""


def _write(path: Path, text: str) -> None:
    """Replace a file in one step; a link to it, as of dotfiles kept elsewhere, stays a link."""
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    mode = real.stat().st_mode & 0o7777 if real.exists() else 0o644
    atomic_files.write(real, text.encode("utf-8", "surrogateescape"), mode=mode)
