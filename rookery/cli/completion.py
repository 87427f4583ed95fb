"""Completion of command lines: what a shell's function asks for at each Tab (`rookery --complete -- WORDS`)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field
from typing import Any

from rookery.cli import commands
from rookery.cli.command import LETTERS
from rookery.core.errors import RookeryError
from rookery.core.options import long_option
from rookery.core.preferences import CHOICES, KEYS

Candidate = tuple[str, str]
"""A word, and what it stands for."""

FILES, DIRECTORIES = ":files", ":directories"
"""Answers that have the shell complete paths, as it does for other programs."""
_PROGRAM_OPTIONS = {
    "--help": "the list of commands, or the help of one",
    "--list": "the list of commands",
    "--version": "which version this is",
    "--debug": "show a traceback where rookery itself fails",
}


def answer(words: Sequence[str]) -> str:
    """Return the candidates for the last word, one a line: the word, a tab, what it is.

    Args:
        words: The command line up to the cursor, from the program's name on; the last is what is being typed.
    """
    *before, current = _joined(words[1:]) or [""]
    try:
        return "\n".join("\t".join(candidate).rstrip("\t") for candidate in _candidates(before, current))
    except RookeryError:  # a rookery.yml that can't be used, for example: a Tab is no place to say so
        return ""


def _joined(words: Sequence[str]) -> list[str]:
    """Return the words with `--option=value` in one piece, which bash takes apart."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and (word == "=" or joined[-1].endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _candidates(before: list[str], current: str) -> Iterator[Candidate]:
    listed = {name: options for group in commands.by_title().values() for name, options in group}
    name = next((name for name in (".".join(before[:2]), *before[:1]) if name in listed), "")
    if not name:
        prefix = f"{before[0]}." if before else ""  # `sandbox` of `sandbox up`
        inner = {name.removeprefix(prefix): options for name, options in listed.items() if name.startswith(prefix)}
        if current.startswith("-") and not before:
            yield from _starting(current, _PROGRAM_OPTIONS.items())
        elif len(before) < 2:
            yield from _starting(current, ((name, options.summary()) for name, options in inner.items()))
        return
    flags, given = listed[name].flags(), before[name.count(".") * (before[0] != name) + 1 :]
    option, has_value, value = current.partition("=")
    if has_value and option.startswith("--"):
        key = option[2:].replace("-", "_")
        found = _values(name, key, flags[key], value, []) if key in flags else ()
        yield from ((f"{option}={word}", text) for word, text in found)
    elif given and (key := _named(given[-1], flags)) and _takes_value(flags[key]):
        yield from _values(name, key, flags[key], current, [])
    elif current.startswith("-"):
        yield from _starting(current, _options(flags, given))
    else:
        yield from _words(name, flags, given, current)


def _words(name: str, flags: dict[str, Field[Any]], given: list[str], current: str) -> Iterator[Candidate]:
    """Yield what may stand as the next word of a command; its options, where it takes no more words."""
    words = [
        word
        for before, word in zip(["", *given], given, strict=False)
        if not word.startswith("-") and not ((key := _named(before, flags)) and _takes_value(flags[key]))
    ]
    arguments = [(key, flag) for key, flag in flags.items() if flag.metadata["positional"] or flag.default is MISSING]
    free = arguments[len(words) :] or [pair for pair in arguments[-1:] if _is_list(pair[1])]
    if free:
        yield from _values(name, *free[0], current, words)
    else:
        named = {long_option(key) for key, _ in arguments}
        yield from _starting(current, _options(flags, [*given, *named]))


def _options(flags: dict[str, Field[Any]], given: Sequence[str]) -> Iterator[Candidate]:
    for key, flag in flags.items():
        written = long_option(f"no_{key}" if flag.default is True else key)
        if written not in given or _is_list(flag):
            yield written, flag.metadata["help"].replace("`invoke ", "`rookery ")


def _values(name: str, key: str, flag: Field[Any], current: str, given: Sequence[str]) -> Iterator[Candidate]:
    """Yield the values of an option or argument."""
    kind = flag.metadata["value"]
    if kind in {"DIR", "FILE"} or key in {"file", "files"}:
        if name == "lint" and key == "files":
            yield from _starting(current, _jobs(runs=False, jobs=True, given=given))
        yield DIRECTORIES if kind == "DIR" else FILES, ""
        return
    is_list = flag.metadata["several"] or kind == "ROLES"
    head, comma, last = current.rpartition(",") if is_list else ("", "", current)
    if key == "topic" and last.upper().startswith("RK"):
        found: Iterable[Candidate] = _rule_codes()
        last = last.upper()
    else:
        found = _known_values(name, key, flag, [*filter(None, head.split(",")), *given])
    left_out = [*head.split(","), *given]
    yield from ((f"{head}{comma}{word}", text) for word, text in _starting(last, found, given=left_out))


