"""Find the files that `lint` checks: those that a user names, or the job scripts of a folder."""

import glob
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rookery.core.errors import RookeryError
from rookery.jobs.lint.checks import form
from rookery.jobs.lint.checks.form import SUFFIXES

_PASSED_OVER = {"node_modules", "__pycache__", "venv", "env", "renv", "site-packages"}
_BEGINNING = 65536
"""Bytes of a file in which an #SBATCH line is looked for."""
_MOST = 8 * 1024 * 1024
"""Most of a file that is read; Slurm takes 4 MB."""
_ASKS = re.compile(rb"(?m)^#(?:SBATCH\b|(?:PBS|BSUB|\$)[ \t]+-)")
_FOREIGN = re.compile(rb"(?m)^#(?:PBS|BSUB|\$)[ \t]*-")
_LONGEST, _LONGEST_NAME = 4095, 255
"""Most bytes of a path, and of a name in it (Linux: PATH_MAX, NAME_MAX)."""
_SHOWN = 60
"""Characters of a path that is not there which messages show."""


def named(words: Sequence[str]) -> list[tuple[Path, bool]]:
    """Return the files that a user named, each once, and whether it was named itself rather than found in a folder.

    Args:
        words: Files, folders and patterns (`*.sh`); a word may also hold several, with commas or blanks between them.
            A file of that very name goes before.

    Raises:
        RookeryError: One of them is not there.
    """
    if any(not word.strip(" ,") for word in words):
        raise RookeryError("The name of a file is empty: is a variable not set?", hint="invoke lint job.sh")
    files: dict[Path, bool] = {}
    for path in (path for word in words for part in _parts(word) for path in _paths(part)):
        inside = [file for file, _ in within(path)] if path.is_dir() else [path]
        for file in inside:
            files[file] = files.get(file, False) or not path.is_dir()
    return list(files.items())


def _parts(text: str) -> Iterator[str]:
    """Yield the parts between commas and blanks, longest first where a file's own name holds one."""
    rest = text.strip(" ,")
    while rest:
        ends = [match.start() for match in re.finditer(r"[ ,]+", rest[: _LONGEST + 1])]
        cuts = [len(rest), *reversed(ends)]
        length = next((cut for cut in cuts if _may_exist(rest[:cut]) and _paths(rest[:cut], missing_ok=True)), 0)
        if not length:  # a name that was meant as one is reported as one
            length = rest.index(",") if "," in rest else len(rest)
        yield rest[:length]
        rest = rest[length:].strip(" ,")


def _may_exist(part: str) -> bool:
    """Return whether a path is no longer than paths can be; a list of files mostly is, and no disk need be asked."""
    if len(part) <= _LONGEST_NAME:
        return True
    return len(part) <= _LONGEST and all(len(name) <= _LONGEST_NAME for name in part.split("/"))


def _paths(part: str, *, missing_ok: bool = False) -> list[Path]:
    path = Path(part).expanduser() if part.startswith("~/") else Path(part)
    try:
        if os.path.exists(path):  # noqa: PTH110 Path.exists fails for a name that is too long
            return [path]
        matches = sorted(_matching(path)) if glob.has_magic(part) else []
    except (OSError, ValueError) as error:
        raise RookeryError(f"{_short(part)!r} is not a valid path: {error}.") from error
    if not matches and not missing_ok:
        raise RookeryError(f"Can't find {_short(part)}.", hint=f"ls {shlex.quote(str(_there(path)))}")
    return matches


def _short(part: str) -> str:
    return part if len(part) <= _SHOWN else f"{part[:_SHOWN]}…"


def _there(path: Path) -> Path:
    """Return the nearest folder of a path that exists."""
    return next((folder for folder in path.parents if os.path.isdir(folder)), Path())  # noqa: PTH112


def _matching(pattern: Path) -> Iterator[Path]:
    """Return the files that a pattern fits."""
    base = Path(pattern.anchor)
    return base.glob(str(pattern.relative_to(base)))


def within(folder: Path) -> list[tuple[Path, bool]]:
    """Return the job scripts below a folder.

    By their suffix, or by a line for Slurm, PBS, SGE or LSF in a file with a shebang; sorted.
    """
    scripts = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _PASSED_OVER)
        scripts += [(Path(parent) / name, False) for name in sorted(files) if _is_script(Path(parent) / name)]
    return scripts


def _is_script(file: Path) -> bool:
    if file.name.startswith(".") or not file.is_file():
        return False
    if file.suffix in SUFFIXES:
        return True
    begin = _beginning(file)
    return begin.removeprefix(b"\xef\xbb\xbf").startswith(b"#!") and bool(_ASKS.search(begin))


def _beginning(file: Path) -> bytes:
    """Return the beginning of a file; nothing where it can't be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(_BEGINNING)
    except OSError:
        return b""


def translation_of(file: Path) -> Path:
    """Return the file that the translation of a script for another scheduler is written to."""
    return file.with_suffix(".slurm" if file.suffix != ".slurm" else ".sbatch")


def is_translated(file: Path) -> bool:
    """Return whether a script is for PBS, SGE or LSF, with its translation beside it: that one is submitted."""
    if not translation_of(file).is_file():
        return False
    begin = _beginning(file)
    return bool(_FOREIGN.search(begin)) and b"#SBATCH" not in begin


def is_other(file: Path) -> bool:
    """Return whether a file is plainly no job script: neither its ending nor its beginning says that it is one."""
    begin = _beginning(file).decode("utf-8", "surrogateescape") if file.is_file() else ""
    return bool(begin) and not form.is_job_script(begin, str(file))


def text_of(file: Path) -> str:
    """Return a file's text, every byte of it kept: bytes that are not UTF-8 are written back unchanged.

    Raises:
        RookeryError: It can't be read.
    """
    try:
        if not file.is_file():
            raise RookeryError(f"{file} is not a regular file.")
        with file.open("rb") as stream:
            return stream.read(_MOST).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise RookeryError(f"Can't read {file}: {error.strerror}.") from error
