"""Read command lines: what Invoke's parser lacks, added to it in place, so that `invoke` and `rookery` read alike.

- Words are given to positional arguments that may be left out, or of which there may be several.
- What begins with a dash is an option, known or not; it is never taken for a word, except after `--`.
- A line has one command; Invoke would run several.
- A cluster's name is never taken for a value that may be left out, as in `doctor --report hec`.
- Values are checked: whole numbers, and those of a list.
- `sandbox up` is `sandbox.up`.
"""

from typing import Any

from rookery.cli.lean_invoke import ParseError, ParseMachine, Parser
from rookery.core import typed_command
from rookery.core.invocation import invocation
from rookery.core.options import long_option

_begin_of_invoke = ParseMachine.__init__
_handle, _see_value, _complete_context = ParseMachine.handle, ParseMachine.see_value, ParseMachine.complete_context
_complete_flag_of_invoke, _parse_argv = ParseMachine.complete_flag, Parser.parse_argv


_OF_INVOKE = {"--print-completion-script", "--write-pyc", "--no-write-pyc"}
"""Options that Invoke's own code looks for, and `rookery` does not have."""

_END = "\0--"
"""What stands for `--` between two readings: Invoke drops it, and no word of a command line has a NUL."""


def _parse(parser: Any, argv: list[str]) -> Any:
    """Join the two words of a command in a group, and note the line for messages.

    What comes after `--` is another command, where this one takes that. For others it is a word even where it begins
    with a dash. Only paths do, and `./-name` is the same path.
    """
    argv = [*argv[:1], *(_END if word == "--" else word for word in argv[1:])]
    parser.initial.line = tuple(argv)  # machines get a copy of it
    if not parser.contexts:  # Invoke's own options come first, and all that it does not know is read once more
        return _parse_argv(parser, argv)
    if len(argv) > 1 and (joined := ".".join(argv[:2])) in parser.contexts:
        argv = [joined, *argv[2:]]
    end = argv.index(_END) if _END in argv else len(argv)
    argv, rest = argv[:end], ["--" if word == _END else word for word in argv[end + 1 :]]
    if takes_rest := argv and argv[0] in parser.contexts and _rest(parser.contexts[argv[0]]):
        line = [*argv, *(["--", *rest] if rest else [])]
    else:
        line = argv = [*argv, *(f"./{word}" if word.startswith("-") else word for word in rest)]
    parser.initial.line = tuple(argv)
    read = _parse_argv(parser, argv)
    if takes_rest:
        for word in rest:
            _rest(read[-1]).value = word
    if argv and argv[0] in parser.contexts:
        flags = parser.contexts[argv[0]].flags
        letters = {alias: name for alias, name in flags.aliases.items() if name.startswith("--")}
        typed_command.note(line, {name: flag.takes_value for name, flag in flags.items()}, letters)
    return read


def _rest(context: Any) -> Any:
    """Return the argument of a command that takes what comes after `--`; None where it has none."""
    return next((argument for argument in context.args.values() if getattr(argument, "is_rest", False)), None)


def _begin(machine: Any, initial: Any, contexts: Any, ignore_unknown: bool) -> None:
    """Begin without a copy of all commands, which takes 10 ms: the one that the line names is copied then."""
    _begin_of_invoke(machine, initial, type(contexts)(), ignore_unknown)
    machine.contexts = contexts


def _take(machine: Any, word: str) -> None:
    """Take a word or an option."""
    context = machine.context
    if context is machine.initial and (option := word.partition("=")[0]) in _OF_INVOKE:
        raise ParseError(f"Unknown option {option}.\n  next: {invocation()} --help", context)
    if machine.waiting_for_flag_value and not machine.flag.optional and word.partition("=")[0] in _options(context):
        machine.error("needed value")
    elif context is machine.initial or (machine.waiting_for_flag_value and not _is_no_value(machine, word)):
        _handle(machine, word)
    elif word in {"-h", "--help"}:
        machine.initial.flags["--help"].value = context.name
    elif word.startswith("-") and len(word) > 1:
        _take_option(machine, word)
    elif (free := next((argument for argument in context.positional_args if _is_free(argument)), None)) and not (
        context.name == f"{machine.initial.line[0]}.list" and not _is_clusters(word)  # `data push`, misspelt
    ):
        machine.complete_flag()
        machine.flag, free.value = None, word
    else:  # one command a line: a second one would run with what is meant for the first
        machine.error(f"No idea what {word!r} is!")


