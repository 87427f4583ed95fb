"""RK602 and RK603: the calls of `module`: its subcommands, and clusters without it."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.shell import ShellCommand
from rookery.jobs.lint.script.tokens import ShellWord

_LOADS = frozenset({"add", "load", "try-add", "try-load", "add-any", "load-any", "switch", "swap", "sw"})


def module_calls(script: Context, *called: str) -> list[ShellCommand]:
    """Return the script's calls of `module`, or of these names, unless it defines that command itself."""
    if script.shell.functions & {"module"}:
        return []
    return [command for command in script.shell.commands if command.name in (called or {"module"})]


def loaded(command: ShellCommand) -> list[ShellWord]:
    """Return the modules that a command loads."""
    if command.name not in {"module", "ml"}:
        return []
    given = [word for word in command.words[1:] if not word.text.startswith(("-", "+"))]
    if given and given[0].text in _LOADS:
        return given[1:]
    return given if command.name == "ml" and given and given[0].text not in names.VERBS else []


def as_written(script: Context, command: ShellCommand) -> str:
    """Return a command as the script has it, on one line."""
    return re.sub(r"\s*(?:\\?\n)\s*", " ", script.text[command.start : command.words[-1].end])


def by_purpose(script: Context) -> Mapping[str, list[str]]:
    """Return the modules that the profile names, by purpose: a few of the site's, never all of them."""
    return {purpose: list(named or []) for purpose, named in (script.cluster.data.get("cluster_modules") or {}).items()}


def profile_names(script: Context) -> set[str]:
    """Return the modules that the profile names, with and without their version."""
    named = [name for names in by_purpose(script).values() for name in names]
    return {*named, *(name.rpartition("/")[0] or name for name in named)}


def module_verb(script: Context) -> Iterator[Finding]:
    """Yield findings for a `module` with an unknown verb."""
    site = script.cluster.data.get("cluster_module_system")
    verb = script.cluster.data.get("cluster_module_verb", "load")
    for command in module_calls(script) if site != "none" else []:
        word = next(iter(command.words[1:]), None)
        # after an option, the first word may be its value: `module -w 80 avail`
        if not word or not word.fixed or word.text.startswith(("-", "+")) or _is_verb(word.text):
            continue
        if "/" in word.text or word.text in profile_names(script):
            edits, why = (
                [Edit(word.start, word.start, f"{verb} ")],
                f"`module` needs a subcommand before {word.text}.",
            )
        else:
            near = (
                verb
                if word.text in names.LOADING
                else next(iter(get_close_matches(word.text, sorted(names.VERBS), n=1, cutoff=0.75)), "")
            )
            edits = [Edit(word.start, word.end, near)] if near else []
            usage = f"use `module {near or verb} NAME`"
            why = f"Unknown subcommand `module {word.text}`: {usage}."
        yield script.finding("RK602", command.line, why, edits=edits, safe=True)


def _is_verb(text: str) -> bool:
    """Return whether `module` knows a verb; its first letters will do."""
    return text in names.VERBS or (len(text) > 1 and any(verb.startswith(text) for verb in names.VERBS))


def no_modules(script: Context) -> Iterator[Finding]:
    """Yield findings for `module` on a cluster that has none."""
    if script.cluster.data.get("cluster_module_system") != "none" or looks_for(script, "module"):
        return
    preamble = (script.cluster.data.get("cluster_job_preamble") or [""])[0]
    for command in module_calls(script):
        if command.maybe:
            continue
        line = script.line(command.line)
        alone = line.strip() == script.text[command.start : command.words[-1].end]
        start = script.starts[command.line - 1]
        python = re.search(r"python|conda|forge", " ".join(command.arguments))
        edits = [Edit(start, start + len(line), preamble)] if preamble and alone and python else []
        hint = f" For Python, use `{preamble}`." if preamble and python else ""
        yield script.finding("RK603", command.line, f"{script.cluster.name} has no modules.{hint}", edits=edits)


def looks_for(script: Context, name: str) -> bool:
    """Return whether a script first checks that a command is there."""
    asking = {"command", "type", "hash", "which", "declare"}
    return any(command.name in asking and name in command.arguments for command in script.shell.commands)
