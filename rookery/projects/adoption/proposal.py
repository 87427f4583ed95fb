"""Decide what a folder's rookery.yml and .gitignore should say; nothing is read or written here."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final

from rookery.core.sizes import of_mebibytes
from rookery.projects.adoption import batch_scripts, ignore_lines, notebooks, programs
from rookery.projects.adoption.adding_packages import adding
from rookery.projects.adoption.facts import FolderFacts, LargeData, Program
from rookery.projects.adoption.ignore_lines import IgnoreSection
from rookery.projects.adoption.inspection import LOGS, RESULTS
from rookery.projects.adoption.project_file import JobDraft, ProjectDraft
from rookery.projects.commit import listed
from rookery.projects.locks import r_packages
from rookery.projects.packages import description, pyproject
from rookery.projects.tree_checks import quoted

MOST_JOBS: Final = 6
"""Programs that get a job each; further ones are named."""

MOST_SCRIPTS: Final = 20
"""Job scripts that get a job each."""

_MEMORY, _TIME = "1G", "01:00:00"


@dataclass(frozen=True)
class Advice:
    """Something that the user should know or do before the first deploy.

    Attributes:
        text: A sentence.
        command: What to run; "" where no command helps.
        writes: Files that the command writes, where jobs can't run without them.
    """

    text: str
    command: str = ""
    writes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a folder.

    Attributes:
        project: The rookery.yml.
        ignored: Lines for .gitignore.
        advice: What the user should know or do.
    """

    project: ProjectDraft
    ignored: tuple[IgnoreSection, ...]
    advice: tuple[Advice, ...]


def propose(
    facts: FolderFacts,
    name: str,
    clusters: tuple[str, ...],
    gpus: Mapping[str, int],
    translated: Mapping[str, JobDraft] = MappingProxyType({}),
) -> Proposal:
    """Return the proposal for a folder.

    Args:
        facts: What is in it.
        name: The project's name.
        clusters: Where it will run.
        gpus: GPUs that every job must ask for, on those clusters that have such a rule.
        translated: Jobs that were made of job scripts, by the paths of these.
    """
    environment = {
        language: locks[0] for language, locks in (("python", facts.python_locks), ("r", facts.r_locks)) if locks
    }
    outputs = _outputs(facts)
    known = replace(facts, scripts=tuple(script for script in facts.scripts if script.path not in translated))
    jobs = (*translated.values(), *_jobs(known, outputs, gpus, translated))
    return Proposal(
        project=ProjectDraft(name, clusters, environment, outputs, _inputs(facts), jobs),
        ignored=ignore_lines.proposed(facts, outputs),
        advice=tuple(_advice(known, name, outputs, len(jobs))),
    )


def _outputs(facts: FolderFacts) -> tuple[str, ...]:
    """Return the folders for results and for logs: those that are there or named, else the usual ones."""
    named = batch_scripts.log_folders(facts.scripts)
    results = [folder for folder in facts.outputs if folder not in {*LOGS, *named}] or RESULTS[:1]
    logs = [folder for folder in facts.outputs if folder in {*LOGS, *named} and folder not in results] or LOGS[:1]
    return (*results, *logs)


def _inputs(facts: FolderFacts) -> tuple[str, ...]:
    """Return the data that programs read and git does not hold."""
    used = (entry.path for entry in facts.data if entry.is_used and not entry.is_tracked)
    return tuple(path for path in used if path.isprintable() and "/-" not in f"/{path}")  # as rookery.yml takes them


def _jobs(
    facts: FolderFacts, outputs: tuple[str, ...], gpus: Mapping[str, int], translated: Mapping[str, JobDraft]
) -> Iterator[JobDraft]:
    """Yield a job for each job script; without one, for the likeliest programs, or else for what a package can run."""
    names = {job.name for job in translated.values()}
    for script in facts.scripts[:MOST_SCRIPTS]:
        yield JobDraft(job_name(script.name or PurePosixPath(script.path).stem, names), {"script": script.path})
    if facts.scripts or translated:
        return
    installed = facts.package if facts.package and facts.python_locks else None  # what deploy makes importable
    for command in (installed.commands if installed else ())[:MOST_JOBS]:
        yield JobDraft(job_name(command, names), {"command": shlex.quote(command), **_resources(gpus)})
    for program in facts.programs[:MOST_JOBS]:
        name = job_name(PurePosixPath(program.path).stem, names)
        array = {"template": f"{program.kind}-array", "array": "1-10"} if _is_array(program) else {}
        yield JobDraft(
            name, {"command": _command(program, facts, outputs), **array, **_resources(gpus)}, tuple(_comments(program))
        )
    if facts.package and not names:
        path = {"environment": {"PYTHONPATH": facts.package.source}} if facts.package.source and not installed else {}
        python = "python" if installed else "python3"
        for module in facts.package.runnable:
            yield JobDraft(job_name(module, names), {"command": f"{python} -m {module}", **path, **_resources(gpus)})


