"""The command `init`: inspect a folder, show what would make a project of it, ask, and write it."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rookery.clusters.config import profile
from rookery.core import console, preferences, prompts
from rookery.core.errors import RookeryError
from rookery.core.sizes import of_mebibytes
from rookery.projects import chosen_clusters, commit, config, first_commit, scaffold
from rookery.projects.adoption import (
    cluster_checks,
    from_script,
    git_facts,
    ignore_lines,
    inspection,
    next_steps,
    project_file,
    proposal,
    screen,
)
from rookery.projects.adoption.facts import FolderFacts
from rookery.projects.adoption.proposal import Proposal
from rookery.projects.commit import listed
from rookery.projects.options import InitOptions
from rookery.projects.scripts import partition

IGNORED = ".gitignore"


@dataclass(frozen=True)
class InitPlan:
    """Everything that `init` would do.

    Attributes:
        facts: The folder.
        proposal: What is proposed for it.
        texts: The new content of each file that is written, by its name, in the order of writing.
        before: What these hold now; "" for one that is not there.
        committed: Where there is no repository: the files of a first commit, without those that are written.
    """

    facts: FolderFacts
    proposal: Proposal
    texts: Mapping[str, str]
    before: Mapping[str, str]
    committed: tuple[str, ...] = ()

    @property
    def root(self) -> Path:
        """The folder."""
        return self.facts.root

    @property
    def commits(self) -> bool:
        """Whether a repository with a first commit is proposed."""
        return self.facts.git.top is None


def run(options: InitOptions) -> int:
    """Propose a project in a folder, and write it after a yes.

    Raises:
        RookeryError: The folder can't become a project, or a file can't be written.
    """
    root = _root(options)
    first_commit.require_git()
    if (root / config.NAME).exists():  # which _root lets through for --from-script alone
        return from_script.add(root, options)
    plan = _plan(root, options)
    asks = prompts.is_interactive() and not (options.yes or options.check or options.json)
    if not options.json:
        _show(plan)
    writes, commits = _answers(plan) if asks else (options.yes and not options.check,) * 2
    signed = ""
    if writes:
        _write(plan)
        signed = _first_commit(plan) if commits and plan.commits else ""
    if options.json:
        print(
            json.dumps(_document(plan, written=writes, committed=writes and plan.commits and signed in {"", "unknown"}))
        )
    elif writes:
        _print_summary(plan, signed, committed=commits and plan.commits)
    elif not options.check:
        screen.show_nothing_written(options, asks=asks)
    return 0


def _root(options: InitOptions) -> Path:
    """Return the folder, unless it is or lies in a project, or is no folder for one.

    Raises:
        RookeryError: It can't become one.
    """
    given = Path(options.folder).expanduser() if options.folder else Path()
    if not given.is_dir():
        what = "is not a folder" if given.exists() else "does not exist"
        hint = InitOptions("").command("init") if given.exists() else f"invoke new {scaffold.suggested(given.name)}"
        raise RookeryError(f"{options.folder} {what}.", hint=hint)
    root = given.resolve()
    if root == Path.home().resolve() or root == Path(root.anchor):
        raise RookeryError(
            f"{root} can't become a project: it is your home folder or the whole disk.",
            hint="cd into the folder of your code",
        )
    if around := config.enclosing(root):
        if options.from_script and not options.folder:
            return around
        _refuse(root, around)
    for name in (config.NAME, IGNORED):
        if (root / name).is_symlink():
            raise RookeryError(
                f"{root / name} is a symbolic link; rookery does not write through links in a project.",
                hint="replace the link with the file itself, then run the command again",
            )
    return root


def _refuse(root: Path, around: Path) -> None:
    """Refuse a folder that is a project, or in one."""
    cd = "" if root == Path.cwd() and around == root else f"cd {shlex.quote(str(around))} && "
    if around != root:
        raise RookeryError(
            f"{root} is in the project {around.name}, and projects can't be inside one another.",
            hint=f"{cd}invoke render   # prints the jobs of {around.name}",
        )
    what = f"{config.shown(root / config.NAME)} exists already: this folder is a project."
    if not (root / ".git").exists() and not _in_repository(root):
        hint = f"{cd}git init && git add -A && git commit -m 'First version'"
    else:
        hint = f"{cd}invoke render   # prints its jobs"
    raise RookeryError(what, hint=hint)


def _in_repository(root: Path) -> bool:
    return first_commit.git(root, "rev-parse", "--show-toplevel").ok


def _plan(root: Path, options: InitOptions) -> InitPlan:
    """Return what is proposed for a folder.

    Raises:
        RookeryError: There is nothing in it, projects are below it, or the name or a cluster is not valid.
    """
    clusters = tuple(chosen_clusters.named_or_usual(options.cluster))
    name = _name(root, options)
    facts = inspection.inspect(root)
    if facts.files.projects:
        below = facts.files.projects[0]
        raise RookeryError(
            f"There is a project in this folder, {below}, and projects can't be inside one another.",
            hint=f"cd {shlex.quote(str(root / below))} && invoke render   # prints its jobs",
        )
    if not facts.files.sizes:
        hint = f"invoke new {scaffold.suggested(root.name)}   # makes a project with an example"
        raise RookeryError(f"{root} has no files to make a project of.", hint=hint)
    made = dict([from_script.translated(root, options.from_script, {})]) if options.from_script else {}
    profiles = [profile.load(site) for site in clusters]
    gpus = {each.name: number for each in profiles if (number := partition.fewest_gpus(each))}
    proposed = proposal.propose(facts, name, clusters, gpus, {path: each.job for path, each in made.items()})
    draft = proposed.project
    notes = [
        advice
        for path, each in made.items()
        for advice in from_script.advice(
            path, each, draft.outputs, clusters, from_script.problems(root, draft, each.job)
        )
    ]
    unchanged = [script for script in facts.scripts if script.path not in made]
    there = cluster_checks.advice(profiles, facts, draft, unchanged)
    proposed = replace(proposed, advice=(*proposed.advice, *there, *notes))
    ignore_file = root / IGNORED
    before = ignore_file.read_text(encoding="utf-8", errors="surrogateescape") if ignore_file.is_file() else ""
    texts = {IGNORED: ignore_lines.with_sections(before, proposed.ignored)} if proposed.ignored else {}
    lines = [line for section in proposed.ignored for line in section.lines]
    return InitPlan(
        facts=facts,
        proposal=proposed,
        texts={**texts, config.NAME: project_file.text(proposed.project)},
        before={IGNORED: before, config.NAME: ""},
        committed=() if facts.git.top else tuple(git_facts.would_add(root, lines)),
    )


def _name(root: Path, options: InitOptions) -> str:
    """Return the project's name: the one given, else one like the folder's.

    Raises:
        RookeryError: The one given is not valid.
    """
    name = options.name or scaffold.suggested(root.name)
    if name != scaffold.suggested(name):
        raise RookeryError(
            f"{name!r} can't be a project's name: use letters, digits, - and _, beginning with a letter.",
            hint=replace(options, name=scaffold.suggested(name)).command("init"),
        )
    return name


def _show(plan: InitPlan) -> None:
    """Print what was found, the files as a diff, and what the user should know."""
    for line in _found(plan.facts):
        console.say(f"  found    {line}")
    screen.show_diffs(plan.texts, plan.before)
    screen.show_advice(plan.proposal.advice)


def _found(facts: FolderFacts) -> list[str]:
    """Return what was found, a line each."""
    lines = [f"git repository {facts.git.top}" if facts.git.top else "no git repository"]
    locks = [lock for _, lock in (*facts.python_locks[:1], *facts.r_locks[:1])]
    lines += [f"packages: {' and '.join(locks)}"] if locks else []
    lines += [f"Python package {facts.package.name}"] if facts.package else []
    lines += [f"R package {facts.r_package}"] if facts.r_package else []
    lines += [f"job scripts: {listed(script.path for script in facts.scripts)}"] if facts.scripts else []
    lines += [f"programs: {listed(program.path for program in facts.programs)}"] if facts.programs else []
    return lines


def _answers(plan: InitPlan) -> tuple[bool, bool]:
    """Return the user's answers: whether to write the files, and whether to make a repository."""
    names = " and ".join(plan.texts)
    if not prompts.confirm(f"Write {names}?"):
        return False, False
    return True, plan.commits and prompts.confirm(
        f"Make a git repository here, with a first commit of {_commit_size(plan)}?"
    )


