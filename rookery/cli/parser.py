"""Read command lines: what Invoke's parser lacks, added to it in place, so that `invoke` and `rookery` read alike.

- Words are given to positional arguments that may be left out, or of which there may be several.
- What begins with a dash is an option, known or not; it is never taken for a word.
- Values are checked: whole numbers, and those of a list.
- `sandbox up` is `sandbox.up`.
"""

from typing import Any

from rookery.cli.lean_invoke import ParseError, ParseMachine, Parser

_handle, _see_value, _complete_context = ParseMachine.handle, ParseMachine.see_value, ParseMachine.complete_context
_parse_argv = Parser.parse_argv


def lacking(context: Any) -> list[str]:
    """Return the names of a command's arguments that must be given and are not."""
    arguments = [argument for argument in context.positional_args if getattr(argument, "is_required", False)]
    return [str(argument.name) for argument in arguments if argument.value in (None, [])]


def _parse(parser: Parser, argv: list[str]) -> Any:
    """Join the two words of a command in a group, and note the line for error messages."""
    if len(argv) > 1 and (joined := ".".join(argv[:2])) in parser.contexts:
        argv = [joined, *argv[2:]]
    parser.initial.line = tuple(argv)  # type: ignore[union-attr]  # machines get a copy of it
    return _parse_argv(parser, argv)


def _take(machine: ParseMachine, token: str) -> None:
    """Take a word or an option of a command."""
    context = machine.context
    if context is machine.initial or not context or machine.waiting_for_flag_value:
        _handle(machine, token)
    elif token in {"-h", "--help"}:
        machine.initial.flags["--help"].value = context.name
    elif token.startswith("-") and token != "-":
        if token in context.flags or token in context.inverse_flags:
            _handle(machine, token)
        elif token in machine.initial.flags:
            machine.switch_to_flag(token)
        else:
            machine.error(f"unknown {token}")
    elif free := next((argument for argument in context.positional_args if _is_free(argument)), None):
        machine.complete_flag()
        machine.flag = None
        free.value = token
    else:
        _handle(machine, token)


def _is_free(argument: Any) -> bool:
    return argument.kind is list or not argument.got_value


def _take_value(machine: ParseMachine, value: Any) -> None:
    """Set an option, if the value is one that it may have."""
    flag = machine.flag
    choices = getattr(flag, "choices", ())
    if choices and value:
        if value.lower() not in choices:
            machine.error(f"one of {' '.join(choices)}: {value}")
        value = value.lower()
    try:
        _see_value(machine, value)
    except ValueError:
        machine.error(f"a whole number: {value}")


def _complete(machine: ParseMachine) -> None:
    """Refuse a command without all that it must be given, unless its help was asked for."""
    context = machine.context
    if context and context is not machine.initial:
        if machine.initial.flags["--help"].value == context.name:
            for argument in context.missing_positional_args:
                argument.value = ""
        elif lacking(context):
            machine.error("missing arguments")
    _complete_context(machine)


def _refuse(machine: ParseMachine, message: str) -> None:
    """Refuse a command line as every command does: what is wrong, and what to run next."""
    from rookery.cli.usage_errors import explained  # noqa: PLC0415 start-up

    raise ParseError(explained(message, machine), machine.context)


Parser.parse_argv = _parse  # type: ignore[method-assign, assignment]
ParseMachine.handle = _take  # type: ignore[method-assign, assignment]
ParseMachine.see_value = _take_value  # type: ignore[method-assign, assignment]
ParseMachine.complete_context = _complete  # type: ignore[method-assign, assignment]
ParseMachine.error = _refuse  # type: ignore[method-assign, assignment]
