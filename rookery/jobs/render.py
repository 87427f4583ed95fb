"""The command `render`: print a project's job scripts, or write them into a folder."""

import shlex
import sys
from pathlib import Path

from rookery.core import atomic_files, console, written_files
from rookery.core.errors import RookeryError
from rookery.jobs.options import RenderOptions
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.git_command import git
from rookery.projects.scripts import job_script
from rookery.projects.scripts.job_script import JobScript
from rookery.projects.source_tree import stays_inside


def run(options: RenderOptions) -> int:
    """Print the scripts of a project's jobs, or of one, or write them.

    Raises:
        RookeryError: A job can't run on the cluster, or a file of the user's own stands where one would be written.
    """
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    project, cluster = target.project, target.cluster
    if project is None:  # targets.find has refused that already
        raise config.NoProject("There is no rookery.yml here.")
    if options.job:
        scripts = [job_script.script(project, config.job(project, options.job, cluster.name), cluster)]
    else:
        scripts = job_script.scripts(project, cluster)
    if not scripts:
        what = f"{config.shown(project.file)} has no jobs for {cluster.name}."
        raise RookeryError(what, hint="invoke docs rookery-yml")
    if options.output:
        folder = Path(options.output).expanduser()
        if not stays_inside(project.root, folder):
            raise RookeryError(
                f"{folder} is a symbolic link that leads out of the project, to {folder.resolve()}.",
                hint=f"use another folder, or --output {shlex.quote(str(folder.resolve()))}",
            )
        rendered = [script for script in scripts if not script.job.script]
        for script in scripts:
            if script.job.script:
                console.note(f"{script.path} is used unchanged.")
        if rendered:
            _write(folder, rendered, check=options.check)
    else:
        _print(scripts)
    return 0


def _print(scripts: list[JobScript]) -> None:
    """Print the scripts one after another; where there are several, the path of each above it."""
    texts: dict[str, str] = {}
    for script in scripts:
        texts[script.path] = script.text
        texts |= {path: text for path, text in script.files.items() if path == script.summary["mail_script"]}
    sections = [f"# {path}\n{text}" if len(texts) > 1 else text for path, text in texts.items()]
    text = "\n".join(sections)
    sys.stdout.write(console.clean(text) if sys.stdout.isatty() else text)


def _write(folder: Path, scripts: list[JobScript], *, check: bool) -> None:
    """Write all scripts or none, or say which would change: what a user wrote or changed is never written over.

    A job's own script is a file of the project already.
    """
    texts = {
        folder / Path(path).name: text
        for script in scripts
        for path, text in {script.path: script.text, **script.files}.items()
    }
    different = {path: text for path, text in texts.items() if not _holds(path, text)}
    if kept := [path for path in different if path.exists() and not _may_go(path)]:
        names = ", ".join(str(path) for path in kept)
        raise RookeryError(
            f"Nothing was written, to keep changes that are not committed: {names}.",
            hint=f"git add {shlex.join(map(str, kept))} && git commit -m 'Change job scripts'   "
            "# or move them; then render again",
        )
    if check:
        for path in texts:
            print(f"{path} {'would be written' if path in different else 'is up to date'}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        if path in different:
            atomic_files.write(path, text, mode=0o644)
        written_files.remember("rendered", path)
        print(f"{path}{'' if path in different else ' is up to date'}")


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _may_go(path: Path) -> bool:
    """Return whether a file can be had again: it is as rookery wrote it, or git has it unchanged."""
    if written_files.is_unchanged("rendered", path):
        return True
    try:
        tracked = git(path.parent, "ls-files", "--", path.name, check=False)
        return bool(tracked) and not git(path.parent, "status", "--porcelain", "--", path.name)
    except RookeryError:
        return False
