"""The command `fetch`: copy a project's outputs from a cluster into its folder; files here are not sent again."""

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh.errors import SshError
from rookery.core import background, console, locking, sizes, typed_command
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import watch
from rookery.jobs.options import FetchOptions
from rookery.jobs.results import follow, remote_listing
from rookery.jobs.results.download import Arrivals
from rookery.jobs.results.fetch_report import Fetched, cluster_flags
from rookery.jobs.results.follow import Followed
from rookery.jobs.results.sync import command as sync
from rookery.projects import config, remote_paths, slurm_values
from rookery.projects import target as targets
from rookery.projects.run_folders import run_of

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.results.archive import File
    from rookery.jobs.results.download import Plan
    from rookery.jobs.results.remote_listing import RemoteListing
    from rookery.jobs.run_record import RunRecord
    from rookery.projects.model import Project

WORTH_SAYING = 10**9
"""Bytes from which the size is printed before the transfer."""


def run(options: FetchOptions) -> int:
    """Fetch new files, and print what came.

    Returns:
        The exit code, as Fetched.code has it.

    Raises:
        RookeryError: As `carry_out`.
    """
    fetched = carry_out(options)
    fetched.show()
    return fetched.code


def carry_out(options: FetchOptions) -> Fetched:
    """Fetch new files.

    Raises:
        RookeryError: There is no project, the cluster can't be reached, or has no release of it or knows no such job;
            or there is more to fetch than the limit or this computer's disk allows.
    """
    limit = _bytes(options.max_size)
    project = config.load(options.project)
    flags = targets.typed_flags(options.cluster, sandbox=options.sandbox)
    job = run_record.parse_id(options.job, flags)[0] if options.job else ""
    cluster = options.cluster or (ran_on(project.root, job, sandbox=options.sandbox) if job else "")
    connection = targets.find(cluster, str(project.root), sandbox=options.sandbox).connection
    connection.open()
    followed = Followed()
    if options.follow:
        record = follow.record_of(project, job, connection.cluster, cluster_flags(options, connection))
        job = record.id
        options = replace(options, job=job)
        followed = followed if options.check else _follow(connection, project, record, limit, options)
    with locking.held(follow.lock(project.root), waiting=_for_another):
        looked = background.begun(lambda: Arrivals(project.root, connection.cluster.label, project.run_folders))
        ran = run_record.find(project.root, job, connection.cluster.label) if job else None
        outputs = _outputs(project, ran)
        folders = remote_listing.folders(outputs, project.outputs, ran.release if ran else "")
        listing, files = _list_outputs(connection, project, job, folders, options)
        arrivals = looked()
        plan = arrivals.plan(files, outputs)
        if too_much := _too_much(plan, limit, options, connection, project.root):
            if not options.check:
                raise too_much
            console.note(too_much.message)
        brought = [] if options.check else _bring(connection, project, arrivals, plan)
    plan.refused += arrivals.refused
    brought = followed.merged(plan, brought)
    synced = sync.run(project, check=options.check) if options.sync else None
    return Fetched(options, connection, listing, plan, brought, project.root, outputs, synced)


def _for_another() -> AbstractContextManager[object]:
    return console.waiting("Waiting for another command that fetches files of this project")


def _follow(
    connection: "Connection", project: "Project", record: "RunRecord", limit: int, options: FetchOptions
) -> Followed:
    """Bring what a running job writes, until it has ended; Ctrl-C and a lost connection end the following alone."""

    def check(plan: "Plan", before: int) -> RookeryError | None:
        return _too_much(plan, limit, options, connection, project.root, before)

    follower = follow.RunFollower(connection, project, record, _outputs(project, record), check)
    again = f"invoke fetch {record.id} --follow{cluster_flags(options, connection)}"
    with watch.leaving(connection.cluster.name, [record.id], again):
        return follower.until_end(quiet=options.json)


def _outputs(project: "Project", ran: "RunRecord | None") -> tuple[str, ...]:
    """Return the outputs to look into: those that rookery.yml names, and those that the run had when it was submitted.

    Args:
        project: The project.
        ran: The run that is fetched; None for all.
    """
    outputs = dict.fromkeys([*project.outputs, *(ran.outputs if ran else ())])
    return tuple(output for output in outputs if not any(output.startswith(f"{other}/") for other in outputs))


def ran_on(root: Path, job: str, *, sandbox: bool) -> str:
    """Return the name of the cluster where a run was, or of the miniature's with `sandbox`.

    "" where no record tells.
    """
    labels = [record.cluster for record in run_record.every(root) if record.id == job]
    names = [label.removesuffix("-sandbox") for label in labels if label.endswith("-sandbox") == sandbox]
    return names[-1] if names else ""


