"""RK7: the programs that a script runs, and how they count the cores they may use."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rookery.jobs.lint.context import Context
from rookery.jobs.lint.effective import is_python, programs_run
from rookery.jobs.lint.finding import Edit, Finding, Severity, apply
from rookery.jobs.lint.shell import ShellCommand
from rookery.jobs.lint.tokens import ShellWord


@dataclass(frozen=True)
class KnownProgram:
    """A program that a script runs, in R or Python.

    Attributes:
        language: r or python.
        text: Its source.
        path: Its file, "" where it is in the script itself.
        at: Its offset in the script, where it is in the script.
    """

    language: str
    text: str
    path: str = ""
    at: int = 0


def programs(script: Context) -> Iterator[KnownProgram]:
    """Yield the R and Python programs that a script runs.

    As far as it can be read, with the files of the project that those read in.
    """
    paths_read: set[str] = set()
    kind = {"Rscript": "r", "r": "r"}.get(script.interpreter[0], "python" if is_python(script.interpreter[0]) else "")
    if kind:
        yield KnownProgram(kind, script.text)
    for command in script.shell.commands:
        for words in programs_run(script, command):
            yield from _of_command(script, command, words, paths_read)


def _of_command(
    script: Context, command: ShellCommand, words: list[ShellWord], paths_read: set[str]
) -> Iterator[KnownProgram]:
    """Yield the programs in R or Python that these words run."""
    name = words[0].text.rpartition("/")[2]
    language = "python" if is_python(name) else "r" if name.lower() in {"rscript", "r", "littler"} else ""
    file = _file(language, words)
    if not language and words[0].fixed and words[0].text.endswith((".py", ".R", ".r")):
        language, file = ("python" if words[0].text.endswith(".py") else "r"), words[0].text
    if not language:
        return
    for body, at in command.documents:
        yield KnownProgram(language, body, at=at)
    for flag, word in pairwise(words[1:]):
        if flag.text in {"-c"} | ({"-e"} if language == "r" else set()) and word.fixed:
            yield KnownProgram(language, word.text, at=word.start)
    for path in [file, *command.inputs]:
        yield from _read(script, language, path, paths_read)


def _file(language: str, words: list[ShellWord]) -> str:
    """Return the file that python, Rscript or R is given to run."""
    fixed = [word for word in words[1:] if word.fixed]
    texts = [word.text for word in fixed]
    if language == "r":
        if "-f" in texts[:-1]:
            return texts[texts.index("-f") + 1]
        named = [text.removeprefix("--file=") for text in texts if text.startswith("--file=")]
        return next(iter(named or [text for text in texts if text.endswith((".R", ".r"))]), "")
    if language == "python":
        if "-m" in texts[:-1]:
            module = texts[texts.index("-m") + 1].replace(".", "/")
            return f"{module}.py"
        return next((text for text in texts if text.endswith(".py")), "")
    return ""


def _read(script: Context, language: str, name: str, paths_read: set[str]) -> Iterator[KnownProgram]:
    """Yield a file of the project, where it is there, and the files that it imports."""
    if not name or name.startswith("/"):
        return
    beside = posixpath.join(posixpath.dirname(script.path), name)
    for path in dict.fromkeys(map(posixpath.normpath, (name, beside))):
        if path in paths_read:
            return
        text = script.files(path)
        if text is not None:
            paths_read.add(path)
            yield KnownProgram(language, text, path)
            for other in _reads_in(language, text, posixpath.dirname(path)):
                yield from _read(script, language, other, paths_read)
            return


def _reads_in(language: str, text: str, folder: str) -> list[str]:
    """Return the files that `import` and `source()` may mean."""
    if language == "r":
        return re.findall(r"""\bsource\(\s*["']([^"']+\.[Rr])["']""", without_comments(text, strings=True))
    tree = _parsed(text)
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return [posixpath.join(folder, f"{module.replace('.', '/')}.py") for module in dict.fromkeys(modules)]


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # not for us to say
        return ast.Module([], [])


_R_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<string>[rR]"(?P<d>-*)\(.*?\)(?P=d)"|[rR]'(?P<e>-*)\(.*?\)(?P=e)'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)""",
    re.DOTALL,
)


