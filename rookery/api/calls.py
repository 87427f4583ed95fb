"""Make a method of a command: it takes the command's options, prints nothing and asks nothing."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, replace
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_origin, get_type_hints

from rookery.core import console, invocation
from rookery.core.options import Options

P = ParamSpec("P")
R = TypeVar("R")
O = TypeVar("O", bound=Options)  # noqa: E741 the options


class Caller(Protocol):
    """What has methods that are commands."""

    def known(self) -> Mapping[str, Any]:
        """Return the options that it gives to each of its commands."""


S = TypeVar("S", bound=Caller)

NOT_TAKEN = ("json", "project", "sandbox")
"""Options that no method takes: the object knows, or they are about what is printed."""


@contextmanager
def quietly() -> Iterator[list[str]]:
    """Carry out a command for a program; return what it notes. Errors name commands as a user types them."""
    with console.kept_notes() as notes, invocation.guiding(), invocation.commands_as_typed():
        yield notes


def takes(options: Callable[P, O], *not_taken: str) -> Callable[[Callable[[S, O], R]], Callable[Concatenate[S, P], R]]:
    """Make a method of a function that is given the options of a command; its arguments are the options' fields.

    So there is one list of options, the command's; type checkers see it by its constructor, `help()` by what is
    written here.

    Args:
        options: The class of the options.
        not_taken: Fields that the method does not take, besides NOT_TAKEN.
    """
    flags = options.flags()  # type: ignore[attr-defined]
    hidden = [name for name in (*NOT_TAKEN, *not_taken) if name in flags]

    def decorate(method: Callable[[S, O], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            _check_types(method.__name__, options, dict(zip(flags, args, strict=False)) | kwargs)
            given = options(*args, **kwargs)
            if wrong := [name for name in hidden if getattr(given, name) != flags[name].default]:
                raise TypeError(f"{method.__name__}() takes no argument {wrong[0]!r}")
            known = {name: value for name, value in self.known().items() if name in flags}
            known = {name: value for name, value in known.items() if name in hidden or not getattr(given, name)}
            json = {"json": True} if "json" in flags else {}
            with quietly():
                return method(self, replace(given, **known, **json))  # type: ignore[type-var]

        shown = {name: flag for name, flag in flags.items() if name not in hidden}
        call.__signature__ = _signature(shown)  # type: ignore[attr-defined]
        arguments = "\n".join(f"    {name}: {flag.metadata['help']}" for name, flag in shown.items())
        call.__doc__ = f"{inspect.getdoc(method)}\n\nArgs:\n{arguments}" if shown else method.__doc__
        return call

    return decorate


def _check_types(name: str, options: Any, values: Mapping[str, Any]) -> None:
    """Check what a caller without a type checker gives; a text is no tuple of texts, though both can be iterated over.

    Raises:
        TypeError: A value is of another type than its option.
    """
    kinds = get_type_hints(options)
    for key, value in values.items():
        kind = kinds.get(key, object)  # the constructor refuses what is no option
        if get_origin(kind) is tuple:
            right = isinstance(value, tuple) and all(isinstance(each, str) for each in value)
        else:
            right = isinstance(value, kind)
        if not right:
            expected = "a tuple of str" if get_origin(kind) is tuple else getattr(kind, "__name__", str(kind))
            raise TypeError(f"{name}() takes {expected} for {key!r}, not {value!r}")


def _signature(shown: Mapping[str, Any]) -> inspect.Signature:
    """Return the signature for `help()` and for completion in notebooks."""
    kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    defaults = {name: empty if flag.default is MISSING else flag.default for name, flag in shown.items()}
    return inspect.Signature(
        [
            inspect.Parameter("self", kind),
            *(inspect.Parameter(name, kind, default=value) for name, value in defaults.items()),
        ]
    )
