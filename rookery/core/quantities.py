"""Numbers of things, in words."""


def counted(number: int, word: str) -> str:
    """Return a number with its noun: `1 core`, `2 cores`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
