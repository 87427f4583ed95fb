"""RK7: programs that count the cores of the machine, where the job has some of them."""

import ast
import re
from collections.abc import Iterator

from rookery.jobs.lint.checks.programs import KnownProgram, programs
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.python_source import PythonSource, source
from rookery.jobs.lint.script.r_source import without_comments

SLURM_COUNTS = re.compile(r"SLURM_(?:CPUS_PER_TASK|CPUS_ON_NODE|JOB_CPUS_PER_NODE|NTASKS|NPROCS|TASKS_PER_NODE)")
"""Variables that tell a program how many cores it was given."""
ALLOTTED_R = 'as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1"))'
ALLOTTED_PYTHON = "len(os.sched_getaffinity(0))"
_R_COUNTS = re.compile(r"(?:\bparallel\s*:::?\s*)?(?<![\w.])detectCores\s*\(")
_R_CALL = re.compile(r"[^()]*\)")
_REQUIRED_PYTHON = re.compile(r"""(?m)^(?:requires-)?python\s*=\s*["'][^"']*(?:>=|==|\^|~=?)\s*3\.(\d+)""")
_COUNTS = {f"{module}.cpu_count" for module in ("os", "multiprocessing", "psutil")}
POOLS = {
    "multiprocessing.Pool": "processes",
    "multiprocessing.pool.Pool": "processes",
    "multiprocessing.get_context().Pool": "processes",
    "multiprocess.Pool": "processes",
    "torch.multiprocessing.Pool": "processes",
    "concurrent.futures.ProcessPoolExecutor": "max_workers",
    "concurrent.futures.process.ProcessPoolExecutor": "max_workers",
    "pathos.multiprocessing.ProcessPool": "nodes",
    "pathos.multiprocessing.ProcessingPool": "nodes",
    "pathos.pools.ProcessPool": "nodes",
}
"""What starts processes, as many as its first argument says: the name of that argument."""
_FOLLOWING = {name for name in POOLS if name.startswith(("multiprocessing.", "concurrent."))}
"""Those that count the job's cores from Python 3.13 on, by os.process_cpu_count()."""


def counted(script: Context) -> Iterator[Finding]:
    """Yield findings for programs that count the machine's cores rather than those that the job was given."""
    if script.directives.get("exclusive"):  # the whole machine is theirs
        return
    for program in programs(script):
        text = without_comments(program.text, strings=True) if program.language == "r" else program.text
        if SLURM_COUNTS.search(text):  # knows what it was given
            continue
        yield from _in_r(script, program) if program.language == "r" else _in_python(script, program)


def _in_r(script: Context, program: KnownProgram) -> Iterator[Finding]:
    """Yield findings for detectCores() in R."""
    bare = without_comments(program.text)
    if re.search(r"\bdetectCores\s*(<-|=)\s*function", bare):
        return
    for match in _R_COUNTS.finditer(bare):
        if re.search(r"\bmin\s*\(\s*\d+L?\s*,\s*\Z", bare[max(0, match.start() - 40) : match.start()]):
            continue
        call = _R_CALL.match(bare, match.end())
        edit = Edit(match.start(), call.end() if call else match.end(), ALLOTTED_R)
        yield program.finding(script, "RK701", match.start(), _counting(program.text[edit.start : edit.end]), edit=edit)


def _in_python(script: Context, program: KnownProgram) -> Iterator[Finding]:
    """Yield findings for cpu_count() of os, multiprocessing or psutil, and for a Pool() without a number."""
    if "cpu_count" not in program.text and "Pool" not in program.text:
        return
    parsed = source(program.text)
    limited = {
        argument for call in parsed.nodes if isinstance(call, ast.Call) and _is_minimum(call) for argument in call.args
    }
    for name, call in parsed.calls():
        start, end = parsed.span(call)
        what = program.text[start:end]
        if name in _COUNTS and call not in limited:
            why = _counting(what) + import_needed(program.text)
            yield program.finding(script, "RK702", start, why, edit=Edit(start, end, ALLOTTED_PYTHON))
        elif name in POOLS and _has_no_number(call, POOLS[name]) and not _follows(script, name):
            later = " Python 3.13 and later count the job's cores." if name in _FOLLOWING else ""
            why = (
                f"{name.rpartition('.')[2]} without a number starts a process for each core of the machine, not of "
                f"the job: they slow each other down.{later}{import_needed(program.text)}"
            )
            yield program.finding(script, "RK703", start, why, edit=_with_number(parsed, call, POOLS[name]))


def _is_minimum(call: ast.Call) -> bool:
    """Return whether a call is `min(NUMBER, …)`: at most so many processes, whatever the machine has."""
    numbers = any(isinstance(argument, ast.Constant) for argument in call.args)
    return isinstance(call.func, ast.Name) and call.func.id == "min" and numbers


def import_needed(text: str) -> str:
    """Return the sentence that a program needs `import os` for the line shown; "" where it has that."""
    return "" if re.search(r"(?m)^\s*import\s+([\w.]+\s*,\s*)*os\s*($|[,;#])", text) else " (This needs `import os`.)"


def _has_no_number(call: ast.Call, keyword: str) -> bool:
    """Return whether a call leaves the number of processes to Python."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    named = [given for given in call.keywords if given.arg in {keyword, None}]
    given = [*call.args[:1], *(argument.value for argument in named if argument.arg)]
    unknown = any(argument.arg is None for argument in named)
    return not unknown and all(isinstance(value, ast.Constant) and value.value is None for value in given)


def _with_number(source: PythonSource, call: ast.Call, keyword: str) -> Edit:
    """Return the edit that gives a call the number of the job's cores."""
    given = [*call.args[:1], *(argument.value for argument in call.keywords if argument.arg == keyword)]
    if given:  # None
        return Edit(*source.span(given[0]), ALLOTTED_PYTHON)
    if call.keywords:
        at = source.span(call.keywords[0].value)[0] - len(call.keywords[0].arg or "") - 1
        return Edit(at, at, f"{ALLOTTED_PYTHON}, ")
    end = source.span(call)[1]
    return Edit(end - 1, end, f"{ALLOTTED_PYTHON})")


def _counting(what: str) -> str:
    return f"{what} counts all cores of the machine, not those of the job: so many processes slow each other down."


def _follows(script: Context, name: str) -> bool:
    """Return whether the project says that it runs on a Python which counts the job's cores."""
    if name not in _FOLLOWING:
        return False
    wanted = _REQUIRED_PYTHON.search(script.files("pyproject.toml") or "")
    pinned = re.match(r"(?:cpython-)?3\.(\d+)", script.files(".python-version") or "")
    return any(match and int(match.group(1)) >= 13 for match in (wanted, pinned))
