"""RK7: programs in R and Python that start more processes or threads than the job has cores."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rookery.core.quantities import counted
from rookery.jobs.lint.checks import allotted_cores
from rookery.jobs.lint.checks.core_counts import ALLOTTED_PYTHON, ALLOTTED_R, POOLS, import_needed
from rookery.jobs.lint.checks.programs import KnownProgram, programs
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.python_source import PythonSource, source
from rookery.jobs.lint.script.r_source import RArgument, bracket, calls, integer, without_comments

THREAD_VARIABLES = frozenset({
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS", "JULIA_NUM_THREADS", "RCPP_PARALLEL_NUM_THREADS",
})  # fmt: skip
"""Variables by which libraries and Julia are told how many threads to start."""
_PYTHON_CALLS: Final = {
    **POOLS,
    "joblib.Parallel": "n_jobs",
    "torch.set_num_threads": "int",
    "dask.distributed.LocalCluster": "n_workers",
    "distributed.LocalCluster": "n_workers",
}
"""What starts processes or threads, and the argument that says how many.

`n_jobs` says so in every call: scikit-learn's and joblib's. A negative one counts the cores that the job may use (loky
asks the scheduler's affinity and the cgroup), so it is right.
"""
_PYTHON_HINTS = re.compile(r"Pool|n_jobs|Parallel|set_num_threads|LocalCluster|_NUM_THREADS")
"""What a program's text holds if it starts any of these: only then it is parsed."""
_R_CALLS = (
    ("makeCluster|makePSOCKcluster|makeForkCluster|makeClusterPSOCK", ("spec", "names", "nnodes", "workers")),
    ("registerDoParallel", ("cores", "cl")),
    ("registerDoMC", ("cores",)),
)
"""R's functions that start workers, and the names that their first argument has."""
_R_ARGUMENTS = (
    ("plan|tweak", "workers", r"multisession|multicore|multiprocess"),
    (r"stan|sampling|brm|stan_\w+", "cores", ""),
)
"""Functions of R, the argument by which each is told how many workers to start, and what its first one says then."""


@dataclass(frozen=True)
class Workers:
    """A number of processes or threads in a program.

    Attributes:
        what: The code that starts them, for the message.
        unit: processes or threads.
        number: How many.
        start: Where the number begins in the source.
        end: Where it ends.
    """

    what: str
    unit: str
    number: int
    start: int
    end: int


def too_many(script: Context) -> Iterator[Finding]:
    """Yield findings for programs that start more workers than the job has cores on a node."""
    cores = allotted_cores.of_a_node(script)
    if cores is None:
        return
    for program in programs(script):
        found = _in_r(program.text) if program.language == "r" else _in_python(program.text)
        places: dict[int, Workers] = {}
        for workers in found:
            if workers.number > cores:
                places.setdefault(workers.start, workers)
        for workers in places.values():
            yield _finding(script, program, workers, cores)


def _finding(script: Context, program: KnownProgram, workers: Workers, cores: int) -> Finding:
    why = f"{workers.what} starts {workers.number} {workers.unit}, {shortage(workers.number, cores)}"
    allotted = ALLOTTED_R
    if program.language == "python":
        allotted = f"str({ALLOTTED_PYTHON})" if "environ" in workers.what else ALLOTTED_PYTHON
        why += import_needed(program.text)
    return program.finding(script, "RK704", workers.start, why, edit=Edit(workers.start, workers.end, allotted))


def shortage(number: int, cores: int) -> str:
    """Return the end of a sentence: what the job has, what happens, and what to write instead."""
    has = counted(cores, "core")
    return (
        f"but the job requests {has}: they slow each other down. Start only as many as it requests, or "
        f"request --cpus-per-task={number}."
    )


def _in_python(text: str) -> Iterator[Workers]:
    """Yield the numbers of processes and threads in a program in Python."""
    if not _PYTHON_HINTS.search(text):
        return
    program = source(text)
    for name, call in program.calls():
        if name == "joblib.Parallel" and re.search("thread", ast.unparse(call)):  # threads may wait rather than compute
            continue
        keyword = _PYTHON_CALLS.get(name, "")
        given: dict[str | None, ast.expr] = {}
        given |= {argument.arg: argument.value for argument in call.keywords if argument.arg in {keyword, "n_jobs"}}
        if keyword and call.args:
            given[None] = call.args[0]
        for label, value in given.items():
            if known := program.integer(value):
                shown = f"{label}={ast.unparse(value)}" if label else ast.unparse(value)
                unit = "threads" if name.startswith("torch.set") else "processes"
                yield Workers(f"{ast.unparse(call.func)}({shown})", unit, known[0], *program.span(known[1]))
        if name == "os.environ.setdefault" and len(call.args) == 2:
            yield from _environment(program, *call.args)
    for node in program.nodes:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Subscript) and program.full_name(target.value) == "os.environ":
            assert isinstance(node, ast.Assign)  # noqa: S101 it has a target
            yield from _environment(program, target.slice, node.value)


