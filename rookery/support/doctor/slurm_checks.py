"""Check Slurm, the partition, and a job of one second, which also tells what a compute node is like."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.clusters.cluster import job_folders
from rookery.clusters.ssh.remote_command import clean_function
from rookery.core.errors import RookeryError
from rookery.jobs.monitor import pending_reasons
from rookery.projects.job import Job
from rookery.projects.scripts import partition, placement, sbatch_options
from rookery.support.doctor import home_checks, inspection
from rookery.support.doctor.checks import QUEUE, CheckResults
from rookery.support.doctor.connection_checks import whom_to_ask
from rookery.support.doctor.fix_commands import on_cluster, setup_again, with_note, with_sandbox
from rookery.support.doctor.inspection import HomeInspection

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection

PATIENCE = 180
"""Seconds the job is waited for."""

_DOWN = ("down", "drain", "fail", "maint", "unk", "boot", "power", "no_respond", "not_resp", "inval")
"""Beginnings of states in which a node takes no job (sinfo's manual, NODE STATE CODES)."""

_BUSY = ("None", "Priority", "Resources", "BeginTime", "Reservation", "Prolog", "Cleaning")
"""Why a job waits where nothing is wrong: the cluster is full."""


def judge(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> "Job | None":
    """Check Slurm and the partition, from the login node's answer.

    Returns:
        The job that can be tried; None where there is no use in it.
    """
    if cluster.scheduler != "slurm":
        results.skip_rest("the cluster has no scheduler", QUEUE)
        return None
    word, _, why = home.value("slurm").partition(" ")
    if word == "missing":
        results.fault(
            "slurm",
            "the commands sinfo and sbatch are missing, even in a login shell",
            with_note(on_cluster(cluster, "bash -lc 'command -v sinfo'"), f"no output? {whom_to_ask(cluster)}"),
        )
    elif word != "up":
        note = f"wait until it says UP; running jobs continue. If that takes long: {whom_to_ask(cluster)}"
        fix = with_note(on_cluster(cluster, "scontrol ping"), note)
        results.fault("slurm", f"no answer: {why or 'it took too long'}", fix)
    elif home.value("accounts") == "off":
        message = "accounting (sacct) is switched off, so Slurm forgets jobs minutes after their end"
        results.warn(
            "slurm",
            message,
            f"{whom_to_ask(cluster)}: is that intended? Until then, see how a job ended in its log and output",
        )
    else:
        results.ok("slurm", "running")
    if results.is_bad("slurm"):
        results.skip_rest("fix Slurm first", QUEUE)
        return None
    try:
        job = a_job(cluster)
    except RookeryError as error:
        results.fault("partition", error.message, error.hint or whom_to_ask(cluster))
        results.skip_rest("fix the partition first", QUEUE)
        return None
    _partition(results, cluster, job.partition, home)
    if results.is_bad("partition"):
        results.skip_rest("fix the partition first", QUEUE)
        return None
    has_no_folder = bool(job_folders(cluster.data)) and results.is_bad("set-up")
    if has_no_folder or results.is_bad("home-writable"):
        first = "set up your home" if has_no_folder else "fix writing to your home"
        results.skip_rest(f"{first} first", QUEUE)
        return None
    return job


def a_job(cluster: "Cluster") -> "Job":
    """Return a job of one core and one second, in the partition where a small job of the user's would go.

    Raises:
        RookeryError: The cluster takes no job without what is not known, such as an account.
    """
    base = Job("rookery-doctor", cpus=1, memory="200M", minutes=2)
    try:
        job = partition.placed(base, cluster)
    except RookeryError:  # where every partition is one of GPUs
        job = partition.placed(replace(base, gpus=partition.fewest_gpus(cluster) or 1), cluster)
    sbatch_options.options(job, cluster)
    return job


def _partition(results: CheckResults, cluster: "Cluster", wanted: str, home: HomeInspection) -> None:
    rows = [line.split("|") for line in home.values.get("partition") or [] if line.count("|") == 3]
    matching = [row for row in rows if row[0] == wanted] if wanted else rows
    show = f"{with_sandbox(cluster, f'invoke queue {cluster.name}')}   # shows the partitions"
    if not matching:
        results.fault(
            "partition",
            f"Slurm has no partition {wanted}, only {', '.join(sorted({row[0] for row in rows})) or 'none'}",
            show,
        )
    elif not any(row[1] == "up" for row in matching):
        results.fault(
            "partition",
            f"{wanted} is {matching[0][1]}: jobs wait until it is up again",
            f"{show}; {whom_to_ask(cluster)}",
        )
    elif all(row[2].strip("*~#!%$@^-+").startswith(_DOWN) for row in matching):
        states = ", ".join(f"{row[3]} {row[2]}" for row in matching)
        results.fault(
            "partition",
            f"no node of {wanted or 'any partition'} accepts jobs ({states})",
            f"{show}; {whom_to_ask(cluster)}",
        )
    else:
        closed = sorted({row[0] for row in rows if row[1] != "up"} - {wanted})
        results.ok(
            "partition",
            f"{wanted or 'the default partition'} is up" + (f" (closed now: {', '.join(closed)})" if closed else ""),
        )


def text(job: "Job", cluster: "Cluster") -> str:
    """Return the job's script."""
    preamble = []
    for line in placement.preamble(job, cluster):
        # the line's own text on the log, then its result
        preamble += [line, f"[ $? = 0 ] || printf 'rookery-doctor job-preamble %s\\n' {shlex.quote(line)}"]
    areas = [
        f'[ -d "{area.expression}" ] || echo rookery-doctor job-storage {shlex.quote(area.name)}'
        for area in cluster.storage
        if area.scope != "node" and area.on_compute_nodes
    ]
    return "#!/bin/bash\n" + inspection.script(
        "job.sh",
        preamble="\n".join(preamble) or ":",
        environment=f"[ -r {cluster.env_file} ] && . {cluster.env_file}",
        reach=inspection.reach(),
        storage="\n".join(areas) or ":",
        address=shlex.quote(inspection.address(cluster)),
    )


def run(
    connection: "Connection", job: "Job", waiting: Callable[[str], object], *, patience: int = PATIENCE
) -> dict[str, list[str]]:
    """Submit the job, and wait for it, in one remote command.

    Args:
        connection: The cluster's, open.
        job: The job.
        waiting: Called with the progress, a line at a time.
        patience: Seconds to wait.

    Returns:
        What submit.sh and the job said, a list for each key; what else the job printed under the key "".

    Raises:
        RookeryError: The connection broke off.
    """
    chosen = [
        option.text
        for option in sbatch_options.options(job, connection.cluster)
        if not option.text.startswith("--output=")
    ]
    words = [word for option in chosen for word in shlex.split(option)]

    def heard(line: str) -> None:
        if line.startswith("rookery-wait "):
            state, _, why = line.removeprefix("rookery-wait ").partition("|")
            waiting(f"test job: {state.lower()}" + (f", {pending_reasons.explain(why)}" if state == "PENDING" else ""))

    arguments = [text(job, connection.cluster), str(patience), *words]
    done = connection.begin(
        inspection.script("submit.sh", clean=shlex.quote(clean_function())), arguments, on_line=heard
    ).finish()
    values = inspection.marked_values(done.stdout, "rookery-doctor ")
    rest = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("rookery-doctor ")]
    return {**values, "": rest or done.stderr.strip().splitlines()[-1:]}


def judge_job(results: CheckResults, cluster: "Cluster", values: dict[str, list[str]], *, home: HomeInspection) -> None:
    """Check the job's answer."""
    number = (values.get("submitted") or [""])[-1]
    if "ended" in values:
        unseen = [] if results.is_bad("set-up") else values.get("job-storage") or []
        if unseen:
            results.warn(
                "job",
                f"it ran, but its node can't access your storage: {', '.join(unseen)}",
                f"{whom_to_ask(cluster)}: is that so on compute nodes?",
            )
        else:
            results.ok("job", f"finished after {values['ended'][-1]} s, on {(values.get('job-node') or ['?'])[-1]}")
        _path(results, cluster, values, home)
        home_checks.internet(results, cluster, "compute", (values.get("job-internet") or [""])[-1])
        return
    if "waits" in values:
        state, _, why = values["waits"][-1].partition("|")
        reason = pending_reasons.explain(why or "None")
        message = f"cancelled by rookery, since it was still {state.lower() or 'unknown'}: {reason}"
        show = with_sandbox(cluster, f"invoke queue {cluster.name}")
        if state == "PENDING" and why.partition(",")[0] in _BUSY:
            results.warn("job", message, f"{show}   # shows how busy it is")
        else:
            results.fault("job", message, f"{show}   # {whom_to_ask(cluster)}")
    elif "refused" in values:
        words = values["refused"][-1].replace("sbatch: error: ", "")
        results.fault(
            "job",
            f"sbatch refused it: {words or 'no reason given'}",
            f"{whom_to_ask(cluster)}: which jobs may you submit, and under which account?",
        )
    elif "vanished" in values:
        last = (values.get("") or ["nothing"])[-1]
        show = on_cluster(cluster, f"sacct -j {number} --format=JobID,State,ExitCode,NodeList")
        fix = with_note(show, f"shows how it ended; {whom_to_ask(cluster)}")
        results.fault("job", f"it left the queue without finishing (last output: {last[:100]})", fix)
    else:
        last = (values.get("") or ["no output"])[-1]
        results.fault(
            "job", f"rookery could not run it: {last[:150]}", f"run the command again; {whom_to_ask(cluster)}"
        )
    results.skip_rest("fix the test job first", QUEUE)


def _path(results: CheckResults, cluster: "Cluster", values: dict[str, list[str]], home: HomeInspection) -> None:
    words = (values.get("") or [""])[-1].rpartition("slurm_script: ")[2]
    failed, wanted = values.get("job-preamble") or [], home_checks.expected(home)
    missing = home_checks.lacking((values.get("job-path") or [""])[-1], wanted)
    if not wanted:
        results.skip("path-job", "your home is not set up yet")
    elif results.is_bad("path-login"):
        results.skip("path-job", "fix PATH at login first")
    elif missing:
        results.fault(
            "path-job",
            f"jobs do not find rookery's tools: PATH lacks {', '.join(missing)}",
            setup_again(results, cluster),
        )
    elif failed:
        message = f"`{failed[0]}`, which starts each job script there, fails{f': {words[:150]}' if words else ''}"
        results.fault("path-job", message, setup_again(results, cluster))
    else:
        results.ok("path-job", "rookery's tools are found")
