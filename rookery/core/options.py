"""Declare a command's options once: its flags, their help, and the values that its code gets."""

from dataclasses import MISSING, Field, dataclass, field
from typing import Any, ClassVar, Self, dataclass_transform


def option(  # noqa: PLR0913 all that can be said of an option
    *,
    default: Any = MISSING,
    help: str,  # noqa: A002 Invoke's name for it
    value: str = "",
    positional: bool = False,
    several: bool = False,
    iterable: bool = False,
    optional: bool = False,
    incrementable: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare an option.

    Args:
        default: Its value where it is not given; without one, it is a positional argument that must be given.
        help: What it is for.
        value: What stands for its value in the help, such as SIZE; its name where this is empty.
        positional: It may be given by its place, too.
        several: Several words may be given, or a list with commas; they arrive as one text with commas between them.
        iterable: It may be given more than once, or as several words; its value is a tuple.
        optional: It may be given without a value, and is True then.
        incrementable: It is counted.
        choices: The values that it may have, in any case of letters; the empty text is always one of them.
    """
    how = {"positional": positional, "iterable": iterable, "optional": optional, "incrementable": incrementable}
    return field(
        default=default, metadata={"help": help, "value": value, "several": several, "choices": choices, **how}
    )


@dataclass_transform(frozen_default=True, field_specifiers=(option, field))
class Options:
    """The options of one command; the docstring of a subclass is the command's help.

    Attributes:
        examples: Command lines for the help, without the name of the program; each works as it is.

    A subclass becomes a frozen dataclass when it is first used: to make all of them takes as long as all else that the
    command line needs.
    """

    examples: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make the class a dataclass first, where it is none yet."""
        if "__dataclass_fields__" not in vars(cls):
            dataclass(frozen=True)(cls)
        return super().__new__(cls)

    @classmethod
    def default(cls, name: str) -> Any:
        """Return what a flag is where it is not given."""
        return cls.flags()[name].default

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the help, without the full stop."""
        return (cls.__doc__ or "").partition("\n")[0].removesuffix(".")

    @classmethod
    def flags(cls) -> dict[str, Field[Any]]:
        """Return the fields that are flags, by name, in their order."""
        fields = vars(cls).get("__dataclass_fields__") or {
            name: value for name, value in vars(cls).items() if isinstance(value, Field)
        }
        return {name: value for name, value in fields.items() if value.metadata}
