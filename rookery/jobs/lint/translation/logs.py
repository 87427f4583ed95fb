"""Where a job's output goes: the paths of logs with Slurm's patterns."""

import posixpath
import re
from collections.abc import Mapping

from rookery.jobs.lint.translation.common import NOT_EXPANDED
from rookery.jobs.lint.translation.model import Draft, ForeignOption, Log, Note

_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


def log_path(path: str, patterns: Mapping[str, str], here: str) -> str | None:
    """Return the path of a log with Slurm's patterns for variables; None where there is no pattern for one.

    Args:
        path: As it is written; a host before it (`login1:/home/…`) is left out.
        patterns: Slurm's pattern for each variable that may be in it.
        here: The variable that holds the folder of submission, from which Slurm takes paths anyway.
    """
    path = re.sub(r"^[\w.-]*:(?=[/~.$\w])", "", path)
    path = re.sub(rf"^\$\{{?{here}\}}?/", "", path) if here else path
    path = _VARIABLE.sub(lambda match: patterns.get(match[1], match[0]), path)
    return None if re.search(r"[$~`]", path) or not path else path


def keep(draft: Draft, option: ForeignOption, patterns: Mapping[str, str], here: str, kind: str) -> None:
    """Keep where output or errors go.

    Args:
        draft: The translation.
        option: The option.
        patterns: As for `log_path`.
        here: As for `log_path`.
        kind: output or error.
    """
    path = _of_command(draft, option.value) if draft.in_command else log_path(option.value, patterns, here)
    if path is None:
        draft.leave(option, NOT_EXPANDED)
    else:
        setattr(draft, kind, Log(path, option.line))


def _of_command(draft: Draft, path: str) -> str | None:
    """Return the path of a log that a command names, in which the shell expands; None where it is no mere path."""
    is_folder = path.endswith("/") or draft.is_folder(path.strip('"'))
    return None if is_folder or re.search(r"""[\\'`^:~]|\{(job|task)\}""", path) else path


def finish_command(draft: Draft) -> None:
    """Write the logs that a command names: the script says where the others go, but not that they are one."""
    joined, line = draft.joined
    output, error = draft.output, draft.error
    if joined and (joined not in {"oe", "y", "yes"} or not output):
        draft.notes.append(Note(line, joined, ""))
    elif joined:
        error = output
    for kind, log in (("output", output), ("error", error)):
        if log:
            draft.set(kind, log.path, log.line)
    if draft.appends:
        draft.set("open-mode", "append", line)


def finish(draft: Draft, default: str) -> None:
    """Write where logs go; what is not said is named as the other scheduler would.

    Args:
        draft: The translation.
        default: The name of a log there, with `{kind}` for o or e; "" where it has none.
    """
    is_array, first = bool(draft.array[0]), draft.output or draft.error
    kinds = {"output": draft.output, "error": draft.error}
    joined, line = draft.joined
    if joined:  # one file for both: the other path is not used
        kept = draft.error if joined == "eo" else draft.output
        kinds = {"output": kept, "error": None}
    for kind, log in kinds.items():
        if log is None and kind == "error" and (joined or not default):
            continue
        name = _with_numbers(default, is_array=is_array).replace("{kind}", kind[0] if joined != "eo" else "e")
        if log is None and not name:
            continue
        path = log.path if log else name
        if log and (path.endswith("/") or path in {".", ".."} or draft.is_folder(path)):
            path = posixpath.join(path, name or "slurm-%j.out")
        at = log.line if log else (line or (first.line if first else draft.last_line))
        draft.set(kind, _with_numbers(path, is_array=is_array), at)
    if draft.options.get("output", ("", 0))[0] == draft.options.get("error", (None, 0))[0]:
        del draft.options["error"]


def _with_numbers(path: str, *, is_array: bool) -> str:
    """Return a path with the patterns for the numbers of a job, `{job}` and `{task}`, written out."""
    if not is_array:
        return re.sub(r"[._-]?\{task\}", "", path).replace("{unique}", "{job}").replace("{job}", "%j")
    if "{task}" not in path:
        path = path.replace("{unique}", "{job}_{task}")
    return path.replace("{unique}", "{job}").replace("{job}", "%A").replace("{task}", "%a")
