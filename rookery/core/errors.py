"""The error that users see: one line, or a line for each problem of a file, and the command to run next."""

from collections.abc import Sequence


class RookeryError(Exception):
    """An error that a user can act on.

    Attributes:
        message: One line that says what is wrong, and with what; several where files have several problems.
        hint: The command to run next, or what else to do; None where there is nothing to suggest.
        details: The last lines of the output of a program that failed.
    """

    def __init__(self, message: str, *, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)

    def __str__(self) -> str:
        """Return message, details and hint, as a terminal shows them."""
        details = [f"  | {line}" for line in self.details]
        return "\n".join([self.message, *details, *([] if self.hint is None else [f"  next: {self.hint}"])])


def one_line(text: str) -> str:
    """Return a text from elsewhere fit for a message: without line breaks and control characters."""
    return "".join(character if character.isprintable() else "?" for character in text)
