"""Find the programs in a folder that can be run: Python, R, notebooks and reports in R Markdown."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from rookery.projects.adoption.facts import Program
from rookery.projects.adoption.folder_files import text_of

KINDS: Final = {".py": "python", ".r": "r", ".ipynb": "notebook", ".rmd": "rmarkdown"}
_HELPERS: Final = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "manage.py", "conf.py"})
_NO_PROGRAMS: Final = frozenset({"tests", "test", "docs", "doc", "testthat", "man", "vignettes"})
_FIRST: Final = ("main", "run", "simulate", "simulation", "analysis", "analyse", "analyze", "fit", "train")
"""How the programs are called that are probably meant, the likeliest first."""

_ARGUMENTS: Final = re.compile(
    r"\bsys\.argv\b|\bargparse\b|^\s*(?:import|from)\s+(?:click|typer|docopt|fire)\b"
    r"|\bcommandArgs\s*\(|\b(?:library|require)\s*\(\s*['\"]?(?:optparse|argparser?|docopt)\b",
    re.MULTILINE,
)
_NUMBERED: Final = re.compile(r"SLURM_ARRAY_TASK_ID")
_MAIN: Final = re.compile(r"^if\s+__name__\s*==\s*['\"]__main__['\"]", re.MULTILINE)
_IMPORT: Final = re.compile(r"^\s*(?:import|from)\s+([A-Za-z_]\w*)", re.MULTILINE)
_LIBRARY: Final = re.compile(
    r"\b(?:library|require|requireNamespace|loadNamespace)\s*\(\s*['\"]?([A-Za-z][A-Za-z0-9.]*)|\b([A-Za-z][A-Za-z0-9.]*):::?[\w.]"
)
_SETWD: Final = re.compile(r"^[^#\n]*\bsetwd\s*\(\s*(?:['\"](?:[/~]|[A-Za-z]:)|dirname\b)", re.MULTILINE)
_INSTALLS: Final = re.compile(r"^(?:utils::)?install\.packages\s*\(", re.MULTILINE)
_SOURCED: Final = re.compile(r"\bsource\s*\(\s*['\"]([^'\"]+)['\"]")
_BESIDE: Final = re.compile(
    r"(?:to_(?:csv|parquet|json|excel|pickle|feather)|savefig|np\.save(?:z|txt|z_compressed)?|write[._](?:csv2?|table|rds)"
    r"|save(?:RDS)?|ggsave|pdf|png|fwrite|write_(?:csv|parquet|html)|open)\s*\([^()\n]*?['\"]"
    r"([A-Za-z0-9_-]+\.(?:csv|tsv|txt|json|parquet|feather|npy|npz|png|pdf|svg|rds|RDS|RData|pkl|pickle|h5|xlsx))['\"]"
    r"(?P<mode>\s*,\s*['\"][wax][^'\"]*['\"])?"
)


def read(root: Path, paths: Iterable[str]) -> list[Program]:
    """Return every program among some files, whether it is meant to be run or not.

    Args:
        root: The folder.
        paths: Files in it.
    """
    programs = []
    for path in paths:
        kind = KINDS.get(PurePosixPath(path).suffix.lower(), "")
        if kind:
            text = text_of(root / path, 20_000_000 if kind == "notebook" else 1_000_000)
            programs.append(_program(path, kind, _code_of(text) if kind == "notebook" else text))
    return programs


def _program(path: str, kind: str, text: str) -> Program:
    python = kind in {"python", "notebook"}
    return Program(
        path=path,
        kind=kind,
        text=text,
        arguments=bool(_ARGUMENTS.search(text)) and kind in {"python", "r"},
        numbered=bool(_NUMBERED.search(text)),
        is_main=kind == "python" and bool(_MAIN.search(text)),
        imports=frozenset(_imported(text) if python else _attached(text)),
    )


def _code_of(text: str) -> str:
    """Return the code of a notebook, without the lines that only a notebook understands."""
    try:
        cells = json.loads(text).get("cells", [])
        sources = ["".join(cell.get("source", "")) for cell in cells if cell.get("cell_type") == "code"]
    except (ValueError, AttributeError, TypeError):
        return ""
    lines = "\n".join(sources).split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def _imported(text: str) -> Iterator[str]:
    """Yield the modules that Python code imports, by the first part of their names."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # perhaps Python 2
        yield from _IMPORT.findall(text)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _attached(text: str) -> Iterator[str]:
    """Yield the packages that R code attaches or names."""
    for line in text.split("\n"):
        for match in _LIBRARY.finditer(line.partition("#")[0]):
            if match[2] or "character.only" not in line:  # else it is a variable with the name
                yield match[1] or match[2]