def without_comments(text: str, *, strings: bool = False) -> str:
    """Return R's source with blanks for comments, and for strings unless `strings`; every offset stays valid."""

    def blank(match: re.Match[str]) -> str:
        return match.group() if strings and not match["comment"] else re.sub(r"[^\n]", " ", match.group())

    return _R_TOKEN.sub(blank, text)


_SLURM = re.compile(r"SLURM_(?:CPUS_PER_TASK|CPUS_ON_NODE|JOB_CPUS_PER_NODE|NTASKS|NPROCS|TASKS_PER_NODE)")
_R_COUNTS = re.compile(r"(?:\bparallel\s*:::?\s*)?(?<![\w.])detectCores\s*\(")
_R_CALL = re.compile(r"[^()]*\)")
_ALLOTTED_R = 'as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1"))'
_ALLOTTED_PYTHON = "len(os.sched_getaffinity(0))"


def counted(script: Context) -> Iterator[Finding]:
    """Yield findings for programs that count the machine's cores rather than those that the job was given."""
    if script.directives.get("exclusive"):  # the whole machine is theirs
        return
    for program in programs(script):
        source = without_comments(program.text, strings=True) if program.language == "r" else program.text
        if _SLURM.search(source):  # knows what it was given
            continue
        places = _in_r(program.text) if program.language == "r" else _in_python(program.text)
        for start, end in places:
            yield _counting(script, program, start, end)


def _in_r(text: str) -> list[tuple[int, int]]:
    """Return the places where R's source calls detectCores()."""
    bare = without_comments(text)
    if re.search(r"\bdetectCores\s*(<-|=)\s*function", bare):
        return []
    places = []
    for match in _R_COUNTS.finditer(bare):
        call = _R_CALL.match(bare, match.end())
        places.append((match.start(), call.end() if call else match.end()))
    return places


def _in_python(text: str) -> list[tuple[int, int]]:
    """Return the places where Python's source calls cpu_count() of os, multiprocessing or psutil."""
    if "cpu_count" not in text:
        return []
    tree = _parsed(text)
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    counters, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "multiprocessing", "psutil"}:
            counters |= {alias.asname or alias.name for alias in node.names if alias.name == "cpu_count"}
        elif isinstance(node, ast.Import):
            modules |= {
                alias.asname or alias.name.partition(".")[0]
                for alias in node.names
                if alias.name.partition(".")[0] in {"os", "multiprocessing", "psutil"}
            }
    places = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        named = isinstance(call, ast.Name) and call.id in counters
        holder = call.value if isinstance(call, ast.Attribute) and call.attr == "cpu_count" else None
        of = isinstance(holder, ast.Name) and holder.id in modules
        if (named or of) and node.end_lineno and node.end_col_offset:
            ends = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            places.append((len(text.encode()[: ends[0]].decode()), len(text.encode()[: ends[1]].decode())))
    return sorted(places)


def _counting(script: Context, program: KnownProgram, start: int, end: int) -> Finding:
    what = program.text[start:end]
    r = program.language == "r"
    code, mended = ("RK701", _ALLOTTED_R) if r else ("RK702", _ALLOTTED_PYTHON)
    why = f"{what} counts all cores of the machine, not those of the job: its processes slow each other down."
    if not r and what.rpartition(".")[0] != "os":
        why += " (This needs `import os`.)"
    severity: Severity = "warning"
    begin = program.text.rfind("\n", 0, start) + 1
    line = program.text[begin:].partition("\n")[0]
    new = apply(line, [Edit(start - begin, min(end - begin, len(line)), mended)])
    number = program.text.count("\n", 0, start) + 1
    if program.path:
        return Finding(code, program.path, number, severity, why, new)
    return Finding(code, script.path, script.line_at(program.at) + number - 1, severity, why, new)
