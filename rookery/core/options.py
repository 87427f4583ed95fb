"""Declare a command's options once: its flags, their help, and the values that its code gets."""

import shlex
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
    rest: bool = False,
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
        rest: All words behind `--` are its value, whatever they look like; it is iterable.
        choices: The values that it may have, in any case of letters; the empty text is always one of them.
    """
    how = {"positional": positional, "iterable": iterable, "optional": optional, "incrementable": incrementable}
    known = {"help": help, "value": value, "several": several, "rest": rest, "choices": choices}
    return field(default=default, metadata={**known, **how})


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

    def command(self, name: str) -> str:
        """Return the command line that means these options, as hints have it: `invoke NAME …`, quoted for a shell.

        Args:
            name: The command.
        """
        flags = self.flags()
        first = [key for key, flag in flags.items() if flag.metadata["positional"] or flag.default is MISSING]
        words: list[str] = []
        for key in first:
            value = getattr(self, key)
            words += value if isinstance(value, tuple) else [str(value)] * (value not in {"", flags[key].default})
        for key, flag in flags.items():
            value = getattr(self, key)
            if key not in first and value != flag.default and not flag.metadata["rest"]:
                words += _written(long_option(key), flag, value)
        rest = [word for key, flag in flags.items() if flag.metadata["rest"] for word in getattr(self, key)]
        return shlex.join(["invoke", name, *words, *(["--", *rest] if rest else [])])

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


def long_option(key: str) -> str:
    """Return an option as it is typed: --max-running for max_running, --from for from_ (a word of Python)."""
    return f"--{key.rstrip('_').replace('_', '-')}"


def _written(option: str, flag: Field[Any], value: Any) -> list[str]:
    """Return the words that give an option a value that is not its default."""
    if flag.metadata["incrementable"]:
        return [option] * value
    if flag.metadata["iterable"]:
        return [word for each in value for word in (option, str(each))]
    if value is True and flag.metadata["optional"]:
        return [option]
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    return [f"{option}={value}"] if flag.metadata["optional"] else [option, str(value)]
