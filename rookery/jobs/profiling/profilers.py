"""The profilers that `profile` knows, and how a command is changed so that its program runs under one."""

import re
import shlex
from dataclasses import dataclass
from typing import Final

from rookery.core.errors import RookeryError
from rookery.core.near_names import either

FOLDER: Final = "rookery-profile"
"""The folder in the copy with what the job needs for its profile; also the name of the one that it writes into."""

REPORT: Final = f"{FOLDER}/report.py"
START: Final = f"{FOLDER}/start.py"
RPROF: Final = f"{FOLDER}/rprof.R"
R_REPORT: Final = f"{FOLDER}/report.R"
TOOLS: Final = f"{FOLDER}/tools"

_PYTHON = re.compile(
    r"(?P<before>^|[\s;&|(])(?P<python>python[0-9.]*)(?P<flags>(?:[ \t]+-[BEIOSbdiqsuvx]+)*)[ \t]+"
    r"(?=-m[ \t]|[\w./{$\"'])",
    re.MULTILINE,
)
_RSCRIPT = re.compile(
    r"(?P<before>^|[\s;&|(])Rscript(?:[ \t]+--[\w-]+)*[ \t]+"
    r"(?P<script>\"[^\"\n]+\"|'[^'\n]+'|[^\s;|&()\"'-][^\s;|&()]*)"
    r"(?P<rest>[^\n;|&]*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Profiler:
    """A profiler.

    Attributes:
        name: As users name it.
        is_r: It is for R; otherwise for Python.
        package: The package that has it; "" where nothing has to be installed.
        module: What Python imports, or "" where it is a program.
        unit: What its table has a row for.
        open_with: The command that shows the report; FILE stands for it.
        ending: Of the file to open.
    """

    name: str
    is_r: bool = False
    package: str = ""
    module: str = ""
    unit: str = "line"
    open_with: str = ""
    ending: str = ""


PROFILERS: Final = {
    profiler.name: profiler
    for profiler in (
        Profiler("cprofile", unit="function", open_with="uvx snakeviz FILE", ending=".prof"),
        Profiler("pyinstrument", False, "pyinstrument", "pyinstrument", "function", "open FILE in a browser", ".html"),
        Profiler("py-spy", False, "py-spy", "", "line", "open FILE at speedscope.app", ".raw"),
        Profiler("scalene", False, "scalene", "scalene", "line", "uvx scalene view FILE", ".json"),
        Profiler("rprof", True, open_with="profvis::profvis(prof_input = 'FILE') in R", ending=".Rprof"),
        Profiler("profvis", True, "profvis", "profvis", "line", "open FILE in a browser", ".html"),
    )
}


def choose(command: str, wanted: str) -> Profiler:
    """Return the profiler for a job's command.

    Args:
        command: The command.
        wanted: A profiler's name; "" for the one that needs nothing.

    Raises:
        RookeryError: The command starts neither Python nor R in a way that can be profiled, or the other one.
    """
    calls = {False: _PYTHON.search(command), True: _RSCRIPT.search(command)}
    if not any(calls.values()):
        raise RookeryError(
            "the command starts no `python FILE`, `python -m MODULE` or `Rscript FILE` that could run under a profiler",
            hint="name the program in the command itself, as in `command: python fit.py`",
        )
    if not wanted:
        return PROFILERS["rprof" if calls[True] and not calls[False] else "cprofile"]
    profiler = PROFILERS[wanted.lower()]
    if not calls[profiler.is_r]:
        others = either(name for name, other in PROFILERS.items() if other.is_r != profiler.is_r)
        language = "R" if profiler.is_r else "Python"
        raise RookeryError(
            f"{profiler.name} is for {language}, and the command starts no {language} program",
            hint=f"use --with {others}",
        )
    return profiler


def profiled(command: str, profiler: Profiler, folder: str) -> str:
    """Return a command with its program under a profiler, and the report behind it.

    A command that starts several programs gets a file for each.

    Args:
        command: The command.
        profiler: The profiler.
        folder: Where it writes, as a path in the project.
    """
    count = 0

    def python(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        plain = f"{match['python']}{match['flags']}"
        file = f'"$ROOKERY_PROFILE/{count}'
        tools = f'env PYTHONPATH="$ROOKERY_RELEASE/{TOOLS}" PATH="$ROOKERY_RELEASE/{TOOLS}/bin:$PATH"'
        # py-spy gives up on a program that is no Python at first, such as pyenv's `python`
        itself = f'"$({match["python"]} -c "import sys; print(sys.executable)")"{match["flags"]}'
        ours = f'--program-path "$ROOKERY_RELEASE" --profile-exclude {FOLDER}/'
        start = f'"$ROOKERY_RELEASE/{START}"'
        calls = {
            "cprofile": f'{plain} -m cProfile -o {file}.prof" ',
            "pyinstrument": f'{tools} {plain} -m pyinstrument -r session -o {file}.pyisession" ',
            "py-spy": f'{tools} py-spy record --rate 100 --subprocesses --format raw -o {file}.raw" -- {itself} ',
            "scalene": f'{tools} {plain} -m scalene run --cpu-only {ours} -o {file}.json" {start} -- ',
        }
        return f"{match['before']}{calls[profiler.name]}"

    def r(match: re.Match[str]) -> str:
        script = f"ROOKERY_PROFILE_SCRIPT={match['script']}"
        profile = f'--file="$ROOKERY_RELEASE/{RPROF}"'
        return f"{match['before']}env {script} R --slave --no-restore {profile} --args{match['rest']}"

    release = '"$ROOKERY_RELEASE"'  # the command may go into another folder
    lines = [
        'export ROOKERY_RELEASE="$(pwd -P)"',
        f"export ROOKERY_PROFILE={release}/{shlex.quote(folder)}",
        'mkdir -p "$ROOKERY_PROFILE"',
    ]
    if profiler.is_r:
        lines += [_RSCRIPT.sub(r, command), f"cd {release}"]
        library = f" {release}/{TOOLS}" if profiler.package else ""
        lines.append(f'Rscript {R_REPORT} "$ROOKERY_PROFILE"{library}')
    else:
        found = _PYTHON.search(command)
        lines += [_PYTHON.sub(python, command), f"cd {release}"]
        tools = f"env PYTHONPATH={release}/{TOOLS} " if profiler.module else ""
        lines.append(f'{tools}{found["python"] if found else "python"} {REPORT} "$ROOKERY_PROFILE"')
    return "\n".join(lines)
