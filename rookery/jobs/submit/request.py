"""Prepare a submission on this computer: which job, which tasks, and whether the script passes the checks."""

import hashlib
import os
import re
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files, console, invocation, state_files, typed_command
from rookery.core.errors import RookeryError
from rookery.core.near_names import closest, meant
from rookery.jobs import lint, measured_runs, run_record
from rookery.jobs.history import requests
from rookery.jobs.lint.script.project_files import Surroundings
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.scripts import job_script
from rookery.remote import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rookery.jobs.lint.finding import Finding
    from rookery.jobs.options import SubmitOptions
    from rookery.projects.target import Target

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_LONGEST_NOTE = 10_000

FIRST = "first"
"""What --cluster says for the cluster where the job can start soonest."""


@dataclass(frozen=True)
class SubmitRequest:
    """A submission, as it is sent to the cluster.

    Attributes:
        project: The project's name.
        job: A job of the release; "" where it is a script of the project's own.
        path: That script's path in the project; "" where it is a job.
        after: Numbers or names of jobs that must complete before.
        test: Ask Slurm only.
        tag: The git tag that will be made.
        array: The tasks, where they are not the script's; as Slurm takes them.
        failed_of: Number of the run whose failed tasks they are.
        token: What tells this submission from any other.
        unlinted: Whether to submit although lint finds errors.
        fit: Options of sbatch in place of the script's own, from what earlier runs used.
    """

    project: str
    job: str = ""
    path: str = ""
    after: tuple[str, ...] = ()
    test: bool = False
    tag: str = ""
    array: str = ""
    failed_of: str = ""
    token: str = ""
    unlinted: bool = False
    fit: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The job's name, or the script's path."""
        return self.job or self.path


@dataclass(frozen=True)
class LintedScript:
    """A script that lint has checked.

    Attributes:
        digest: Its digest, which tells the cluster that it was checked; "" where the release's has to be.
        overruled: Codes of the errors that it is submitted with (--unlinted).
        ignored: Codes of the findings that its comments overrule.
    """

    digest: str = ""
    overruled: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def command(request: SubmitRequest) -> str:
    """Return the `submit` command for hints, without the flags that name cluster and project."""
    parts = [request.what, *(["--failed", request.failed_of] if request.failed_of else [])]
    parts += [part for name in request.after for part in ("--after", name)]
    parts += ["--tag", request.tag] if request.tag else []
    parts += ["--unlinted"] if request.unlinted else []
    parts += ["--fit"] if request.fit else []
    return f"invoke submit {shlex.join(parts)}"


def build_request(options: "SubmitOptions", target: "Target") -> SubmitRequest:
    """Return the request that the flags make.

    Raises:
        RookeryError: No job is named, or one that there is not; a number is none; flags that don't go together.
    """
    project = target.required_project
    failed = run_record.parse_id(options.failed, target.flags)[0] if options.failed else ""
    if options.check and (options.wait or options.tag):
        raise RookeryError(
            "Use --check without --wait and --tag: it submits nothing.",
            hint=typed_command.again(without=("--wait", "--tag")),
        )
    if options.check and options.deploy:
        raise RookeryError(
            "Use --check without --deploy: it changes nothing.",
            hint=typed_command.again(without=("--deploy", "--dirty")),
        )
    if options.dirty and not options.deploy:
        raise RookeryError("Use --dirty with --deploy.", hint=typed_command.again("--deploy"))
    for name in options.after:
        if not run_record.NUMBER.fullmatch(name) and not _NAME.fullmatch(name):
            raise RookeryError(
                f"--after {name!r} is neither a job number nor a job of rookery.yml.", hint=target.next("invoke jobs")
            )
    job, path = _job(options.job, target, failed)
    return SubmitRequest(
        project=project.name,
        job=job,
        path=path,
        after=options.after,
        test=options.check,
        tag=options.tag,
        failed_of=failed,
        array=options.array,
        token=options.token or secrets.token_hex(16),
        unlinted=options.unlinted,
        fit=options.requests,
    )


def check_names(options: "SubmitOptions") -> None:
    """Refuse several jobs where the project does not have all of them, before the first is submitted.

    Raises:
        RookeryError: It does not.
    """
    cluster = "" if options.cluster == FIRST else options.cluster
    target = targets.find(cluster, options.project, sandbox=options.sandbox)
    jobs, names = list(target.required_project.jobs), options.job.split(",")
    unknown = [name for name in names if name not in jobs and not _job(name, target, "")[1]]
    if unknown:
        corrected = [closest(name, jobs) if name in unknown else name for name in names]
        words = shlex.join(name for name in corrected if name) or "--help"
        raise RookeryError(
            f"Unknown job {unknown[0]!r}. Nothing was submitted. Jobs of rookery.yml: {', '.join(jobs)}.",
            hint=target.next(f"invoke submit {words}"),
        )


def _job(name: str, target: "Target", failed: str) -> tuple[str, str]:
    """Return the job, or else the path of the project's own script."""
    project = target.required_project
    if not name and failed:
        before = run_record.find(project.root, failed)
        name = before.job if before else ""
        if not before:
            what = f"Can't tell which job run {failed} was: it has no record in runs/."
            hint = f"invoke jobs --all   # shows your job numbers; or name the job: invoke submit JOB --failed {failed}"
            raise RookeryError(what, hint=target.next(hint))
    names = list(project.jobs)
    if not name:
        file = config.shown(project.file)
        known = f"Jobs of {file}: {', '.join(names)}." if names else f"{file} has no jobs."
        hint = (
            target.next(f"invoke submit {names[0]}") if names else "add a job to rookery.yml: invoke docs rookery-yml"
        )
        raise RookeryError(f"Missing argument JOB. {known}", hint=hint)
    if name in project.jobs:
        return name, ""
    for folder in (Path.cwd(), project.root):
        path = (folder / name).resolve()
        if path.is_file() and path.is_relative_to(project.root.resolve()):
            if re.search(r"[\x00-\x1f\x7f]", str(path)):
                raise RookeryError(f"{name!r} has a control character in its path.", hint="rename it with git mv")
            return "", path.relative_to(project.root.resolve()).as_posix()
    if _NAME.fullmatch(name):  # perhaps one of the release that is deployed
        return name, ""
    hint = target.next(f"invoke submit {names[0]}") if names else "name a script of the project"
    raise RookeryError(f"Unknown job or script {name!r} in {project.root}{meant(name, names)}.", hint=hint)


