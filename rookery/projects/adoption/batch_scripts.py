"""Find job scripts in a folder, and what in them is different where rookery submits them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from rookery.projects.adoption.facts import BatchScript
from rookery.projects.adoption.folder_files import text_of
from rookery.projects.scripts import directives

_SUFFIXES: Final = frozenset({"", ".sh", ".bash", ".sbatch", ".slurm", ".job", ".sub", ".py", ".r", ".pl", ".jl"})
_OTHERS: Final = frozenset({"", ".sh", ".bash", ".csh", ".job", ".sub", ".pbs", ".sge", ".lsf"})
_FOREIGN: Final = re.compile(r"^#(?:PBS|BSUB|\$)[ \t]*-[A-Za-z]", re.MULTILINE)
_LARGEST: Final = 1_000_000

SHELL: Final = re.compile(r"#!\s*(?:\S*/env\s+)?(?:\S*/)?(?:ba|da|k|z|a)?sh\b")
"""The first line of a script of sh, or of a shell like it."""

_ACTIVATES: Final = re.compile(
    r"activate\b|\b(?:uv|poetry|conda|mamba|micromamba|pipenv)\s+run\b|\.venv/bin/|\.conda/bin/"
)
_ELSEWHERE: Final = re.compile(r"""^\s*(?:cd|pushd)\s+["']?(?=[/~]|\$\{?HOME\b)([^\s;&|]+)""", re.MULTILINE)
_UPWARDS: Final = re.compile(r"(?<![\w.])\.\./")


def find(root: Path, sizes: Iterable[tuple[str, int]]) -> list[BatchScript]:
    """Return the job scripts among some files: those with `#SBATCH` lines that Slurm reads.

    Args:
        root: The folder.
        sizes: Files in it, each with its size.
    """
    scripts = []
    for path, text in _texts(root, sizes, _SUFFIXES):
        asked = directives.read(text.replace("\r\n", "\n")) if text.startswith("#!") and "#SBATCH" in text else None
        if asked and asked.options:
            logs = tuple(value for key in ("output", "error") if (value := asked.value(key)))
            scripts.append(BatchScript(path, text, asked.value("job-name") or "", logs))
    return scripts


def foreign(root: Path, sizes: Iterable[tuple[str, int]]) -> list[str]:
    """Return the job scripts among some files that are for PBS, SGE or LSF, and not for Slurm.

    Args:
        root: The folder.
        sizes: Files in it, each with its size.
    """
    texts = _texts(root, sizes, _OTHERS)
    return [path for path, text in texts if _FOREIGN.search(text) and "#SBATCH" not in text]


def _texts(root: Path, sizes: Iterable[tuple[str, int]], suffixes: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the files of these suffixes that are not hidden and no larger than scripts are, each with its text."""
    for path, size in sizes:
        name = PurePosixPath(path)
        if size <= _LARGEST and name.suffix.lower() in suffixes and not name.name.startswith("."):
            yield path, text_of(root / path)


def log_folders(scripts: Iterable[BatchScript]) -> list[str]:
    """Return the folders in the project that the scripts write their logs to."""
    every = (_log_folder(log) for script in scripts for log in script.logs)
    return list(dict.fromkeys(folder for folder in every if folder))


def _log_folder(log: str) -> str:
    """Return the project's folder that a log is in or below; "" for its own folder, and for a place outside."""
    parts = PurePosixPath(log).parent.parts
    fixed = parts[: next((number for number, part in enumerate(parts) if "%" in part), len(parts))]
    return fixed[0] if fixed and not log.startswith(("/", "~")) and ".." not in fixed else ""


def is_fetched(log: str, outputs: Sequence[str]) -> bool:
    """Return whether a log is in one of the project's folders for results and logs, which `fetch` copies."""
    folder = PurePosixPath(log).parent
    return ".." not in folder.parts and any(folder.is_relative_to(output) for output in outputs)


def differences(script: BatchScript, outputs: Sequence[str], *, python: str, r: str) -> Iterator[str]:
    """Yield what a script does that has another effect in a release, a sentence each.

    Args:
        script: The script.
        outputs: The project's folders for results and logs, the last one for logs.
        python: The way in which `deploy` builds a Python environment; "" for none.
        r: The same for an R library.
    """
    name, logs = script.path, outputs[-1]
    lost = [log for log in script.logs or ("slurm-%j.out",) if not is_fetched(log, outputs)]
    if lost:
        yield f"{name} writes its log to {lost[0]}, which fetch does not copy: set #SBATCH --output={logs}/%x_%j.out"
    if match := _ELSEWHERE.search(script.text):
        yield f"{name} changes to {match[1]}, but jobs start in the deployed project: remove that line"
    if "/" in name and _UPWARDS.search(script.text):
        yield f"{name} names files by ../, but jobs start in the project's folder, not in that of the script"
    if (
        python
        and SHELL.match(script.text)
        and re.search(r"\bpython", script.text)
        and not _ACTIVATES.search(script.text)
    ):
        line = 'source activate "$PWD/.conda"' if python == "conda" else "source .venv/bin/activate"
        yield f"{name} does not use the environment that deploy builds: add the line {line}"
    if r and "Rscript" in script.text and "R_LIBS" not in script.text:
        yield f'{name} does not use the R library that deploy builds: add the line export R_LIBS="$PWD/.rlibrary"'
    if "\r\n" in script.text:
        yield f"{name} has Windows line ends, which Slurm refuses: `rookery lint {name} --fix` removes them"
