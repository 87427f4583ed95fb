"""Run a function in a background thread."""

from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Waiting(Protocol[T_co]):
    """Wait for a function's end, and return or raise what it did."""

    def __call__(self, timeout: float | None = None) -> T_co:
        """Wait, at most so many seconds; then raise TimeoutError, while the function goes on."""


def begun(act: Callable[[], T]) -> Waiting[T]:
    """Start a function in a thread; the returned function waits for its end, and returns or raises what it did."""
    done: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(act())
        except Exception as error:  # raised where it is waited for
            failed.append(error)

    thread = Thread(target=copy_context().run, args=(run,), daemon=True)
    thread.start()

    def wait(timeout: float | None = None) -> T:
        thread.join(timeout)
        if thread.is_alive():
            raise TimeoutError
        if failed:
            raise failed[0]
        return done[0]

    return wait