def runnable(programs: Iterable[Program], packages: Iterable[str], *, r_package: bool) -> tuple[Program, ...]:
    """Return the programs that are probably meant to be run, the likeliest first.

    Where some say so themselves (`if __name__ == "__main__"`), those; else those that no other loads.

    Args:
        programs: All of them.
        packages: Folders that are Python packages, whose modules are imported rather than run.
        r_package: Whether the folder is an R package, whose R/ is loaded rather than run.
    """
    every, packages = list(programs), tuple(packages)
    code = [program for program in every if not _is_test(PurePosixPath(program.path))]
    loaded = frozenset().union(*(program.imports for program in code if program.kind in {"python", "notebook"}))
    sourced = {PurePosixPath(name).name for program in every for name in _SOURCED.findall(program.text)}

    def is_candidate(program: Program) -> bool:
        path = PurePosixPath(program.path)
        if (
            path.name in _HELPERS
            or path.stem.lower() == "readme"
            or path.name.startswith("__")
            or any(part.startswith(".") for part in path.parts)
        ):
            return False
        if program.kind == "python":
            return not any(path.is_relative_to(package) for package in packages) and path.stem not in loaded
        return not (program.kind == "r" and (path.name in sourced or (r_package and path.parts[0] == "R")))

    candidates = [program for program in code if is_candidate(program) and program.text.strip()]
    main = [program for program in candidates if program.is_main]
    chosen = [program for program in candidates if program.is_main or program.kind != "python" or not main]
    return tuple(sorted(chosen, key=_rank))


def _is_test(path: PurePosixPath) -> bool:
    named = path.name.startswith(("test_", "test-")) or path.stem.endswith("_test")
    return named or bool(_NO_PROGRAMS.intersection(path.parts[:-1]))


def _rank(program: Program) -> tuple[int, int, str]:
    path = PurePosixPath(program.path)
    stem = path.stem.lower()
    return (len(path.parts), _FIRST.index(stem) if stem in _FIRST else len(_FIRST), program.path)


def differences(program: Program) -> Iterator[str]:
    """Yield what a program of R does that has another effect in a job, a sentence each."""
    if program.kind in {"r", "rmarkdown"}:
        if _SETWD.search(program.text):
            yield f"{program.path} changes its folder (setwd), but jobs start in the project's folder: remove that line"
        if _INSTALLS.search(program.text):
            yield f"{program.path} installs packages, but deploy does that before any job runs: remove that line"


def written_beside(programs: Iterable[Program]) -> dict[str, str]:
    """Return the files that programs write into the folder that they run in, each with the program."""
    found: dict[str, str] = {}
    for program in programs:
        for match in _BESIDE.finditer(program.text):
            if not match[0].startswith("open") or match["mode"]:
                found.setdefault(match[1], program.path)
    return found


def mentioned(texts: Sequence[str], folders: Iterable[str]) -> list[str]:
    """Return those of some folders in which programs or scripts name a file.

    Args:
        texts: What these say.
        folders: The folders.
    """
    pattern = r"(?:^|[\s'\"`=(>])(?:\./)?(?:{name})/(?=[\w{{$%*'\"])(?!\d+\b)"
    return [name for name in folders if any(re.search(pattern.format(name=re.escape(name)), text) for text in texts)]


def names(programs: Iterable[Program], kinds: frozenset[str]) -> Mapping[str, str]:
    """Return the packages that programs of some kinds name, each with the first program that does."""
    found: dict[str, str] = {}
    for program in programs:
        if program.kind in kinds:
            for name in sorted(program.imports):
                found.setdefault(name, program.path)
    return found