def _resources(gpus: Mapping[str, int]) -> dict[str, Any]:
    """Return the keys that say what a job asks for, until its user knows better."""
    clusters = {cluster: {"gpus": number} for cluster, number in gpus.items()}
    return {"memory": _MEMORY, "time": _TIME, **({"clusters": clusters} if clusters else {})}


def _is_array(program: Program) -> bool:
    return program.numbered and program.kind in {"python", "r"}


def _command(program: Program, facts: FolderFacts, outputs: tuple[str, ...]) -> str:
    path = quoted(program.path)
    python = "python" if facts.python_locks else "python3"
    if program.kind == "notebook":
        return f"jupyter nbconvert --to notebook --execute --output-dir {outputs[0]} {path}"
    if program.kind == "rmarkdown":
        report = program.path.replace("\\", "\\\\").replace('"', '\\"')
        call = f'rmarkdown::render("{report}", output_dir = "{outputs[0]}")'
        return f"Rscript -e {shlex.quote(call)}"
    return f"{python if program.kind == 'python' else 'Rscript'} {path}"


def _comments(program: Program) -> Iterator[str]:
    if _is_array(program):
        yield "it reads SLURM_ARRAY_TASK_ID: set the numbers of its tasks in `array`"
    if program.arguments:
        yield "the program reads arguments: add them to the command"


