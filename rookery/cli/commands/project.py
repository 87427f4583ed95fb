"""A research project: begun, its job scripts rendered and checked, brought to a cluster."""

from typing import Any

from rookery.cli.commands.help_texts import CHECK, ITS_CLUSTER, JSON, PROJECT, SANDBOX, YES
from rookery.cli.program import command


@command(
    help={
        "name": "the project's name, and its folder's",
        "lang": "python or r",
        "lock": "for Python: uv (the default) or poetry; for R: library (the default) or renv",
        "clusters": "where it will run, the first by default; with commas between them",
        "track": "mlflow or wandb: keep each run's parameters and results with it, offline; neither by default",
    }
)
def new(_c: Any, name: str, lang: str = "python", lock: str = "", clusters: str = "", track: str = "") -> int | None:
    """Begin a project that works at once: git, a seeded simulation as a job array, tests, a lock file."""
    from rookery.projects import scaffold

    return scaffold.run(scaffold.NewOptions(name=name, lang=lang, lock=lock, clusters=clusters, track=track))


@command(
    positional=["job"],
    help={
        "job": "a job of rookery.yml; all of them where none is named",
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "output": "folder to write the scripts into, such as slurm/; without it they are printed",
        "sandbox": SANDBOX,
    },
)
def render(
    _c: Any, job: str = "", cluster: str = "", project: str = "", output: str = "", sandbox: bool = False
) -> int | None:
    """Print the job scripts that rookery.yml describes, as they will run on a cluster."""
    from rookery.jobs import render

    return render.run(render.RenderOptions(job=job, cluster=cluster, project=project, output=output, sandbox=sandbox))


@command(
    positional=["files"],
    help={
        "files": "job scripts, with commas between them; by default those of the project",
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "fix": "mend what can safely be mended, in the files",
        "json": JSON,
        "sandbox": SANDBOX,
    },
)
def lint(
    _c: Any,
    files: str = "",
    cluster: str = "",
    project: str = "",
    fix: bool = False,
    json: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Find what is wrong with job scripts before Slurm does: yours or ours, against a cluster's rules."""
    from rookery.jobs.lint import run

    return run.run(run.LintOptions(files=files, cluster=cluster, project=project, fix=fix, json=json, sandbox=sandbox))


@command(
    help={
        "cluster": ITS_CLUSTER,
        "project": PROJECT,
        "check": CHECK,
        "dirty": "deploy uncommitted changes too, as a snapshot that says so",
        "prune": "remove old releases that no job uses and that hold nothing of yours",
        "json": JSON,
        "yes": YES,
        "sandbox": SANDBOX,
    }
)
def deploy(
    _c: Any,
    cluster: str = "",
    project: str = "",
    check: bool = False,
    dirty: bool = False,
    prune: bool = False,
    json: bool = False,
    yes: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Bring a project's commit to a cluster, with its environment built and its job scripts rendered."""
    from rookery.projects import deploy, deploy_options

    return deploy.run(
        deploy_options.DeployOptions(
            cluster=cluster,
            project=project,
            check=check,
            dirty=dirty,
            prune=prune,
            json=json,
            yes=yes,
            sandbox=sandbox,
        )
    )
