"""The command `submit`: check the script, have it submitted from the release that is deployed, keep the record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rookery.jobs.monitor import job_table, watch
from rookery.jobs.monitor.notify import notifier
from rookery.jobs.options import SubmitOptions
from rookery.jobs.submit import checks, deploy_first, first, race, report, retry, sending, tags
from rookery.jobs.submit import request as submit_request
from rookery.projects import target as targets


def run(options: SubmitOptions) -> int:
    """Submit a job.

    Returns:
        The exit code: 0 where it was submitted; with `wait` or `notify`, 1 where a task failed.

    Raises:
        RookeryError: It could not be; nothing was submitted then, unless the message says otherwise.
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
    target = targets.find(options.cluster, options.project, sandbox=options.sandbox)
    sender = notifier.prepare(target) if options.notify and not options.check else None
    waits = options.wait or options.notify
    request = submit_request.build_request(options, target)
    if options.tag:
        tags.check(target.required_project.root, options.tag)
    deploy_first.deploy_first(target, request, options)
    target.connection.open()
    if options.failed:
        request = retry.tasks(target, request)
    tested = checks.before(target, request, unchecked=options.unchecked)
    answer, record = sending.carry_out(target, request)
    answer["warnings"] = [*tested, *(answer.get("warnings") or [])]
    if record is None:
        return report.tested(target, request, answer, json=options.json)
    if waits and options.json:
        snapshot = watch.ended(target, record.id, notifier=sender)
        report.submitted(target, answer, record, document={**job_table.document(snapshot, target), **more})
        return int(any(run.failed_count for run in snapshot.runs))
    report.submitted(target, answer, record, stays=waits, document=more if options.json else None)
    if not waits:
        return 0

    code = watch.run(target, ids=[record.id], notifier=sender)
    if not code:
        report.ended(target)
    return code
