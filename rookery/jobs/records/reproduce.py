"""The command `reproduce`: make a run again from its record, and say whether the results are the same.

It runs from a copy of the project (projects/project_copy.py), so neither the project here nor its releases and results
on the cluster change. Each step finds what an earlier call of the command has done; nothing is submitted twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, locking, startup
from rookery.jobs import run_record
from rookery.jobs.options import ReproduceOptions
from rookery.jobs.records import comparison, remains, reproduction, reproduction_steps, show
from rookery.jobs.records.reproduction_steps import ReproductionResult, ReproductionSteps
from rookery.jobs.results import fetch_report
from rookery.projects import config, copy_note, project_copy
from rookery.projects import target as targets

if TYPE_CHECKING:
    from rookery.jobs.records.reproduction import Reproduction

SHOWN = 10
"""Files that are named; of the others only the number."""

_COUNTED = {
    comparison.DIFFERS: "different",
    comparison.MISSING: "missing",
    comparison.EXTRA: "without an original",
}


def run(options: ReproduceOptions) -> int:
    """Make a run again and compare the results.

    Returns:
        The exit code: 0 where all files are the same, 1 where not, 130 where the user stopped waiting.

    Raises:
        RookeryError: The run can't be made again, or a step failed; the same command continues.
    """
    project = config.load(options.project)
    planned = reproduction.plan(project, options)
    if options.remove:
        return _remove(planned)
    if options.check:
        return _show_plan(planned, options)
    with locking.held(planned.name):
        steps = ReproductionSteps(planned, options)
        try:
            result = steps.run()
        except KeyboardInterrupt:
            steps.detach()
            return startup.INTERRUPTED
    _report(result, options)
    return 0 if result.is_same else 1


def _remove(planned: "Reproduction") -> int:
    """Remove what an earlier reproduction of the run has left."""
    copy = project_copy.find(planned.project, planned.name)
    if copy is None:
        console.say(f"No reproduction of run {planned.record.id} is left on {planned.cluster.name}.")
        return 0
    cluster = planned.cluster
    note = copy_note.of(copy.root)
    is_there = bool(note and cluster.label in note.clusters)
    target = targets.find(cluster.name, str(copy.root), sandbox=cluster.sandbox)
    remains.remove(copy, target.connection if is_there else None)
    console.say(f"Removed {planned.name}{f', here and on {cluster.name}' * is_there}.")
    return 0


def _show_plan(planned: "Reproduction", options: ReproduceOptions) -> int:
    copy = project_copy.find(planned.project, planned.name)
    submitted = [record.id for record in run_record.every(copy.root, planned.cluster.label)] if copy else []
    if options.json:
        print(json.dumps({**_heading(planned, submitted), "state": "check"}, indent=2))
        return 0
    console.say(f"Would reproduce {planned.what} on {planned.cluster.name}, as {planned.name}.")
    for number in submitted:
        console.say(f"  Job {number} is submitted already.")
    return 0


def _heading(planned: "Reproduction", submitted: Sequence[str]) -> Mapping[str, Any]:
    """Return what JSON documents say of a reproduction, with the numbers of its jobs, as far as they are submitted."""
    record, missing = planned.record, len(planned.runs) - len(submitted)
    *before, own = [*submitted, *[""] * missing]
    return {
        "run": record.id,
        "job": record.job,
        "commit": record.commit,
        "dirty": record.dirty,
        "cluster": planned.cluster.label,
        "copy": planned.name,
        "submitted": own,
        "before": [
            {"run": run.id, "job": run.job, "submitted": number}
            for run, number in zip(planned.before, before, strict=True)
        ],
    }


def _report(result: ReproductionResult, options: ReproduceOptions) -> None:
    planned, same = result.planned, [file for file in result.files if file.agrees]
    if options.json:
        document = {
            **_heading(planned, result.ids),
            "state": "same" if result.is_same else "differs",
            "tasks": dict(result.counts),
            "files": [asdict(file) for file in result.files],
            "software": [asdict(difference) for difference in result.software],
            "kept": str(result.kept or ""),
        }
        print(json.dumps(document, indent=2))
        return
    total = f"{len(result.files):,} file{'s' * (len(result.files) != 1)}"
    by_number = sum(file.state == comparison.NUMBER for file in result.files)
    remark = f" ({by_number:,} but for the job's number)" if by_number else ""
    if result.is_same:
        console.say(f"  compared   {total}: all are the same, byte for byte{remark}")
    elif not result.files:
        console.say(
            f"  compared   nothing: the new run wrote none of the files that run {planned.record.id} may have written"
        )
    else:
        counts = {state: sum(file.state == state for file in result.files) for state in _COUNTED}
        parts = [f"{count:,} {_COUNTED[state]}" for state, count in counts.items() if count]
        console.say(f"  compared   {total}: {len(same):,} the same{remark}, {', '.join(parts)}")
    other = [file for file in result.files if not file.agrees]
    for file in other[:SHOWN]:
        console.say(f"    {fetch_report.shown(file.path)}: {file.how}")
    if len(other) > SHOWN:
        console.say(f"    … and {len(other) - SHOWN:,} more; all of them: --json")
    if result.software:
        console.say("  software and machines that differ:")
        for difference in result.software[:SHOWN]:
            console.say(*(f"  {line}" for line in show.shown(difference)))
    if result.kept:
        console.say(f"  kept       {result.kept}")
        console.say(f"  next       {invocation.as_typed(reproduction_steps.removal(planned, options))}")
