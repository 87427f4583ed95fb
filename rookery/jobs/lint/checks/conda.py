"""RK605: `conda activate` in a shell that nothing has made ready for it.

`conda activate` is a function of the shell. Four things define it: `conda init`'s lines in start-up files, which a job
does not read; conda's own `etc/profile.d/conda.sh`; `eval "$(conda shell.bash hook)"`; and `source activate`.
"""

import re
from collections.abc import Iterator

from rookery.jobs.lint.checks.modules import as_written, by_purpose, loaded, looks_for
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run
from rookery.jobs.lint.script.shell import ShellCommand
from rookery.jobs.lint.script.shell import read as read_shell
from rookery.jobs.lint.script.sourcing import sourced_text

_READY = re.compile(
    r"(?:conda|mamba)[\w.-]*\.sh$|(?:^|[/.])(?:bash|zsh|ksh)rc$|\.(?:bash_profile|bash_login|profile|zprofile|zshenv)$"
    r"|(?:^|/)activate$"
)
_NOT_READY = re.compile(r"(?:^|/)(?:start-pyenv|rookery/env\.sh)$")
_PROFILE = re.compile(r"/etc/(?:profile|bashrc)|/etc/profile\.d/.*")
_HOOK = re.compile(r"shell\.\w+|hook")
_UNRELATED = re.compile(
    r"(?:cuda|cudnn|nccl|gcc|gnu|intel|oneapi|openmpi|mpich|mvapich2?|impi|R|git|cmake)\d*(?:/.*)?", re.IGNORECASE
)
_PRINTS, _GIVES_UP = frozenset({"echo", "printf"}), frozenset({"exit", "return", "false", "true", ":"})
_CALLED = frozenset({"conda", "mamba"})
_DEEPEST = 5


def conda(script: Context) -> Iterator[Finding]:
    """Yield findings for `conda activate` in a shell that nothing has prepared for it; none where that is not certain.

    What a file or a module of the cluster does is known to nobody here, with one exception: the profile may say it of
    the site's own modules of conda (`cluster_conda_activate`).
    """
    if script.is_login_shell or script.shell.functions & _CALLED:
        return
    activating = [
        command
        for command in script.shell.commands
        if command.name in _CALLED and command.arguments[:1] == ["activate"]
    ]
    ready = [command for command in script.shell.commands if activating and _may_prepare(script, command)]
    for command in activating:
        before = [other for other in ready if other.start < command.start or command.function]
        if not before and not (command.maybe and looks_for(script, "conda")) and not _replaced(script, command):
            yield _finding(script, command)


def _replaced(script: Context, command: ShellCommand) -> bool:
    """Return whether a script sees that a command fails, and does something else then, as far as can be told."""
    after = (other.name for other in script.shell.commands if other.start > command.start)
    return command.tested and next((name for name in after if name not in _PRINTS), "") not in _GIVES_UP


def _finding(script: Context, command: ShellCommand) -> Finding:
    """Return the finding for a `conda activate` that fails."""
    site, modules = script.cluster.name, by_purpose(script).get("conda") or []
    bases = {_base(module) for module in modules}
    before = [word for other in script.shell.commands if other.start < command.start for word in loaded(other)]
    module = next((_base(word.text) for word in before if _base(word.text) in bases), "")
    shown = as_written(script, command)
    mended = "source" + shown.removeprefix(command.words[0].text)
    why = (
        f"`{shown}` needs a function of the shell. `conda init` puts it into start-up files, which a job does not read"
    )
    if module:
        why += f", and {module} on {site} does not define it. Use `{mended}`."
    elif modules:
        verb = script.cluster.data.get("cluster_module_verb", "load")
        why += f", and nothing above defines it. On {site}, load conda (`module {verb} {modules[0]}`), then `{mended}`."
    else:
        why += f", and nothing above defines it. The profile of {site} names no module of conda: put "
        why += '`eval "$(FOLDER/bin/conda shell.bash hook)"` above this line, with the folder of your conda.'
    return script.finding(
        "RK605",
        command.line,
        why,
        edits=[Edit(command.words[0].start, command.words[0].end, "source")] if modules else [],
        safe=bool(module) and len(command.arguments) > 1,
    )


def _may_prepare(script: Context, command: ShellCommand, depth: int = 0) -> bool:
    """Return whether a command may make the shell ready for `conda activate`."""
    programs = [[word.text for word in words] for words in programs_run(script, command)]
    return _module_may_prepare(script, command) or any(_program_may_prepare(script, words, depth) for words in programs)


def _program_may_prepare(script: Context, words: list[str], depth: int) -> bool:
    name = words[0].rpartition("/")[2]
    if name in {"source", "."} and words[1:]:
        return _file_may_prepare(script, words[1], depth)
    if name == "eval":
        return any("$" in word or "`" in word for word in words[1:])
    # whatever the path of conda is, and wherever its output is kept until `eval`
    return any(_HOOK.fullmatch(word) for word in words[1:3])


def _file_may_prepare(script: Context, path: str, depth: int) -> bool:
    """Return whether reading a file may do so: one of the project is looked into."""
    if _READY.search(path.rstrip("}")):
        return True
    if _NOT_READY.search(path):
        return False
    if _PROFILE.fullmatch(path):
        return bool(script.cluster.data.get("cluster_conda_activate") != "source")
    text = sourced_text(script, path)
    if text is None or depth >= _DEEPEST:
        return True
    file = read_shell(text)
    return bool(file.functions & _CALLED) or any(_may_prepare(script, other, depth + 1) for other in file.commands)


def _module_may_prepare(script: Context, command: ShellCommand) -> bool:
    """Return whether loading modules may do so: those for something else than conda define no function of it."""
    if command.name in {"module", "ml"} and command.arguments[:1] in (["restore"], ["r"], ["source"]):
        return True
    purposes = {_base(name): purpose for purpose, named in by_purpose(script).items() for name in named}
    for word in loaded(command):
        purpose = purposes.get(_base(word.text), "other" if _UNRELATED.fullmatch(word.text) else "")
        if not purpose or (purpose == "conda" and script.cluster.data.get("cluster_conda_activate") != "source"):
            return True
    return False


def _base(module: str) -> str:
    """Return a module's name without its version."""
    return module.partition("/")[0]
