"""The programs that a script runs: the commands that compute, and the R and Python programs that can be read."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rookery.jobs.lint.finding import Edit, Finding, apply
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import is_python, programs_run
from rookery.jobs.lint.script.python_source import source
from rookery.jobs.lint.script.r_source import without_comments
from rookery.jobs.lint.script.shell import ShellCommand
from rookery.jobs.lint.script.tokens import ShellWord


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

    def finding(self, script: Context, code: str, start: int, why: str, *, edit: Edit | None = None) -> Finding:
        """Return a warning about a place in it, with the line as it could read.

        Args:
            script: The script that runs it.
            code: The rule.
            start: The place.
            why: What is wrong.
            edit: What to change in that line.
        """
        begin = self.text.rfind("\n", 0, start) + 1
        line = self.text[begin:].partition("\n")[0]
        mended = None
        if edit:
            mended = apply(line, [Edit(edit.start - begin, min(edit.end - begin, len(line)), edit.text)])
        number = self.text.count("\n", 0, start) + 1
        if self.path:
            return Finding(code, self.path, number, "warning", why, mended)
        at = script.line_at(self.at) + number - 1
        if mended is not None:
            mended = _within(script.line(at), line, mended)
        return Finding(code, script.path, at, "warning", why, mended)


def _within(whole: str, line: str, mended: str) -> str | None:
    """Return a line of the script with a program's line in it mended; None where quotes may be in the way."""
    if whole == line:
        return mended
    before, found, after = whole.partition(line)
    return f"{before}{mended}{after}" if found and "'" not in mended and before.endswith("'") else None


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


def files_run(words: list[ShellWord]) -> tuple[str, list[str]]:
    """Return the language of the program that these words run, "" for others, and the file it is in, where one is."""
    name = words[0].text.rpartition("/")[2]
    language = "python" if is_python(name) else "r" if name.lower() in {"rscript", "r", "littler"} else ""
    file = _file(language, words)
    if not language and words[0].fixed and words[0].text.endswith((".py", ".R", ".r")):
        language, file = ("python" if words[0].text.endswith(".py") else "r"), words[0].text
    return language, [file] if file else []


def _of_command(
    script: Context, command: ShellCommand, words: list[ShellWord], paths_read: set[str]
) -> Iterator[KnownProgram]:
    """Yield the programs in R or Python that these words run."""
    language, files = files_run(words)
    if not language:
        return
    for body, at in command.documents:
        yield KnownProgram(language, body, at=at)
    for flag, word in pairwise(words[1:]):
        if flag.text in {"-c"} | ({"-e"} if language == "r" else set()) and word.fixed:
            yield KnownProgram(language, word.text, at=word.start)
    for path in [*files, *command.inputs]:
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
    file = script.named_file(name)
    if not file or file[0] in paths_read:
        return
    path, text = file
    paths_read.add(path)
    yield KnownProgram(language, text, path)
    for other in _reads_in(language, text, posixpath.dirname(path)):
        yield from _read(script, language, other, paths_read)


def _reads_in(language: str, text: str, folder: str) -> list[str]:
    """Return the files that `import` and `source()` may mean."""
    if language == "r":
        return re.findall(r"""\bsource\(\s*["']([^"']+\.[Rr])["']""", without_comments(text, strings=True))
    return [path for module in source(text).modules if (path := module_file(module, folder))]


def module_file(module: str, folder: str) -> str:
    """Return the file that a module of a project is in; "" where its name alone does not say."""
    name = module.removeprefix(".")
    return posixpath.join(folder, f"{name.replace('.', '/')}.py") if name and not name.startswith(".") else ""
