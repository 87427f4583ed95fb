"""The command line that the user typed, for hints that repeat it with something added or removed.

The parser notes it when it has read one. A command that is called from code has none.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class _Line:
    """A command line.

    Attributes:
        words: Its words, from the command's name on.
        options: The command's options, each with whether it takes a value.
        letters: Short forms of options, each with the option: -c, --cluster.
    """

    words: tuple[str, ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)


_line = _Line()

_LONGEST = 1000
"""Characters of a command line that a hint repeats, such as one with a hundred files."""


def note(words: Iterable[str], options: Mapping[str, bool], letters: Mapping[str, str]) -> None:
    """Remember the command line that is carried out.

    Args:
        words: Its words, from the command's name on.
        options: The command's options, each with whether it takes a value.
        letters: Short forms of options, each with the option.
    """
    global _line  # noqa: PLW0603 one command runs in a process
    _line = _Line(tuple(words), options, letters)


def forget() -> None:
    """Forget the command line, when its command has ended."""
    note((), {}, {})


def takes(option: str) -> bool:
    """Return whether the command that the user typed has an option."""
    return option in _line.options


def names(word: str) -> bool:
    """Return whether a word is one of those that the user typed."""
    return word in _line.words


def again(*options: str, argument: str = "", without: Iterable[str] = ()) -> str:
    """Return the command line as the user typed it, with a change, as a hint.

    Args:
        options: Options to add, each followed by its value; one that was given is replaced.
        argument: A word to add as the command's first argument.
        without: Options to leave out, with their values.
    """
    if not _line.words or len(shlex.join(_line.words)) > _LONGEST:
        return f"run the same command {_change(options, argument, without)}".rstrip()
    name, *words = _line.words
    left_out = {*without, *(option for option in options if option.startswith("--"))}
    end = words.index("--") if "--" in words else len(words)  # behind which another command stands
    added = [argument, *_without(words[:end], left_out), *options, *words[end:]]
    return f"invoke {shlex.join([name, *filter(None, added)])}"


def _without(words: list[str], left_out: set[str]) -> list[str]:
    """Return words without some options and their values."""
    kept: list[str] = []
    is_value = False
    for word in words:
        typed, has_value, _ = word.partition("=")
        option = _line.letters.get(typed, typed)
        if not is_value and option not in left_out:
            kept.append(word)
        is_value = not is_value and option in left_out and not has_value and _line.options.get(option, False)
    return kept


def _change(options: Iterable[str], argument: str, without: Iterable[str]) -> str:
    added, removed = shlex.join(filter(None, [argument, *options])), " and ".join(without)
    return " and ".join([f"with {added}"] * bool(added) + [f"without {removed}"] * bool(removed and not added))
