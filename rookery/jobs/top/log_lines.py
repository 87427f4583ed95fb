"""The last lines of a log, as many as a screen can scroll through."""

from collections import deque

MOST = 20_000
"""Lines that are kept."""

LONGEST = 2_000
"""Characters after which a line goes on in the next one: a program may write megabytes without an end of line."""


class LogLines:
    """Lines that come in pieces; the oldest go where there are too many.

    Attributes:
        revision: Another number after each change.
        widest: The most columns that a line has had.
    """

    def __init__(self, most: int = MOST) -> None:
        self._lines: deque[str] = deque(maxlen=most)
        self._is_open = False  # whether the last line goes on
        self.revision = self.widest = 0

    def __len__(self) -> int:
        """Return how many lines are kept."""
        return len(self._lines)

    def __getitem__(self, place: int) -> str:
        """Return a line."""
        return self._lines[place]

    def add(self, text: str) -> None:
        """Add a text, which begins where the last one ended."""
        if not text:
            return
        if self._is_open:
            text = self._lines.pop() + text
        self.revision += 1
        self._is_open = not text.endswith("\n")
        for line in text.removesuffix("\n").split("\n"):
            for start in range(0, len(line) or 1, LONGEST):
                self._lines.append(line[start : start + LONGEST])
            self.widest = max(self.widest, min(len(line), LONGEST))