def token_file(target: "Target", request: SubmitRequest) -> Path:
    """Return the file that keeps the token of a submission until its answer is here."""
    kind = re.sub(r"[^A-Za-z0-9_-]", "_", request.what)[:100]
    if request.path:  # another script's may look the same
        kind += f".{hashlib.sha256(request.path.encode()).hexdigest()[:8]}"
    kind += f".failed-{request.failed_of}" if request.failed_of else ""
    return target.required_project.root / run_record.FOLDER / f".submitting-{target.cluster.label}-{kind}"


def save_token(path: Path, token: str, tag: str) -> None:
    """Save a token until its answer is here, with the tag that is to be made then."""
    atomic_files.write(path, f"{token}\n{tag}\n" if tag else f"{token}\n", mode=0o644)


def read_token(path: Path) -> tuple[str, str]:
    """Return the token of a submission whose answer is not here yet, and its tag; "" for both where there is none."""
    try:
        text = strict_json.read_bytes(path, _LONGEST_NOTE).decode()
    except FileNotFoundError:
        return "", ""
    except (OSError, ValueError) as error:
        state_files.name_once(
            path,
            state_files.reason(error),
            f"rm {shlex.quote(str(path))}   # first see what was submitted: invoke jobs",
        )
        return "", ""
    token, _, tag = text.partition("\n")
    return (token, tag.strip()) if re.fullmatch(r"[0-9a-f]{32}", token.strip()) else ("", "")


def local_text(target: "Target", request: SubmitRequest) -> str | None:
    """Return the script as this computer would render it; None where it can't: then the release's is checked."""
    return requests.script(target.required_project, target.cluster, request.what)


def _path_of(target: "Target", request: SubmitRequest) -> str:
    """Return the path in the release of a job's script: its own, or the one that is rendered."""
    own = job_script.own_path(target.required_project, request.job, target.cluster.name)
    return own or job_script.path_of(request.job)


def lint_and_digest(  # noqa: PLR0913 all of them say how
    target: "Target", request: SubmitRequest, text: str, *, path: str = "", final: bool = False, quiet: bool = False
) -> LintedScript:
    """Check a script; return its digest, and what of the result is overruled.

    Args:
        target: Project and cluster.
        request: What is to be submitted.
        text: The script.
        path: Its path in the release.
        final: It is the release's: errors stop, unless the user overrules them; warnings are shown. Otherwise one with
            errors has no digest, and the release's is asked for.
        quiet: Print no findings.

    Raises:
        RookeryError: It has errors, is the release's own, and the user does not overrule them.
    """
    path, root = path or request.path or _path_of(target, request), target.required_project.root

    beside = Surroundings(root, target.required_project).files
    past = [] if request.fit else measured_runs.of_script(root, target.cluster, path)
    result = lint.examine(
        text, target.cluster, path=path, files=beside, folder=lambda _: True, past=past
    )  # folders are made
    errors = [finding for finding in result.findings if finding.severity == "error"]
    if errors and not final:
        return LintedScript()
    first = errors[0] if errors and not request.unlinted else None
    for finding in () if quiet else result.findings:
        if finding is not first:  # the message says it
            console.note(
                console.clean(f"{finding.path}:{finding.line}: {finding.severity} {finding.code}: {finding.why}"),
            )
    if first:
        count = f"{len(errors)} errors, the first" if len(errors) > 1 else "an error"
        raise RookeryError(
            f"Nothing was submitted: {path} has {count} in line {first.line} ({first.code}): {first.why}",
            hint=_fix(root / path, errors, target) + _overrule(),
        )
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return LintedScript(digest, _codes(errors), _codes(each.finding for each in result.ignored))


def _codes(findings: "Iterable[Finding]") -> tuple[str, ...]:
    return tuple(sorted({finding.code for finding in findings}))


def _overrule() -> str:
    """Return how to submit all the same, where the command that the user typed can do it."""
    if not typed_command.takes("--unlinted"):
        return ""
    return f"; or overrule lint: {invocation.as_typed(typed_command.again('--unlinted'))}"


def _fix(script: Path, errors: "Sequence[Finding]", target: "Target") -> str:
    """Return what to do about errors in a script: fix its file, or rookery.yml where that alone has it."""
    if not script.is_file():
        return target.next("invoke lint   # then edit rookery.yml, and deploy again")
    root = target.required_project.root
    shown = os.path.relpath(script) if Path.cwd().is_relative_to(root) else str(script)
    if any(error.safe for error in errors):
        return target.next(f"invoke lint {shlex.quote(shown)} --fix   # then commit, and deploy again")
    if errors[0].code == "RK101" and errors[0].mended is None:
        return "edit rookery.yml, commit, and deploy again: invoke docs rookery-yml"
    return f"edit line {errors[0].line} of {shown}, commit, and deploy again"