def _environment(source: PythonSource, key: ast.expr, value: ast.expr) -> Iterator[Workers]:
    """Yield the number that a program gives one of the variables for threads."""
    if not isinstance(key, ast.Constant) or key.value not in THREAD_VARIABLES or not isinstance(value, ast.Constant):
        return
    if re.fullmatch(r"\d{1,6}", str(value.value)):
        number = int(str(value.value))
        yield Workers(f'os.environ["{key.value}"] = "{number}"', "threads", number, *source.span(value))


def _in_r(text: str) -> Iterator[Workers]:
    """Yield the numbers of processes and threads in R's source."""
    bare = without_comments(text)
    for functions, names in _R_CALLS:
        for at, arguments in calls(bare, functions):
            if not arguments or re.search("MPI|hosts", text[at : arguments[-1].end]):
                continue  # over several nodes
            first = arguments[0] if arguments[0].name in {"", *names} else None
            named = next((argument for argument in arguments if argument.name in names), first)
            yield from _r_workers(text, bare, at, named)
    for functions, name, only in _R_ARGUMENTS:
        for at, arguments in calls(bare, functions):
            if arguments and re.search(only, text[at : arguments[0].end]):
                yield from _r_workers(text, bare, at, next((each for each in arguments if each.name == name), None))
    yield from _mc_cores(bare)
    for call in re.finditer(r"\bSys\.setenv\s*\([^()]*", without_comments(text, strings=True)):
        for given in re.finditer(r"""(\w+)\s*=\s*(["']?\d{1,6}L?["']?)(?=\s*(?:,|\Z))""", call.group()):
            if given.group(1) in THREAD_VARIABLES:
                number = int(given.group(2).strip("\"'L"))
                yield Workers(
                    f"{given.group(1)} = {number}",
                    "threads",
                    number,
                    call.start() + given.start(2),
                    call.start() + given.end(2),
                )


def _mc_cores(bare: str) -> Iterator[Workers]:
    """Yield the numbers that R's source gives `mc.cores`: an argument, an option or a variable."""
    for match in re.finditer(r"(?<![\w.$@])mc\.cores\s*(?:<<?-|=(?!=))\s*([\w.]+)(?=\s*(?:[,)\n;}]|\Z))", bare):
        opens = bracket(bare, match.start())
        if opens >= 0 and re.search(
            r"\bfunction\s*\Z", bare[max(0, opens - 40) : opens]
        ):  # a default, which a call may replace
            continue
        if known := integer(bare, match.start(1), match.end(1)):
            number, start, end = known
            yield Workers(f"mc.cores = {match.group(1)}", "processes", number, start, end)


def _r_workers(text: str, bare: str, at: int, argument: RArgument | None) -> Iterator[Workers]:
    """Yield the number that an argument of a call is."""
    if argument and (known := integer(bare, argument.start, argument.end)):
        number, start, end = known
        name = text[at : bare.index("(", at)].strip()
        given = f"{argument.name} = {argument.text}" if argument.name else argument.text
        yield Workers(f"{name}({given})", "processes", number, start, end)
