"""The answer of a program, raised to end it from anywhere."""

from typing import Any


class Answer(Exception):  # noqa: N818 it is no error
    """The answer to the laptop, raised to end the program.

    Attributes:
        document: The answer; its `state` is the kind of answer.
    """

    def __init__(self, state: str, **values: Any) -> None:
        Exception.__init__(self, state)
        self.document = dict(values, state=state)
