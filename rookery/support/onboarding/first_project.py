"""A first project and its first result: made, deployed, run as a job array, fetched, combined.

What is done already is seen from what there is (the project, the record of its run, its table), so that the same
command continues wherever an earlier one was stopped.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import user_config
from rookery.core import console, paths, prompts, state_files
from rookery.core.errors import RookeryError
from rookery.core.shapes import struct, text
from rookery.jobs import run_record
from rookery.jobs.options import RunOptions
from rookery.jobs.run_job import steps
from rookery.jobs.run_job.progress import Progress
from rookery.projects import config, scaffold
from rookery.projects import target as targets
from rookery.projects.options import NewOptions
from rookery.support.onboarding import added_cluster, details

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.run_record import RunRecord
    from rookery.support.options import OnboardOptions

NAME = "first-study"
"""The project's name, where the user gives none."""

JOB = "simulate"
"""The job array that every project begins with (templates/project)."""

_CALLS = ("invoke", "inv", "rookery")
NEXT = "## Next steps"
"""The heading in a project's README of what onboarding shows last."""


@dataclass(frozen=True)
class Study:
    """The user's first project.

    Attributes:
        root: Its folder.
        made: Whether it was begun just now.
    """

    root: Path
    made: bool = False


def next_steps(study: Study, cluster: "Cluster") -> list[str]:
    """Return the next steps of a project's README, with commands for this cluster, or its miniature.

    Each command is a line by itself, which can be pasted.
    """
    readme = study.root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    match = re.search(rf"^{NEXT}\n+(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    first = config.load(study.root).clusters[0]
    flags = ("" if cluster.name == first else f" --cluster {cluster.name}") + " --sandbox" * cluster.sandbox
    alias = user_config.aliases().get(cluster.name, cluster.name)
    ssh = details.ssh_command(cluster) if cluster.sandbox else f"ssh {alias}"

    def for_this(command: "re.Match[str]") -> str:
        if command[1] == f"ssh {first}":
            return f"`{ssh}`"
        words = command[1].split(" ")
        if words[1:2] == ["combine"] and cluster.name != first:
            return f"`{command[1]}{flags} --output {table(study.root, cluster).name}`"
        if Path(words[0]).name not in _CALLS or words[1:2] == ["combine"]:  # which is local
            return command[0]

        kept = words if cluster.name == first else [word for word in words if word not in {first, "--cluster"}]
        return f"`{' '.join(kept)}{flags}`"

    steps = match[1].rstrip().splitlines() if match else []
    return [line for step in steps for line in _lines(re.sub(r"`([^`]+)`", for_this, step))]


def _lines(step: str) -> list[str]:
    """Return a step as lines: what it is for, and each of its commands."""
    text, _, commands = step.partition(": `")
    if not commands:
        return [step.replace("`", "")]
    return [f"{text.replace('`', '')}:", *(f"    {command}" for command in re.findall(r"`([^`]+)`", f"`{commands}"))]


def begin(cluster: "Cluster", options: "OnboardOptions") -> Study:
    """Return the project that was begun for this cluster before, or a new one in this folder.

    Raises:
        RookeryError: It can't be made there.
    """
    if known := _earlier_project(cluster, options):
        _mind_language(known, options)
        return Study(known)
    around = config.enclosing(Path.cwd())
    folder = around.parent if around else _place()
    name = options.project or (around.name if around else _free_name(cluster, folder))
    if options.asks and not options.project:
        question = f"  Name of your first project (its folder in {folder})"
        while why := details.bad_name(name := prompts.ask(question, name)):
            console.say(f"  {why}")
            name = scaffold.suggested(name)
    root = folder / name
    if (root / "rookery.yml").is_file():
        added_cluster.add(root, cluster)
        _mind_language(root, options)
        _note(cluster, root)
        return Study(root)
    wanted = NewOptions(name, details.language(options), cluster=cluster.name, author=details.author(options))
    _note(cluster, root)  # before it is there: stopped in between, the next run finds it
    project = scaffold.make(wanted, folder)
    if project.outer:
        console.say(f"  warning: it is inside another git repository, {project.outer}")
    if project.signed == "unknown":
        console.say("  warning: Git has no name and email for you yet, so the first commit has a placeholder author:")
        console.say(
            '    git config --global user.name "YOUR NAME"',
            '    git config --global user.email "YOU@EXAMPLE.AC.UK"',
            f"    git -C {shlex.quote(str(root))} commit --amend --reset-author --no-edit",
        )
    elif project.signed:
        raise RookeryError(
            f"Git could not make the first commit of {name}: {project.signed}",
            hint=f"git -C {shlex.quote(str(root))} commit --all",
        )
    return Study(root, made=True)


def _mind_language(root: Path, options: "OnboardOptions") -> None:
    """Warn where an existing project has another language than the one asked for."""
    language = "r" if (root / f"{JOB}.R").is_file() else "python"
    if options.language not in {"", language}:
        console.say(f"  warning: ignored --language, since {root.name} exists already")


def result(study: Study, cluster: "Cluster") -> bool:
    """Bring the project to its first result: deploy, submit, wait, fetch, combine; return whether anything was to do.

    Raises:
        RookeryError: A step of it failed.
    """
    name, root = cluster.name, str(study.root)
    target = targets.find(name, root, sandbox=cluster.sandbox)
    done = _run(study.root, cluster)
    if done and table(study.root, cluster).is_file():
        return False
    if JOB not in (target.project.jobs if target.project else {}):
        raise RookeryError(
            f"{study.root.name} has no job {JOB}, so onboard can't run one.",
            hint=f"cd {shlex.quote(str(study.root))} && invoke deploy{target.flags} && invoke submit{target.flags}",
        )
    if done:
        console.say(f"  Job {done.id} was submitted earlier")
    progress = Progress(JOB, cluster.label, id=done.id if done else "")
    options = RunOptions(job=JOB, cluster=name, project=root, sandbox=cluster.sandbox)
    if steps.carry_out(target, options, progress, again="run the same command to continue"):
        hint = target.next(f"invoke combine --output {table(study.root, cluster).name}")
        raise RookeryError("The table is incomplete: some results are missing.", hint=hint)
    return True


def table(root: Path, cluster: "Cluster") -> Path:
    """Return the path of the table of a cluster's results."""
    return root / steps.table_name(config.load(root), cluster.name)


def _run(root: Path, cluster: "Cluster") -> "RunRecord | None":
    """Return the project's last run of its array on this cluster."""
    runs = [record for record in run_record.every(root, cluster.label) if record.job == JOB]
    return runs[-1] if runs else None


def _earlier_project(cluster: "Cluster", options: "OnboardOptions") -> Path | None:
    """Return the project that was begun for this cluster, if it is still there and none other is asked for."""
    document = state_files.load(_file(cluster), struct({"project": text(longest=4096, raw=True)}))
    if not document:
        return None
    root = Path(document["project"])
    meant = options.project in {"", root.name}
    return root if meant and (root / "rookery.yml").is_file() else None


def _note(cluster: "Cluster", root: Path) -> None:
    state_files.save(_file(cluster), {"version": 1, "project": str(root)})


def _file(cluster: "Cluster") -> Path:
    return state_files.place("onboard", f"{cluster.label}.json")


def _place() -> Path:
    """Return the folder for a first project: this one, or the home where this one is rookery's own."""
    folder = Path.cwd()
    return Path.home() if folder == paths.root() or paths.root() in folder.parents else folder


def _free_name(cluster: "Cluster", folder: Path) -> str:
    """Return the usual name; with the cluster's or the user's behind it where that is taken."""
    names = (NAME, f"{NAME}-{cluster.name}", re.sub(r"[^A-Za-z0-9]+", "-", f"{NAME}-{cluster.user}").strip("-"))
    return next((name for name in names if not (folder / name).exists()), NAME)