def _list_outputs(
    connection: "Connection", project: "Project", job: str, folders: Sequence[str], options: FetchOptions
) -> tuple["RemoteListing", Sequence["File"]]:
    """Return what there is on the cluster, and which of it is wanted."""
    name, flags = connection.cluster.name, cluster_flags(options, connection)
    with console.waiting(f"Looking at the outputs on {name}"):
        listing = remote_listing.listing(connection, str(remote_paths.base(project.name)), folders, job)
    if listing is None:
        raise RookeryError(f"{project.name} is not deployed to {name} yet.", hint=f"invoke deploy{flags}")
    if not job:
        return listing, listing.files
    record = run_record.find(project.root, job, connection.cluster.label)
    completes = run_record.completed(project.root, record).id if record else job
    files = remote_listing.of_job(listing, job, completes, project.run_folders)
    own = ("", completes)
    listing = replace(listing, links=tuple(link for link in listing.links if run_of(link, project.run_folders) in own))
    if not listing.keeps_accounts and not files:
        raise RookeryError(
            f"Can't tell which files job {job} wrote: none has {job} in its name, and {name} has no job accounting "
            "(sacct is off).",
            hint=f"invoke fetch{flags}   # fetches all outputs",
        )
    if listing.submitted is None and not files:
        hint = f"invoke jobs{cluster_flags(options, connection, project=False)}"
        raise RookeryError(f"Unknown job {job} of {project.name} on {name}.", hint=hint)
    return listing, files


def _bytes(text: str) -> int:
    """Return a limit such as 500M or 20G in bytes.

    Raises:
        RookeryError: It is no such limit.
    """
    try:
        return slurm_values.mebibytes(text) << 20
    except ValueError:
        what = f"Invalid value {text!r} of --max-size: write it like 500M or 50G."
        raise RookeryError(what, hint=typed_command.again("--max-size", "50G")) from None


def _too_much(  # noqa: PLR0913, PLR0917 all that decides it
    plan: "Plan", limit: int, options: FetchOptions, connection: "Connection", root: Path, before: int = 0
) -> RookeryError | None:
    """Return the error where a plan is over the limit, or over the free space here; it says how much it is.

    Args:
        plan: What is to be fetched.
        limit: Bytes.
        options: The command's.
        connection: The cluster's.
        root: The project's folder.
        before: Bytes that the same command has fetched already.
    """
    name, free = connection.cluster.name, shutil.disk_usage(root).free
    what, flags = _amount(plan), cluster_flags(options, connection)
    words = [options.job] * bool(options.job) + ["--follow"] * options.follow + ["--max-size"]
    again = f"invoke fetch {' '.join(words)}"
    one_run = "" if options.job else f"or fetch one run: invoke fetch NUMBER{flags}"
    whole = before + plan.size
    if whole > limit:
        more = f" more, after {sizes.of_bytes(before)}," if before else ""
        return RookeryError(
            f"{what}{more} to fetch from {name}: more than the limit of {sizes.of_bytes(limit)} (--max-size).",
            hint=f"{again} {whole // 2**30 + 1}G{flags}" + f"   # {one_run}" * bool(one_run),
        )
    if plan.size > free:
        return RookeryError(
            f"{what} to fetch from {name}: only {sizes.of_bytes(free)} are free in {root}.",
            hint=f"df -h {shlex.quote(str(root))}   # free some space" + f", {one_run}" * bool(one_run),
        )
    return None


def _amount(plan: "Plan") -> str:
    return f"{len(plan.bring):,} file{'' if len(plan.bring) == 1 else 's'}, {sizes.of_bytes(plan.size)}"


def _bring(connection: "Connection", project: "Project", arrivals: "Arrivals", plan: "Plan") -> list["File"]:
    """Fetch what is planned; files in place when the connection breaks off stay, and are not sent again."""
    done: list[File] = []
    if plan.size >= WORTH_SAYING:
        free = sizes.of_bytes(shutil.disk_usage(project.root).free)
        console.note(f"Fetching {_amount(plan)} from {connection.cluster.name} ({free} free here)")
    try:
        if plan.bring:
            arrivals.expect(plan.bring)
            with (
                _progress(plan) as progress,
                remote_listing.sent(connection, str(remote_paths.base(project.name)), plan.bring) as coming,
            ):
                for file in arrivals.take(coming):
                    done.append(file)
                    progress(file)
    except RookeryError as error:
        if isinstance(error, SshError) and error.reason.startswith("startup"):
            raise
        hint = f"run the same command to continue: {len(done)} of {len(plan.bring)} files are here"
        raise RookeryError(error.message, hint=hint) from error
    finally:
        arrivals.close()
    return done


@contextmanager
def _progress(plan: "Plan") -> Iterator[Callable[["File"], object]]:
    """Show a bar on the terminal, by bytes, with the number of files; nothing elsewhere."""
    if console.keeps_notes() or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.fields[count]:,} of {task.fields[all]:,} files"),
        *(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console.writer(sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=plan.size, count=0, all=len(plan.bring))
        counted = [0, 0]

        def advance(file: "File") -> None:
            counted[0] += 1
            counted[1] += file.size
            if counted[0] % 100 == 0 or file.size > 1 << 20:  # a bar that is drawn for each would cost more than it
                bar.update(task, completed=counted[1], count=counted[0])

        yield advance