def job_name(text: str, taken: set[str]) -> str:
    """Return a name for a job like a text, which no other has; it is taken then.

    Args:
        text: A file's name, or what Slurm calls the job.
        taken: Names that others have.
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", text)[:60].strip("-") or "job"
    numbers = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    name = next(candidate for candidate in numbers if candidate not in taken)
    taken.add(name)
    return name


def _advice(facts: FolderFacts, name: str, outputs: tuple[str, ...], jobs: int) -> Iterator[Advice]:
    yield from _on_git(facts, outputs)
    yield from _on_packages(facts, name)
    yield from _on_programs(facts, outputs, jobs)


def _on_git(facts: FolderFacts, outputs: tuple[str, ...]) -> Iterator[Advice]:
    tracked = facts.git.tracked
    for path, why in facts.secrets.items():
        state = "it is in git already" if path in tracked else "it stays out of git"
        remedy = f"git rm --cached {quoted(path)}   # and change the password or key: the history keeps it"
        yield Advice(f"{path} may hold a password or key ({why}): {state}", remedy if path in tracked else "")
    for entry in facts.data:
        yield _on_data(entry)
    for folder in outputs:
        if inside := [
            path
            for path in tracked
            if path.startswith(f"{folder}/") and not path.endswith((".gitkeep", ".gitignore", ".keep"))
        ]:
            text = f"{folder}/ is for results on the cluster, but git has files in it: {listed(sorted(inside))}"
            yield Advice(text, f"git rm -r -q --cached {quoted(folder)}   # your files stay")
    if facts.git.submodules:
        yield Advice(f"rookery does not support git submodules: {listed(facts.git.submodules)}")
    other = [path for path in facts.files.repositories if path not in facts.git.submodules]
    if other:
        yield Advice(f"Other git repositories in this folder stay out of the project: {listed(other)}")


def _on_data(entry: LargeData) -> Advice:
    size = of_mebibytes(entry.size / 1024 / 1024) if entry.is_counted else "many files"
    path = f"{entry.path}{'/' * entry.is_folder}"
    if entry.is_tracked:
        remedy = f"git rm --cached {quoted(entry.path)}   # your file stays"
        return Advice(f"{path} ({size}) is in git, and too large for it", remedy)
    if entry.is_used:
        return Advice(
            f"{path} ({size}) is data, and stays out of git",
            f"invoke data.push {quoted(entry.path)}   # copies it",
        )
    return Advice(f"{path} ({size}) stays out of git, and is not copied to the cluster")


def _on_packages(facts: FolderFacts, name: str) -> Iterator[Advice]:
    manager = pyproject.manager(facts.pyproject or {})
    for locks in (facts.python_locks, facts.r_locks):
        if others := [lock for _, lock in locks[1:]]:
            yield Advice(f"The environment is made from {locks[0][1]}, not from {listed(others)}")
    for file, command in facts.unlocked.items():
        yield Advice(
            f"{file} lists packages, but there is no lock file with their versions", command, (_written(command),)
        )
    for language, packages in facts.unlisted.items():
        if language == "r":
            yield _on_r_packages(facts.r_locks[0][1] if facts.r_locks else "", packages)
        else:
            command, files = adding(facts, name, f"{manager}.lock", packages)
            users = "your code and its jobs use" if facts.notebooks else "your code uses"
            text = f"No file lists the Python packages that {users} ({_few(packages)})"
            yield Advice(text, command, files)
    kinds = {program.kind for program in facts.programs}
    if "rmarkdown" in kinds:
        yield Advice(
            "Reports in R Markdown need pandoc: if it is a module of the cluster, give their jobs `modules: [pandoc]`"
        )
    if facts.notebooks and facts.packages is not None and (lacking := notebooks.lacking(facts.packages)):
        made = _written(next(iter(facts.unlocked.values()), f"{manager} lock"))
        lock = facts.python_locks[0][1] if facts.python_locks else made
        command, files = adding(facts, name, lock, lacking)
        yield Advice(f"Notebooks need the packages {' and '.join(notebooks.NEEDED)} to run as jobs", command, files)


def _written(command: str) -> str:
    """Return the file that a command for a lock file writes."""
    return {"uv lock": "uv.lock", "poetry lock": "poetry.lock"}.get(command, "requirements.txt")


def _few(packages: Sequence[str]) -> str:
    return ", ".join(packages[:8])


def _on_r_packages(lock: str, packages: Sequence[str]) -> Advice:
    """Return what to do about packages of R that the code uses and no file lists."""
    code = f"R packages that your code uses ({_few(packages)})"
    if not lock:
        command = f"{r_packages.adding(packages, is_new=True)}   # or, with versions: Rscript -e 'renv::init()'"
        return Advice(f"No file lists the {code}", command, (r_packages.LIST,))
    if lock == r_packages.LIST:
        return Advice(f"{lock} lacks {code}", r_packages.adding(packages), (lock,))
    if lock == description.NAME:
        return Advice(f"{lock} does not import {code}: add them under Imports")
    return Advice(f"{lock} lacks {code}", r_packages.installing(packages), (lock,))


def _on_programs(facts: FolderFacts, outputs: tuple[str, ...], jobs: int) -> Iterator[Advice]:
    if not jobs:
        yield Advice("Found no program to run: write your jobs into rookery.yml")
    python, r = (locks[0][0] if locks else "" for locks in (facts.python_locks, facts.r_locks))
    for script in facts.scripts:
        yield from map(Advice, batch_scripts.differences(script, outputs, python=python, r=r))
    if facts.foreign:
        first, several = facts.foreign[0], len(facts.foreign) > 1
        what = (
            "are for PBS, SGE or LSF: they get no job before they are"
            if several
            else ("is for PBS, SGE or LSF: it gets no job before it is")
        )
        new = PurePosixPath(first).with_suffix(".slurm")
        yield Advice(
            f"{listed(facts.foreign)} {what} translated for Slurm",
            f"invoke lint --translate {quoted(first)} --fix   # then: init --from-script {quoted(str(new))}",
        )
    yield from (Advice(text) for each in facts.programs for text in programs.differences(each))
    known = facts.scripts[MOST_SCRIPTS:] if facts.scripts else facts.programs[MOST_JOBS:]
    if rest := [item.path for item in known]:
        yield Advice(f"These have no job yet: {listed(rest)}")
    by_program: dict[str, list[str]] = {}
    for file, program in facts.beside.items():
        by_program.setdefault(program, []).append(file)
    for program, files in by_program.items():
        yield Advice(
            f"{program} writes {listed(files)} beside the code: fetch copies only {' and '.join(_folders(outputs))}"
        )


def _folders(outputs: Iterable[str]) -> list[str]:
    return [f"{folder}/" for folder in outputs if folder not in LOGS]


def document(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as `--json` has it."""
    project = proposal.project
    return {
        "project": project.name,
        "clusters": list(project.clusters),
        "environment": {language: way for language, (way, _) in project.environment.items()},
        "outputs": list(project.outputs),
        "inputs": list(project.inputs),
        "jobs": {job.name: dict(job.keys) for job in project.jobs},
        "ignored": [line for section in proposal.ignored for line in section.lines],
        "advice": [{"text": advice.text, "command": advice.command} for advice in proposal.advice],
    }
