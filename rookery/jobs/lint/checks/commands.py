"""RK6: the name of R's interpreter, and commands that are left running."""

from collections.abc import Iterator

from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run
from rookery.jobs.lint.script.shell import read

_AT_ONCE = frozenset({"echo", "printf", "exit", "date", "true", ":"})
"""Commands that end at once, so that the script ends with what is before them."""


def rscript(script: Context) -> Iterator[Finding]:
    """Yield findings for Rscript in other letters: Linux tells capitals from small letters."""
    for command in script.shell.commands:
        first = [command.words[0], *(words[0] for words in programs_run(script, command))]
        for word in {(word.start, word.text): word for word in first}.values():
            name = word.text.rpartition("/")[2]
            if not word.fixed or name.lower() != "rscript" or name in {"Rscript", *script.shell.functions}:
                continue
            at = script.text.find(name, word.start, word.end)
            alone = script.text.count(name, word.start, word.end) == 1  # in a string, it may also be printed
            yield script.finding(
                "RK601",
                command.line,
                f"Unknown command {name}: its name is Rscript, and Linux distinguishes upper and lower case.",
                edits=[Edit(at, at + len(name), "Rscript")] if alone else [],
                safe=True,
            )


def left_running(script: Context) -> Iterator[Finding]:
    """Yield a finding for a last command in the background: the job ends, and it with it."""
    commands = script.shell.commands
    last = next((command for command in reversed(commands) if command.name not in _AT_ONCE), None)
    if not last or not last.background or any(command.name in {"wait", "fg", "trap"} for command in commands):
        return
    end = len(script.text)
    waits = "wait\n" if script.text.endswith("\n") else "\nwait\n"
    # after a quote or a here-document that is not closed, it would be no command
    understood = read(script.text + waits).commands[-1].name == "wait"
    # what runs after it may end the script, and a shell waits for its own commands only
    simple = last is commands[-1] and not last.subshell and not last.function
    yield script.finding(
        "RK607",
        last.line,
        "The last command runs in the background (&), so the job ends at once, and the command with it. Add `wait`"
        f"{'' if simple else ' directly after it'}.",
        edits=[Edit(end, end, waits)] if understood and simple else [],
        safe=understood,
    )
