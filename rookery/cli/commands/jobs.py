"""Jobs, from submission to result."""

from typing import Any

from rookery.cli.commands.help_texts import CHECK, ITS_CLUSTER, JOB_ID, JSON, PROJECT, SANDBOX, YES
from rookery.cli.program import command


@command(
    positional=["job"],
    iterable=["after"],
    help={
        "job": "a job of rookery.yml, or a job script of the project",
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "after": "number of a job, or name of one just submitted, that must have ended well before; may be repeated",
        "test": "ask Slurm whether and when it could start, and submit nothing",
        "wait": "stay until it has ended; exit 1 where a task failed",
        "failed": "number of an earlier run: submit again the tasks of it that failed, and those alone",
        "tag": "tag the commit with this name, with an annotation that tells the run",
        "json": JSON,
        "sandbox": SANDBOX,
    },
)
def submit(
    _c: Any,
    job: str = "",
    cluster: str = "",
    project: str = "",
    after: Any = None,
    test: bool = False,
    wait: bool = False,
    failed: str = "",
    tag: str = "",
    json: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Submit a job from the release that is deployed, and record what ran: commit, parameters, script."""
    from rookery.jobs.submit import options, submit

    return submit.run(
        options.SubmitOptions(
            job=job,
            cluster=cluster,
            project=project,
            after=tuple(after or ()),
            test=test,
            wait=wait,
            failed=failed,
            tag=tag,
            json=json,
            sandbox=sandbox,
        )
    )


@command(
    positional=["job"],
    help={
        "job": "one job, by its number; your latest ones where none is named",
        "cluster": ITS_CLUSTER,
        "all": "every job of the last days, not those of this project alone",
        "days": "how far back to look",
        "watch": "stay, and show how it goes on",
        "json": JSON,
        "sandbox": SANDBOX,
    },
)
def jobs(
    _c: Any,
    job: str = "",
    cluster: str = "",
    all: bool = False,  # noqa: A002 the flag's name
    days: int = 7,
    watch: bool = False,
    json: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Show your jobs: how they stand, why they wait, what they used of what they asked for."""
    from rookery.jobs.monitor import show

    return show.run(
        show.JobsOptions(job=job, cluster=cluster, all=all, days=days, watch=watch, json=json, sandbox=sandbox)
    )


@command(
    positional=["job"],
    help={
        "job": JOB_ID + "; the project's last run where none is named",
        "cluster": ITS_CLUSTER,
        "follow": "stay, and show what is added",
        "error": "what went to the error log, where that is a file of its own",
        "sandbox": SANDBOX,
    },
)
def logs(
    _c: Any, job: str = "", cluster: str = "", follow: bool = False, error: bool = False, sandbox: bool = False
) -> int | None:
    """Print what a job has written to its log."""
    from rookery.jobs.monitor import logs

    return logs.run(logs.LogsOptions(job=job, cluster=cluster, follow=follow, error=error, sandbox=sandbox))


@command(help={"job": JOB_ID, "cluster": ITS_CLUSTER, "yes": YES, "json": JSON, "sandbox": SANDBOX})
def cancel(
    _c: Any, job: str, cluster: str = "", yes: bool = False, json: bool = False, sandbox: bool = False
) -> int | None:
    """Cancel a job, an array, or one task of it; several with commas between them."""
    from rookery.jobs.monitor import cancel

    return cancel.run(cancel.CancelOptions(job=job, cluster=cluster, yes=yes, json=json, sandbox=sandbox))


@command(
    positional=["job"],
    help={
        "job": "number of a run: only files written from its submission to its end, or with the number in their path",
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "max-size": "most that is fetched, such as 500M or 50G; by default 20G",
        "check": CHECK,
        "json": JSON,
        "sandbox": SANDBOX,
    },
)
def fetch(
    _c: Any,
    job: str = "",
    cluster: str = "",
    project: str = "",
    max_size: str = "20G",
    check: bool = False,
    json: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Bring the results from a cluster into the project's folder; what is here already is not sent again."""
    from rookery.jobs.results import fetch

    asked = {"job": job, "cluster": cluster, "project": project, "max_size": max_size}
    return fetch.run(fetch.FetchOptions(**asked, check=check, json=json, sandbox=sandbox))


@command(
    positional=["job"],
    help={
        "job": "number of a run, whose parameters are put beside its results; the project's last where none is named",
        "project": PROJECT,
        "files": "pattern of the results; by default the CSV files in the outputs: 'results/*.csv'",
        "output": "the table to write; by default combined.csv",
        "json": JSON,
    },
)
def combine(
    _c: Any, job: str = "", project: str = "", files: str = "", output: str = "combined.csv", json: bool = False
) -> int | None:
    """Put the CSV files of an array's tasks into one table, with the parameters of each, naming those missing."""
    from rookery.jobs.results import combine

    return combine.run(combine.CombineOptions(job=job, project=project, files=files, output=output, json=json))


@command(
    help={
        "cluster": ITS_CLUSTER,
        "cpus": "cores",
        "gpu": "a GPU",
        "memory": "memory, such as 4G; by default 2G for each core",
        "time": "how long, as HH:MM:SS; by default four hours",
        "partition": "a partition, where it shall not be chosen for you",
        "session": "name of the tmux session it runs in",
        "sandbox": SANDBOX,
    }
)
def shell(
    _c: Any,
    cluster: str = "",
    cpus: int = 1,
    gpu: bool = False,
    memory: str = "",
    time: str = "",
    partition: str = "",
    session: str = "shell",
    sandbox: bool = False,
) -> int | None:
    """Open a shell on a compute node, which goes on when your connection drops."""
    from rookery.jobs.interactive import shell

    return shell.run(
        shell.ShellOptions(
            cluster=cluster,
            cpus=cpus,
            gpu=gpu,
            memory=memory,
            time=time,
            partition=partition,
            session=session,
            sandbox=sandbox,
        )
    )


@command(help={"cluster": ITS_CLUSTER, "json": JSON, "sandbox": SANDBOX})
def queue(_c: Any, cluster: str = "", json: bool = False, sandbox: bool = False) -> int | None:
    """Show the partitions of a cluster: what is free, and what one may ask for."""
    from rookery.jobs.monitor import queue

    return queue.run(cluster=cluster, json=json, sandbox=sandbox)


@command(help={"cluster": ITS_CLUSTER, "json": JSON, "sandbox": SANDBOX})
def quota(_c: Any, cluster: str = "", json: bool = False, sandbox: bool = False) -> int | None:
    """Show how full your storage on a cluster is, in bytes and in files."""
    from rookery.jobs.monitor import quota

    return quota.run(cluster=cluster, json=json, sandbox=sandbox)
