"""`rookery.Project`: the commands of a project, as methods."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.api import calls
from rookery.api.run import Run, combined_table, of_record
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.monitor import cancel, show
from rookery.jobs.options import (
    CancelOptions,
    CombineOptions,
    FetchOptions,
    JobsOptions,
    RunOptions,
    RunsOptions,
    SubmitOptions,
)
from rookery.jobs.records import show as records
from rookery.jobs.results import combine, fetch
from rookery.jobs.run_job import command as run_command
from rookery.jobs.submit import submit
from rookery.projects import config, deploy
from rookery.projects import target as targets
from rookery.projects.options import DeployOptions

if TYPE_CHECKING:
    from rookery.api.table import Table
    from rookery.projects.target import Target


class Project:
    """A project: what the commands do with it, from a script or a notebook.

    Each method takes the options of the command of its name, prints nothing and asks nothing. Where a user at a
    terminal would be asked, as for a password, it raises a RookeryError that names the command to run.
    """

    def __init__(self, path: str | Path = ".", cluster: str = "", *, sandbox: bool = False) -> None:
        """Find the project.

        Args:
            path: Its folder, or one inside it.
            cluster: The cluster to use [the first in rookery.yml].
            sandbox: Use the cluster's miniature on this computer.

        Raises:
            RookeryError: There is no rookery.yml, or it has errors.
        """
        with calls.quietly():
            self.root = config.load(config.find(Path(path).resolve())).root
        self._cluster, self._sandbox = cluster, sandbox

    def __repr__(self) -> str:
        """Return it as it is made."""
        return f"Project({str(self.root)!r}, cluster={self._cluster!r}, sandbox={self._sandbox})"

    def known(self) -> Mapping[str, Any]:
        """Return the options that are the same for all of its commands."""
        return {"project": str(self.root), "cluster": self._cluster, "sandbox": self._sandbox}

    @calls.takes(DeployOptions)
    def deploy(self, options: DeployOptions) -> dict[str, Any]:
        """Copy a commit to a cluster, and return what `rookery deploy --json` prints."""
        return deploy.carry_out(options).document()

    @calls.takes(SubmitOptions, "check", "wait", "notify", "race", "yes")
    def submit(self, options: SubmitOptions) -> Run:
        """Submit a job from the deployed release, and return its run."""
        submitted = submit.carry_out(options)
        assert submitted.record is not None  # noqa: S101 it is submitted, not asked about
        return of_record(self.root, submitted.record, tuple(submitted.document()["notes"]))

    @calls.takes(RunOptions, "check")
    def run(self, options: RunOptions) -> Run:
        """Deploy, submit, wait, fetch and combine; the same call continues a run that was stopped.

        Raises:
            RookeryError: A step failed, or a task did.
        """
        code, document = run_command.carry_out(options)
        target = targets.find(str(document["cluster"]), str(self.root), sandbox=options.sandbox)
        record = run_record.find(self.root, str(document["id"]), target.cluster.label)
        if record is None:
            raise RookeryError(f"Run {document['id']} has no record in runs/.", hint=target.next("invoke fetch"))
        run = of_record(self.root, record)
        if code:
            raise RookeryError(
                f"Job {run.number} ({run.job}) did not give all results.",
                hint=target.next(f"invoke combine {run.number}   # names what is missing"),
            )
        return run

    @calls.takes(JobsOptions, "watch", "notify", "fit")
    def jobs(self, options: JobsOptions) -> list[dict[str, Any]]:
        """Return the latest jobs, each as `rookery jobs --json` has it under `jobs`."""
        show.check(options)
        query = show.query(options, self._target(options.cluster))
        query.connection.open()
        found: list[dict[str, Any]] = query.document(query.ask())["jobs"]
        return found

    @calls.takes(RunsOptions, "diff")
    def runs(self, options: RunsOptions) -> list[Run]:
        """Return the runs that have a record on this computer, the latest first."""
        return [of_record(self.root, record) for record in records.chosen(config.load(options.project), options)]

    @calls.takes(FetchOptions)
    def fetch(self, options: FetchOptions) -> dict[str, Any]:
        """Copy results into the project, and return what `rookery fetch --json` prints."""
        return fetch.carry_out(options).document()

    @calls.takes(CombineOptions, "check", "plot", "plot_by")
    def combine(self, options: CombineOptions) -> "Table":
        """Combine the CSV files of an array into one table.

        A table that is not complete is returned as well: `Table.missing` names the tasks without a result.
        """
        return combined_table(combine.carry_out(options))

    @calls.takes(CancelOptions, "yes")
    def cancel(self, options: CancelOptions) -> dict[str, Any]:
        """Cancel jobs, and return what `rookery cancel --json` prints."""
        cancelled = cancel.carry_out(self._target(options.cluster), replace(options, yes=True))
        return cancelled.document() if cancelled else {}

    def _target(self, cluster: str) -> "Target":
        return targets.find(cluster, str(self.root), sandbox=self._sandbox)