def _known_values(name: str, key: str, flag: Field[Any], given: Sequence[str]) -> Iterable[Candidate]:
    """Return all values that an option or argument may have; none where they are not known."""
    kind = flag.metadata["value"]
    if flag.metadata["choices"]:
        return ((choice, "") for choice in flag.metadata["choices"])
    if key == "key" and name.startswith("config."):
        return KEYS.items()
    if key == "value" and name == "config.set":
        return _settings(given[0] if given else "")
    if key in {"job", "after", "failed"} and kind in {"", "JOB", "NUMBER"} and name != "code":
        return _jobs(runs=kind == "NUMBER", jobs=kind != "NUMBER", given=given)
    if key == "cluster":
        return _clusters(with_all=bool(flag.metadata["several"]) and not given)
    known = _KNOWN.get(kind) or _KNOWN.get(key) or _KNOWN.get(f"{name} {key}")
    return known() if known else ()


def _clusters(*, with_all: bool) -> Iterator[Candidate]:
    from rookery.clusters.config import profile  # noqa: PLC0415 start-up

    for name in profile.names():
        yield name, ""
    if with_all:
        yield "all", "all clusters"


def _library() -> Iterator[Candidate]:
    from rookery.clusters.config import library  # noqa: PLC0415 start-up

    yield from ((name, "") for name in library.names())


def _settings(key: str) -> Iterator[Candidate]:
    """Yield the values that `config.set` may give a key, where they are known."""
    if key == "cluster":
        yield from _clusters(with_all=False)
    yield from ((choice, "") for choice in CHOICES.get(key, ()))


def _roles() -> Iterator[Candidate]:
    from rookery.clusters.config.roles import TAGS  # noqa: PLC0415 start-up

    yield from ((tag, "") for tag in TAGS)


def _shells() -> Iterator[Candidate]:
    from rookery.support.completion_command import SHELLS  # noqa: PLC0415 start-up

    yield from ((shell, "") for shell in SHELLS)


def _ways_to_log_in() -> Iterator[Candidate]:
    from rookery.sandbox.auth import WAYS  # noqa: PLC0415 start-up

    yield from ((way, "") for way in WAYS)


def _editors() -> Iterator[Candidate]:
    from rookery.homes.vscode.editors import EDITORS  # noqa: PLC0415 start-up

    yield from ((editor.command, editor.title) for editor in EDITORS)


def _pages() -> Iterator[Candidate]:
    from rookery.support.docs_command import pages  # noqa: PLC0415 start-up

    yield from ((page.topic, page.title) for page in pages())


def _rule_codes() -> Iterator[Candidate]:
    from rookery.support.docs_command import rule_codes  # noqa: PLC0415 start-up

    yield from ((code, "") for code in rule_codes())


_KNOWN: Mapping[str, Callable[[], Iterator[Candidate]]] = {
    "ROLES": _roles,
    "auth": _ways_to_log_in,
    "clusters.add name": _library,
    "editor": _editors,
    "shell": _shells,
    "topic": _pages,
}
"""Where the values come from, by what stands for them in the help, or by the option."""


def _jobs(*, runs: bool, jobs: bool, given: Sequence[str]) -> Iterator[Candidate]:
    """Yield the runs of the project here, the newest first, or its jobs."""
    from rookery.jobs import run_record  # noqa: PLC0415 start-up
    from rookery.projects import config  # noqa: PLC0415 start-up

    try:
        project = config.load()
    except config.NoProject:
        return
    if jobs:
        yield from ((name, str(job.get("command", ""))) for name, job in project.jobs.items() if name not in given)
    if runs:
        yield from ((run.id, f"{run.job} on {run.cluster}") for run in reversed(run_record.every(project.root)))


def _starting(current: str, found: Any, *, given: Sequence[str] = ()) -> Iterator[Candidate]:
    return ((word, text) for word, text in found if word.startswith(current) and word not in given)


def _named(word: str, flags: dict[str, Field[Any]]) -> str:
    """Return the option that a word is; "" for none."""
    letters = {f"-{letter}": key for key, letter in LETTERS.items()}
    key = letters.get(word) or (word[2:].replace("-", "_") if word.startswith("--") else "")
    return next((flag for flag in (key, f"{key}_") if flag in flags), "")  # from_ is --from


def _takes_value(flag: Field[Any]) -> bool:
    return not (isinstance(flag.default, bool) or flag.metadata["incrementable"] or flag.metadata["optional"])


def _is_list(flag: Field[Any]) -> bool:
    return bool(flag.metadata["several"] or flag.metadata["iterable"])