def _take_option(machine: Any, option: str) -> None:
    context = machine.context
    if option in context.flags or option in context.inverse_flags:
        _handle(machine, option)
        if not machine.flag.takes_value and any(word.startswith(f"{option}=") for word in machine.initial.line):
            machine.error("doesn't take any value")
    elif option in {"-d", "--debug"}:  # the other options of the program say what to do instead of the command
        machine.switch_to_flag(option)
    else:
        _refuse_option(machine, option)


def _refuse_option(machine: Any, option: str) -> None:
    from rookery.cli.usage_errors import unknown_option  # noqa: PLC0415 start-up

    raise ParseError(unknown_option(option.partition("=")[0], machine), machine.context)


def _options(context: Any) -> set[str]:
    """Return what stands for an option of a command and is never a value, those that people guess among them."""
    from rookery.cli import guesses  # noqa: PLC0415 start-up

    return {*context.flags, *context.flags.aliases, *context.inverse_flags, *guesses.OPTIONS, "-h", "--help"}


def _is_no_value(machine: Any, word: str) -> bool:
    """Return whether a word that follows an option is another option or a cluster, where the option needs no value.

    With `=` between the two, any word is the value.
    """
    option = machine.flag
    if not option.optional or f"{long_option(option.name)}={word}" in machine.initial.line:
        return False
    return (word.startswith("-") and len(word) > 1) or ("--cluster" in machine.context.flags and _is_clusters(word))


def _is_clusters(word: str) -> bool:
    """Return whether a word names clusters; those of rookery's own inventory where the user's can't be read."""
    from rookery.clusters.config import profile  # noqa: PLC0415 start-up
    from rookery.core import paths  # noqa: PLC0415 start-up
    from rookery.core.errors import RookeryError  # noqa: PLC0415 start-up

    try:
        known = profile.names()
    except RookeryError:
        known = profile.names([paths.root() / "inventory"])
    return all(name in (*known, "all") for name in word.split(","))


def _is_free(argument: Any) -> bool:
    return argument.kind is list or not argument.got_value


def _take_value(machine: Any, value: str) -> None:
    """Set an option, if the value is one that it may have."""
    choices = getattr(machine.flag, "choices", ())
    if choices and value:
        if value.lower() not in choices:
            from rookery.core import near_names  # noqa: PLC0415 start-up

            _refuse_value(machine, value, near_names.either(choices))
        value = value.lower()
    try:
        _see_value(machine, value)
    except ValueError:
        _refuse_value(machine, value, "a whole number")


def _refuse_value(machine: Any, value: str, wanted: str) -> None:
    from rookery.cli.usage_errors import wrong_value  # noqa: PLC0415 start-up

    raise ParseError(wrong_value(value, wanted, machine), machine.context)


def _complete_flag(machine: Any) -> None:
    """Refuse an option without its value, also one that may be repeated."""
    if machine.flag and machine.flag.kind is list and not machine.flag_got_value:
        machine.error("needed value")
    _complete_flag_of_invoke(machine)


def _complete(machine: Any) -> None:
    """Refuse a command without all that it must be given, unless its help was asked for."""
    context = machine.context
    if context is not machine.initial:
        needed = [argument for argument in context.positional_args if getattr(argument, "is_required", False)]
        lacking = [argument for argument in needed if argument.value in (None, [])]
        if machine.initial.flags["--help"].value == context.name:
            for argument in lacking:
                argument.value = ""
        elif lacking:
            from rookery.cli.usage_errors import missing  # noqa: PLC0415 start-up

            raise ParseError(missing((argument.placeholder for argument in lacking), machine), context)
    _complete_context(machine)


def _refuse(machine: Any, message: str) -> None:
    """Refuse a command line as every command does: what is wrong, and what to run next."""
    from rookery.cli.usage_errors import explained  # noqa: PLC0415 start-up

    raise ParseError(explained(message, machine), machine.context)


Parser.parse_argv = _parse  # type: ignore[method-assign, assignment]
ParseMachine.__init__ = _begin  # type: ignore[method-assign, assignment]
ParseMachine.handle = _take  # type: ignore[method-assign, assignment]
ParseMachine.see_value = _take_value  # type: ignore[method-assign, assignment]
ParseMachine.complete_flag = _complete_flag  # type: ignore[method-assign, assignment]
ParseMachine.complete_context = _complete  # type: ignore[method-assign, assignment]
ParseMachine.error = _refuse  # type: ignore[method-assign, assignment]
