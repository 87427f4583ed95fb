"""A first project and its first result: made, deployed, run as a job array, fetched, combined.

What is done already is seen from what there is (the project, the record of its run, its table), so that the same
command continues wherever an earlier one was stopped.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import console, invocation, paths, prompts, state_files
from rookery.core.errors import RookeryError
from rookery.core.shapes import struct, text
from rookery.jobs import run_record
from rookery.jobs.monitor import watch
from rookery.jobs.options import CombineOptions, FetchOptions, SubmitOptions
from rookery.jobs.results import combine, fetch
from rookery.jobs.submit import submit
from rookery.projects import config, deploy, scaffold
from rookery.projects import target as targets
from rookery.projects.options import DeployOptions, NewOptions
from rookery.support.onboarding import details

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.run_record import RunRecord
    from rookery.support.options import OnboardOptions

NAME = "first-study"
"""The project's name, where the user gives none."""

JOB = "simulate"
"""The job array that every project begins with (templates/project)."""

TABLE = "combined.csv"
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

    @property
    def next_steps(self) -> list[str]:
        """The part of its README with the next steps."""
        text = (self.root / "README.md").read_text(encoding="utf-8") if (self.root / "README.md").is_file() else ""
        match = re.search(rf"^{NEXT}\n+(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        return match[1].rstrip().splitlines() if match else []


def begin(cluster: "Cluster", options: "OnboardOptions") -> Study:
    """Return the project that was begun for this cluster before, or a new one in this folder.

    Raises:
        RookeryError: It can't be made there.
    """
    if known := _earlier_project(cluster, options):
        _mind_language(known, options)
        return Study(known)
    folder = _place()
    name = options.project or _free_name(cluster, folder)
    if options.asks and not options.project:
        question = f"  The name of your first project, and of its folder in {folder}"
        while why := details.bad_name(name := prompts.ask(question, name)):
            console.say(f"  {why}")
            name = scaffold.suggested(name)
    root = folder / name
    if (root / "rookery.yml").is_file():
        _for_this(root, cluster)
        _mind_language(root, options)
        _note(cluster, root)
        return Study(root)
    wanted = NewOptions(name, details.language(options), cluster=cluster.name, author=details.author(options))
    _note(cluster, root)  # before it is there: stopped in between, the next run finds it
    project = scaffold.make(wanted, folder)
    if project.outer:
        console.say(f"  mind: it lies inside another git repository, {project.outer}, which will see it as a stranger")
    if project.signed == "unknown":
        console.say("  mind: git does not know you, so a stand-in signed the first version:")
        console.say(f'    git -C {shlex.quote(name)} config user.name "YOUR NAME"   # and user.email')
    elif project.signed:
        raise RookeryError(
            f"git kept no first version of {name}: {project.signed}", hint=f"cd {name} && git commit --all"
        )
    return Study(root, made=True)


def _mind_language(root: Path, options: "OnboardOptions") -> None:
    """Warn where an existing project has another language than the one asked for."""
    language = "r" if (root / f"{JOB}.R").is_file() else "python"
    if options.language not in {"", language}:
        console.say(f"  mind: --language is for a new project; {root.name} is there already, and stays as it is")


def result(study: Study, cluster: "Cluster") -> bool:
    """Bring the project to its first result: deploy, submit, wait, fetch, combine; return whether anything was to do.

    Raises:
        RookeryError: A step of it failed.
    """
    name, root = cluster.name, str(study.root)
    target = targets.find(name, root, sandbox=cluster.sandbox)
    done = _run(study.root, cluster)
    table = study.root / TABLE
    if done and table.is_file():
        return False
    if JOB not in (target.project.jobs if target.project else {}):
        raise RookeryError(
            f"{study.root.name} has no job called {JOB}, so there is nothing to try it with.",
            hint=f"cd {shlex.quote(str(study.root))} && invoke deploy && invoke submit",
        )
    if done:
        console.say(f"  {done.id} was submitted before")
        target.connection.open()
        code = watch.run(target, ids=[done.id])
    else:
        deploy.run(DeployOptions(cluster=name, project=root, sandbox=cluster.sandbox))
        code = submit.run(SubmitOptions(job=JOB, cluster=name, project=root, wait=True, sandbox=cluster.sandbox))
        done = _run(study.root, cluster)
    if code and done:
        inside, flags = f"cd {shlex.quote(str(study.root))}", target.flags
        raise RookeryError(
            f"Not all tasks of {done.id} ended well.",
            hint=f"{inside} && invoke logs {done.id}{flags}; then invoke submit --failed {done.id} --wait{flags}",
        )
    _gather(study, cluster)
    return True


def _gather(study: Study, cluster: "Cluster") -> None:
    """Fetch the results, and combine them into one table.

    Raises:
        RookeryError: Not all of them are there.
    """
    inside = f"cd {shlex.quote(str(study.root))}"
    if fetch.run(FetchOptions(cluster=cluster.name, project=str(study.root), sandbox=cluster.sandbox)):
        raise RookeryError("Some results could not be brought here.", hint=f"{inside} && invoke fetch")
    if combine.run(CombineOptions(project=str(study.root), output=TABLE)):
        raise RookeryError("Some results are missing in the table.", hint=f"{inside} && invoke combine")


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


def _for_this(root: Path, cluster: "Cluster") -> None:
    """Refuse a project whose first cluster is another.

    Raises:
        RookeryError: It is.
    """
    first = config.load(root).clusters[0]
    if first != cluster.name:
        raise RookeryError(
            f"{root.name} is here already, and is for {first} first of all.",
            hint=f"{invocation.invocation()} onboard --cluster {cluster.name} --project {NAME}-{cluster.name}",
        )
