"""The command `export`: render a tool's settings, and print them or write them into a file."""

import json
import shlex
import sys
from pathlib import Path

from rookery.core import atomic_files, console, shipped_templates, typed_command, written_files
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.jobs.export import settings
from rookery.jobs.export.settings import ToolSettings
from rookery.jobs.options import ExportOptions
from rookery.projects import config
from rookery.projects import target as targets

TEMPLATES = {"snakemake": "snakemake.yaml", "dask": "dask.yaml", "parsl": "parsl.py", "submitit": "submitit.py"}
"""The template of each tool."""


def run(options: ExportOptions) -> int:
    """Print a tool's settings, or write them.

    Returns:
        The exit code: 0.

    Raises:
        RookeryError: The job can't be one of a tool's, or a file of the user's is where one would be written.
    """
    if options.tool not in TEMPLATES:
        raise RookeryError(
            f"Unknown tool {options.tool!r}{meant(options.tool, TEMPLATES)}. Tools: {', '.join(TEMPLATES)}.",
            hint=f"invoke export {closest(options.tool, TEMPLATES) or next(iter(TEMPLATES))}",
        )
    if options.check and not options.output:
        raise RookeryError("Use --check with --output.", hint=typed_command.again(without=("--check",)))
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project = target.required_project
    name = options.job or next(iter(project.jobs), "")
    if not name:
        raise RookeryError(f"{config.shown(project.file)} has no jobs.", hint="invoke docs rookery-yml")
    text = render(options.tool, settings.of_job(project, name, target.cluster))
    if options.output:
        _write(Path(options.output).expanduser(), text, check=options.check)
    else:
        sys.stdout.write(console.clean(text) if sys.stdout.isatty() else text)
    return 0


def render(tool: str, task: ToolSettings) -> str:
    """Return a tool's settings.

    Args:
        tool: One of TEMPLATES.
        task: What it asks Slurm for.
    """
    environment = shipped_templates.environment("export")  # each value is quoted by a filter
    environment.filters |= {"yaml": json.dumps, "python": repr}
    return environment.get_template(f"{TEMPLATES[tool]}.j2").render(task=task)


def _write(path: Path, text: str, *, check: bool) -> None:
    """Write the file, unless it is the user's.

    Raises:
        RookeryError: It was not written by rookery, or has changed since.
    """
    same = path.is_file() and path.read_bytes() == text.encode()
    if not same and path.exists() and not written_files.is_unchanged("exported", path):
        raise RookeryError(
            f"{path} already exists, and was not written by export or has changed since.",
            hint=f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.old')}   # then run the same command again",
        )
    if check:
        console.say(f"{path} {'is up to date' if same else 'would be written'}")
        return
    if not same:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_files.write(path, text, mode=0o644)
    written_files.remember("exported", path)
    console.say(f"{path}{' is up to date' if same else ''}")
