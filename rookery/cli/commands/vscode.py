"""VS Code: a project opened on a cluster, its settings here, its old servers there."""

from typing import Any

from rookery.cli.commands.help_texts import CHECK, CLUSTER, CLUSTERS, ITS_CLUSTER, JSON, PROJECT, SANDBOX, YES
from rookery.cli.program import command


@command(
    optional=["gpu"],
    help={
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "folder": "another folder there; by default the project's last release, or your home",
        "job": "on a compute node, in a job of its own; so does `ssh CLUSTER-job`",
        "gpu": "with --job: a GPU, or one of this type",
        "cpus": "with --job: cores; 2 by default",
        "memory": "with --job: memory, such as 8G; 2G a core by default",
        "time": "with --job: how long it may run, such as 02:00:00; 4 hours by default",
        "editor": "code, code-insiders or codium; by default the first that is here",
        "stop": "end the job",
        "print": "print the command that opens it, and open nothing",
        "sandbox": SANDBOX,
    },
)
def code(
    _c: Any,
    cluster: str = "",
    project: str = "",
    folder: str = "",
    job: bool = False,
    gpu: str = "",
    cpus: int = 0,
    memory: str = "",
    time: str = "",
    editor: str = "",
    stop: bool = False,
    print: bool = False,  # noqa: A002 the flag's name
    sandbox: bool = False,
) -> int | None:
    """Open the project in VS Code on a cluster: where it is deployed, or with --job on a compute node."""
    from rookery.homes.vscode import code
    from rookery.jobs.interactive.job_request import ComputeNodeOptions

    wish = ComputeNodeOptions(
        cpus=cpus, memory=memory, time=time, gpu=bool(gpu), gpu_type=gpu if isinstance(gpu, str) else ""
    )
    return code.run(
        code.CodeOptions(
            cluster=cluster,
            project=project,
            folder=folder,
            job=job or wish != ComputeNodeOptions(),
            wish=wish,
            editor=editor,
            stop=stop,
            print=print,
            sandbox=sandbox,
        )
    )


@command(
    name="settings",
    help={
        "cluster": CLUSTERS + "; by default those where your username is known",
        "check": "say what would be written, and write nothing",
        "json": JSON,
    },
)
def vscode_settings(_c: Any, cluster: str = "", check: bool = False, json: bool = False) -> int | None:
    """Write into the settings of VS Code on this computer what it needs for your clusters; yours stay as they are."""
    from rookery.homes.vscode import by_hand

    return by_hand.settings(cluster, check=check, json=json)


@command(
    name="prune",
    help={
        "cluster": CLUSTER,
        "check": CHECK.replace("done", "removed"),
        "yes": YES,
        "sandbox": SANDBOX,
        "json": JSON,
    },
)
def vscode_prune(
    _c: Any, cluster: str, check: bool = False, yes: bool = False, sandbox: bool = False, json: bool = False
) -> int | None:
    """Remove old VS Code servers from a cluster; the newest, and any that runs, stay."""
    from rookery.clusters.connect import connect
    from rookery.homes.vscode import prune

    return prune.prune(connect(cluster, sandbox=sandbox), check=check, yes=yes, json=json)
