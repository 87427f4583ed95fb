"""Ask the user on the terminal: questions on standard error, answers from standard input."""

import sys
from collections.abc import Mapping, Sequence

from rookery.core import console, wrapping
from rookery.core.errors import RookeryError


def is_interactive() -> bool:
    """Return whether there is a user to ask."""
    return not console.keeps_notes() and sys.stdin.isatty() and sys.stderr.isatty()


def read(question: str) -> str | None:
    """Ask, and return what was typed, stripped; None at the end of the input.

    Args:
        question: What is asked, up to where the answer is typed.
    """
    sys.stdout.flush()  # where it goes through a pipe, what is asked about comes before the question
    print(wrapping.fit(question, sys.stderr), end=" ", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if line:
        return line.strip()
    print(file=sys.stderr)
    return None


def ask(question: str, default: str = "", choices: Sequence[str] = ()) -> str:
    """Ask, again where the answer is not one of the choices.

    Args:
        question: One line, without a question mark where a colon follows better. Blanks before it indent all lines.
        default: What Enter alone means.
        choices: What the answer may be, in small letters; anything where empty.

    Raises:
        RookeryError: The input's end came instead of an answer.
    """
    named = " or ".join(filter(None, choices))  # "" is Enter alone
    behind = f" ({named})" if choices else ""
    while True:
        typed = read(f"{question}{behind}{f' [{default}]' if default else ''}:")
        if typed is None:
            raise RookeryError("No answer.", hint="run the same command again, or give the answers as options")
        answer = typed or default
        if not choices or answer.lower() in choices:
            return answer.lower() if choices else answer
        indent = " " * (len(question) - len(question.lstrip()))
        console.note(f"{indent}Please answer {named}.")


def choose(question: str, choices: Mapping[str, str]) -> str:
    """Show the choices as a numbered list, and ask for one of them, by its number or its name.

    Args:
        question: A line above the list.
        choices: What can be chosen, each with a few words about it.

    Returns:
        The choice, as `choices` names it.

    Raises:
        RookeryError: The input's end came instead of an answer.
    """
    names = list(choices)
    width = max(map(len, names))
    console.note(question, *(f"  {n:>2}  {name:<{width}}  {choices[name]}".rstrip() for n, name in enumerate(names, 1)))
    accepted = {name.lower(): name for name in names} | {str(number): name for number, name in enumerate(names, 1)}
    while (answer := ask("Number or name").lower()) not in accepted:
        console.note(f"Answer 1 to {len(names)}, or a name.")
    return accepted[answer]


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask for yes or no, again where the answer is neither.

    Args:
        question: One line.
        default: What Enter alone means. The input's end means no.
    """
    while True:
        typed = read(f"{question} [{'Y/n' if default else 'y/N'}]")
        if typed is None or typed.lower() in {"n", "no"}:
            return False
        if not typed or typed.lower() in {"y", "yes"}:
            return bool(typed) or default
