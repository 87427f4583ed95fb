"""RK5: where logs go."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from rookery.core import yaml_document
from rookery.core.errors import RookeryError
from rookery.jobs.lint.finding import Edit, Finding, apply
from rookery.jobs.lint.script.context import Context
from rookery.projects.scripts.directives import DirectiveOption

_LATER = re.compile(r"%\d*[aAjJnNst]")
"""Patterns that Slurm knows when it has taken the job, or later: a folder cannot be named so beforehand."""


def log_folders(script: Context) -> Iterator[Finding]:
    """Yield findings for logs in missing folders: Slurm makes none, and the job fails at once."""
    reported = set()
    for name in ("output", "error"):
        option = script.directives.get(name)
        if not option or not option.value or "$" in option.value or option.value.startswith("~"):
            continue
        folder = posixpath.dirname(_with_job_name(script, option.value))
        chdir = script.directives.value("chdir") or ""
        if not folder or folder in reported:
            continue
        reported.add(folder)
        if _LATER.search(folder):
            why = (
                f"Slurm creates no folders, and {folder} is not known before the job has its number: the job fails at "
                "once, without a log."
            )
            yield script.finding("RK501", option.line, why, edits=[_flat(script, option)])
        elif not folder.startswith(("/", "..")) and "%" not in folder and not chdir:
            yield from _missing(script, option, posixpath.normpath(folder))


def _with_job_name(script: Context, path: str) -> str:
    """Return a log's path with the job's name in it, where the script gives one."""
    name = script.directives.value("job-name")
    return path.replace("%x", name) if name else path


def _flat(script: Context, option: DirectiveOption) -> Edit:
    """Return the log's path with patterns, which are known too late, in its name rather than its folder."""
    folders, _, name = (option.value or "").rpartition("/")
    kept = [part for part in folders.split("/") if not _LATER.search(part)]
    late = [part for part in folders.split("/") if _LATER.search(part)]
    return script.value_edit(option, "/".join([*kept, "_".join([*late, name])]))


def _missing(script: Context, option: DirectiveOption, folder: str) -> Iterator[Finding]:
    exists = script.folder(folder)
    if exists or folder == ".":
        return
    mkdir = next(
        (
            command
            for command in script.shell.commands
            if command.name == "mkdir" and folder in _mkdir_folders(command.arguments)
        ),
        None,
    )
    late = f" The mkdir in line {mkdir.line} runs too late." if mkdir else ""
    why = f"Slurm creates no folders: without {folder}/ the job fails at once, without a log.{late}"
    if not script.project:
        why += f" Create it first, in the folder that you submit from: mkdir -p {folder}"
        yield script.finding("RK501", option.line, why, severity="warning")
        return
    about = script.files("rookery.yml") or ""
    mended, safe = outputs_with(about, folder)
    line = next((new for new, old in zip(mended.split("\n"), [*about.split("\n"), ""], strict=False) if new != old), "")
    why += " Add it to `outputs` in rookery.yml, so that deploy creates it."
    yield Finding("RK501", script.path, option.line, "error", why, line or None, safe, folder=folder if safe else "")


def _mkdir_folders(arguments: list[str]) -> set[str]:
    return {posixpath.normpath(argument) for argument in arguments if not argument.startswith("-")}


def outputs_with(text: str, folder: str) -> tuple[str, bool]:
    """Return a rookery.yml whose outputs name a folder too, and whether that could be done.

    Everything else stays as it is.

    Args:
        text: The rookery.yml.
        folder: The folder, a path in the project.
    """
    import yaml

    item = yaml.safe_dump(folder, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    flow = re.search(r"(?m)^outputs:[ \t]*\[(?P<items>[^\[\]#]*?)[ \t]*(?P<comma>,?)\s*\]", text)
    block = re.search(r"(?m)^outputs:[ \t]*(?:#.*)?\n(?P<items>(?:(?P<lead>[ \t]*- ).*(?:\n|\Z))+)", text)
    if flow:
        items = flow["items"].strip()
        mended = apply(text, [Edit(flow.end("items"), flow.end(), f"{', ' if items else ''}{item}]")])
    elif block:
        gap = "" if block.group().endswith("\n") else "\n"
        mended = apply(text, [Edit(block.end(), block.end(), f"{gap}{block['lead']}{item}\n")])
    else:
        mended = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}outputs: [{item}]\n"
    try:
        before, after = (yaml_document.parse(Path("rookery.yml"), content).data for content in (text, mended))
    except RookeryError:
        return text, False
    if not before or not isinstance(before.get("outputs") or [], list):
        return text, False
    wanted = {**before, "outputs": [*(before.get("outputs") or []), folder]}
    return (mended, True) if after == wanted else (text, False)
