"""The command `export`: render a tool's settings, and print them or write them into files."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from rookery.core import atomic_files, console, typed_command, written_files
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.jobs.export import laptop, settings
from rookery.jobs.export.rendering import FILES, render
from rookery.jobs.options import ExportOptions
from rookery.projects import config
from rookery.projects import target as targets


def run(options: ExportOptions) -> int:
    """Print a tool's settings, or write them.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: The job can't be one of a tool's, a file of the user's is where one would be written, or a tool
            that logs in can't.
    """
    if options.tool not in FILES:
        raise RookeryError(
            f"Unknown tool {options.tool!r}{meant(options.tool, FILES)}. Tools: {', '.join(FILES)}.",
            hint=f"invoke export {closest(options.tool, FILES) or next(iter(FILES))}",
        )
    if options.check and not options.output:
        raise RookeryError("Use --check with --output.", hint=typed_command.again(without=("--check",)))
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project = target.required_project
    name = options.job or next(iter(project.jobs), "")
    if not name:
        raise RookeryError(f"{config.shown(project.file)} has no jobs.", hint="invoke docs rookery-yml")
    task = settings.of_job(project, name, target.cluster)
    if options.tool in laptop.TOOLS:
        task = laptop.reached(task, target)
    texts = render(options.tool, task)
    if options.output:
        _write(_places(options, texts), check=options.check)
    else:
        _print(texts)
    return 0


def _print(texts: Mapping[str, str]) -> None:
    """Print the files, each of several below its name, as `head` does."""
    parts = [f"==> {name} <==\n{text}" if len(texts) > 1 else text for name, text in texts.items()]
    text = "\n".join(parts)
    sys.stdout.write(console.clean(text) if sys.stdout.isatty() else text)


def _places(options: ExportOptions, texts: Mapping[str, str]) -> dict[Path, str]:
    """Return where each text goes: one into the file that the user names, several into a folder of that name.

    Raises:
        RookeryError: There is a folder in place of the file, or a file in place of the folder.
    """
    output = Path(options.output).expanduser()
    if len(texts) > 1:
        if output.exists() and not output.is_dir():
            raise RookeryError(
                f"{output} is a file, and the settings of {options.tool} are {len(texts)} files: name a folder.",
                hint=typed_command.again("--output", options.tool),
            )
        return {output / name: text for name, text in texts.items()}
    [(name, text)] = texts.items()
    if output.is_dir():
        raise RookeryError(
            f"{output} is a folder: name the file.", hint=typed_command.again("--output", str(output / name))
        )
    return {output: text}


def _write(texts: Mapping[Path, str], *, check: bool) -> None:
    """Write the files, unless one is the user's.

    Raises:
        RookeryError: One was not written by rookery, or has changed since; none is written.
    """
    same = {path for path, text in texts.items() if path.is_file() and path.read_bytes() == text.encode()}
    for path in texts:
        if path not in same and path.exists() and not written_files.is_unchanged("exported", path):
            raise RookeryError(
                f"{path} already exists, and was not written by export or has changed since.",
                hint=f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.old')}   # then run the same command again",
            )
    for path, text in texts.items():
        if check:
            console.say(f"{path} {'is up to date' if path in same else 'would be written'}")
            continue
        if path not in same:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_files.write(path, text, mode=0o644)
        written_files.remember("exported", path)
        console.say(f"{path}{' is up to date' if path in same else ''}")