def _commit_size(plan: InitPlan) -> str:
    count = len({*plan.committed, *plan.texts})
    size = sum(plan.facts.files.sizes.get(path, 0) for path in plan.committed) / 1024 / 1024
    return f"{count} files ({of_mebibytes(size) if size >= 1 else 'under 1 MB'})"


def _write(plan: InitPlan) -> None:
    """Write the files, rookery.yml last: a folder has one when all of them are there.

    Raises:
        RookeryError: One can't be written, or has changed meanwhile.
    """
    for name, text in plan.texts.items():
        path = plan.root / name
        screen.replace_file(path, plan.before[name] if path.exists() else None, text)


def _first_commit(plan: InitPlan) -> str:
    settings = preferences.values()
    author = (settings.get("name", ""), settings.get("email", ""))
    return first_commit.make(plan.root, author, f"Begin {plan.proposal.project.name}")


def _print_summary(plan: InitPlan, signed: str, *, committed: bool) -> None:
    """Print what was written, and the commands that lead to a result."""
    project = plan.proposal.project
    inside = plan.root == Path.cwd()
    where = "" if inside else f" -C {shlex.quote(str(config.shown(plan.root)))}"
    console.say(f"{project.name} is a project for {', '.join(project.clusters)}: wrote {' and '.join(plan.texts)}.")
    if committed:
        console.say(f"  made a git repository, with a first commit of {_commit_size(plan)}")
        first_commit.warn(signed, where)
    git = plan.facts.git
    changed, staged = commit.uncommitted(plan.root, project.outputs) if committed or not plan.commits else (None, False)
    steps = next_steps.steps(
        plan.proposal, changed, git.ignored, has_staged=staged, has_commit=committed or git.has_commit
    )
    if not committed and not first_commit.knows_author(plan.root):
        steps = [*next_steps.AUTHOR, *steps]
    if not inside:
        steps = [f"cd {shlex.quote(str(config.shown(plan.root)))}", *steps]
    for step in steps:
        console.say(f"  next     {step}")


def _document(plan: InitPlan, *, written: bool, committed: bool) -> dict[str, object]:
    """Return everything as one JSON document."""
    return {
        "folder": str(plan.root),
        **proposal.document(plan.proposal),
        "files": dict(plan.texts),
        "secrets": dict(plan.facts.secrets),
        "data": [{"path": entry.path, "bytes": entry.size, "in_git": entry.is_tracked} for entry in plan.facts.data],
        "repository": str(plan.facts.git.top or ""),
        "first_commit": sorted({*plan.committed, *plan.texts}) if plan.commits else [],
        "written": written,
        "committed": committed,
    }
