"""RK605: `conda activate` in a shell that nothing has made ready for it.

`conda activate` is a function of the shell. Four things define it: `conda init`'s lines in start-up files, which a job
does not read; conda's own `etc/profile.d/conda.sh`; `eval "$(conda shell.bash hook)"`; and `source activate`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from rookery.jobs.lint.context import Context
from rookery.jobs.lint.effective import programs_run
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.modules import by_purpose, loaded, looks_for
from rookery.jobs.lint.shell import ShellCommand
from rookery.jobs.lint.shell import read as read_shell
from rookery.jobs.lint.sourcing import sourced_text

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
_CALLED = frozenset({"conda", "mamba"})
_DEEPEST = 5

State = Literal["ready", "unknown", "perhaps", ""]
"""What a command does for `conda activate`: makes it ready; can't be known, as a file that only the cluster has (both:
no finding); may do so, as a module or the site's profile (a warning, never fixed); or nothing."""


def conda(script: Context) -> Iterator[Finding]:
    """Yield findings for `conda activate` in a shell that was not prepared for it."""
    if script.is_login_shell or script.shell.functions & _CALLED:
        return
    states = [(command, _state(script, command)) for command in script.shell.commands]
    for command, _ in states:
        if command.name not in _CALLED or command.arguments[:1] != ["activate"]:
            continue
        before = {state for other, state in states if other.start < command.start or command.function}
        if before & {"ready", "unknown"} or (command.maybe and looks_for(script, "conda")):
            continue
        yield _finding(script, command, certain="perhaps" not in before)


def _finding(script: Context, command: ShellCommand, *, certain: bool) -> Finding:
    """Return the finding for a `conda activate` that fails, or may fail."""
    site, modules = script.cluster.name, by_purpose(script).get("conda") or []
    bases = {_base(module): module for module in reversed(modules)}
    before = [word for other in script.shell.commands if other.start < command.start for word in loaded(other)]
    module = next((_base(word.text) for word in before if _base(word.text) in bases), "")
    shown = script.text[command.start : command.words[-1].end]
    mended = "source" + shown.removeprefix(command.words[0].text)
    why = (
        f"`{shown}` needs a function of the shell. `conda init` puts it into start-up files, which a job does not read"
    )
    if not certain:
        why += f"; the job fails here unless something above defines it. `{mended}` needs only conda on PATH."
    elif module:
        why += f", and {module} on {site} does not define it. Use `{mended}`."
    elif modules:
        verb = script.cluster.data.get("cluster_module_verb", "load")
        why += f", and nothing above defines it. On {site}, load conda (`module {verb} {modules[0]}`), then `{mended}`."
    else:
        why += ', and nothing above defines it. Put `eval "$(FOLDER/bin/conda shell.bash hook)"` above it, with the '
        why += "folder of your conda."
    return script.finding(
        "RK605",
        command.line,
        why,
        severity="error" if certain else "warning",
        edits=[Edit(command.words[0].start, command.words[1].end, "source activate")] if modules else [],
        safe=certain and bool(module) and len(command.arguments) > 1,
    )


def _state(script: Context, command: ShellCommand, depth: int = 0) -> State:
    """Return what a command does for `conda activate`."""
    states = [_state_of(script, [word.text for word in words], depth) for words in programs_run(script, command)]
    return _best([*states, _state_of_modules(script, command)])


def _best(states: Iterable[State]) -> State:
    found = set(states)
    order: tuple[State, ...] = ("ready", "unknown", "perhaps")
    return next((state for state in order if state in found), "")


def _state_of(script: Context, words: list[str], depth: int) -> State:
    """Return what a program does that is no module's."""
    name = words[0].rpartition("/")[2]
    if name in {"source", "."} and words[1:]:
        return _state_of_file(script, words[1], depth)
    if name == "eval":
        return "unknown" if any("$" in word or "`" in word for word in words[1:]) else ""
    # whatever the path of conda is, and wherever its output is kept until `eval`
    return "ready" if any(_HOOK.fullmatch(word) for word in words[1:3]) else ""


def _state_of_file(script: Context, path: str, depth: int) -> State:
    """Return what reading a file does: one of the project is looked into."""
    if _READY.search(path.rstrip("}")):
        return "ready"
    if _NOT_READY.search(path):
        return ""
    if _PROFILE.fullmatch(path):
        return "" if script.cluster.data.get("cluster_conda_activate") == "source" else "perhaps"
    text = sourced_text(script, path)
    if text is None or depth >= _DEEPEST:
        return "unknown"
    file = read_shell(text)
    return "ready" if file.functions & _CALLED else _best(_state(script, other, depth + 1) for other in file.commands)


def _state_of_modules(script: Context, command: ShellCommand) -> State:
    """Return what loading modules does: those for something else than conda define no function of it."""
    if command.name in {"module", "ml"} and command.arguments[:1] in (["restore"], ["r"], ["source"]):
        return "perhaps"
    activates = script.cluster.data.get("cluster_conda_activate")
    purposes = {_base(name): purpose for purpose, named in by_purpose(script).items() for name in named}
    state: State = ""
    for word in loaded(command):
        purpose = purposes.get(_base(word.text), "other" if _UNRELATED.fullmatch(word.text) else "")
        if purpose == "conda" and activates == "conda":
            return "ready"
        if not purpose or (purpose == "conda" and activates != "source"):
            state = "perhaps"
    return state


def _base(module: str) -> str:
    """Return a module's name without its version."""
    return module.partition("/")[0]
