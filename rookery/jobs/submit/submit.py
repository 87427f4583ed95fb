"""The command `submit`: check the script, have it submitted from the release that is deployed, keep the record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rookery.jobs.history.fit import FittedJob
from rookery.jobs.monitor import job_table, watch
from rookery.jobs.monitor.notify import notifier
from rookery.jobs.options import SubmitOptions
from rookery.jobs.run_record import RunRecord
from rookery.jobs.submit import checks, deploy_first, first, fitting, race, report, retry, sending, tags
from rookery.jobs.submit import request as submit_request
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import target as targets
from rookery.projects.target import Target


@dataclass(frozen=True)
class SubmittedJob:
    """A job that was submitted, or of which Slurm was asked.

    Attributes:
        target: Project and cluster, connected.
        request: What was asked for.
        answer: The cluster's answer.
        record: The record of the run; None where Slurm was only asked.
    """

    target: Target
    request: SubmitRequest
    answer: Mapping[str, Any]
    record: RunRecord | None

    def document(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the document for --json, with what else is known."""
        if self.record is None:
            return report.test_document(self.target, self.answer)
        return {**report.document(self.target, self.answer, self.record), **(more or {})}


def run(options: SubmitOptions) -> int:
    """Submit a job, and print its number.

    Returns:
        The exit code: 0 where it was submitted; with `wait` or `notify`, 1 where a task failed.

    Raises:
        RookeryError: As `carry_out`.
    """
    more: dict[str, Any] = {}
    if options.race and not options.check:
        return race.run(options)
    if first.is_asked(options):
        name, known = first.choose(options)
        more = {"cluster": name, "clusters": [estimate.document() for estimate in known]}
        if options.check:
            names = [each.cluster for each in known if not each.reason] if options.race else [name]
            return report.chosen(names, options.job, more, json=options.json)
        options = replace(options, cluster=name, deploy=False, dirty=False)
    return _submit(options, more)


def _submit(options: SubmitOptions, more: Mapping[str, Any]) -> int:
    """Submit a job to one cluster.

    Args:
        options: The flags.
        more: What a JSON document has besides.
    """
    sender = None
    if options.notify and not options.check:  # before anything is submitted: a setting may be missing
        sender = notifier.prepare(targets.find(options.cluster, options.project, sandbox=options.sandbox))
    waits = options.wait or options.notify
    submission = carry_out(options, lambda job, target: fitting.agrees(job, target, options))
    target, answer, record = submission.target, submission.answer, submission.record
    if record is None:
        return report.tested(target, submission.request, answer, json=options.json)
    if options.json:
        snapshot = watch.ended(target, record.id, notifier=sender) if waits else None
        ended = job_table.document(snapshot, target) if snapshot else {}
        report.print_document(submission.document({**ended, **more}))
        return int(any(run.failed_count for run in snapshot.runs)) if snapshot else 0
    report.submitted(target, answer, record, stays=waits)
    if not waits:
        return 0

    code = watch.run(target, ids=[record.id], notifier=sender)
    if not code:
        report.ended(target)
    return code


def carry_out(options: SubmitOptions, agrees: Callable[[FittedJob, Target], bool] = lambda *_: True) -> SubmittedJob:
    """Submit a job to one cluster; to the one that can start it first, where that is asked for.

    Args:
        options: The flags.
        agrees: Asks, with `fit`, whether to submit with what is proposed.

    Raises:
        RookeryError: It could not be; nothing was submitted then, unless the message says otherwise.
    """
    if first.is_asked(options):
        options = replace(options, cluster=first.choose(options)[0], deploy=False, dirty=False)
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    request = submit_request.build_request(options, target)
    if options.tag:
        tags.check(target.required_project.root, options.tag)
    deploy_first.deploy_first(target, request, options)
    target.connection.open()
    if options.failed:
        request = retry.tasks(target, request)
    notes: list[str] = []
    if options.fit:
        request, notes = fitting.fitted(target, request, agrees)
    tested = checks.before(target, request, unchecked=options.unchecked)
    answer, record = sending.carry_out(target, request)
    answer["warnings"] = [*notes, *tested, *(answer.get("warnings") or [])]
    return SubmittedJob(target, request, answer, record)
