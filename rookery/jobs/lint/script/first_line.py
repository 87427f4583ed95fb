"""What the first line of a script says: the program that runs it."""

import re
from itertools import dropwhile

SHELLS = frozenset({"sh", "bash", "dash", "ksh", "ksh93", "mksh", "zsh", "ash"})
"""The shells that read a script as sh does."""
_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+([^\n]*))?")


def interpreter(text: str) -> tuple[str, str] | None:
    """Return the program that a first line names, without its folder, and what that is given; None for none.

    Args:
        text: The script.
    """
    match = _SHEBANG.match(text)
    if not match:
        return None
    program, arguments = match.group(1).rpartition("/")[2], (match.group(2) or "").strip()
    if program == "env":
        words = [word.removeprefix("-S") for word in arguments.split()]
        words = list(dropwhile(lambda word: not word or word.startswith("-") or "=" in word, words))
        program, arguments = (words[0] if words else "").rpartition("/")[2], " ".join(words[1:])
    return program, arguments
