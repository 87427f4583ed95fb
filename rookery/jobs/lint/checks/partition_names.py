"""RK301: partitions that the cluster does not have, and which of its own would take the job."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rookery.core.errors import RookeryError
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script import similar_names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import RequestedResources, listed, partitions, requested
from rookery.projects.scripts import partition, placement


def unknown(script: Context) -> Iterator[Finding]:
    """Yield findings for a partition that the cluster does not have."""
    names = [str(entry["name"]) for entry in partitions(script)]
    for part in requested(script):
        if not names or not part.partition or not part.partition.value or "$" in part.partition.value:
            continue
        for name in dict.fromkeys(listed(part.partition)):
            if name not in {*names, *(script.cluster.data.get("cluster_restricted_partitions") or [])}:
                yield _unknown(script, part, name)


def _unknown(script: Context, part: RequestedResources, name: str) -> Finding:
    """Return the finding for one unknown name; `--fix` corrects it where the name can mean one partition alone.

    A name for another cluster's partition often looks like one of this one's, so the job must fit there, too.
    """
    option = part.partition
    assert option is not None and option.value  # noqa: S101 asked for above
    known = partitions(script)
    known_as = next((str(entry["name"]) for entry in known if name in (entry.get("also") or [])), "")
    near = known_as or similar_names.meant(name, [entry["name"] for entry in known])
    safe = bool(near) and takes(script, part, near)
    other = near if safe else _suggested(script, part, name)
    mended = ",".join(dict.fromkeys(other if candidate == name else candidate for candidate in listed(option)))
    return script.finding(
        "RK301",
        option.line,
        f"{script.cluster.name} has no partition {name}{_meant(script, part, near)}",
        edits=[script.value_edit(option, mended)] if other else [],
        safe=safe,
    )


def _meant(script: Context, part: RequestedResources, near: str) -> str:
    """Return the rest of the sentence: which partition was meant, or which ones there are, and what for."""
    if near:
        return f" (did you mean {near}?)." if takes(script, part, near) else _refusal(script, part, near)
    if len(known := partitions(script)) == 1:
        return f". Its only partition is {known[0]['name']}."
    fitting = [entry for entry in known if takes(script, part, str(entry["name"]))]
    others = [str(entry["name"]) for entry in known if entry not in fitting]
    if not fitting or not others:
        return f". Its partitions: {', '.join(map(_with_purpose, known))}."
    return f". For this job: {', '.join(map(_with_purpose, fitting))}. The others: {', '.join(others)}."


def _refusal(script: Context, part: RequestedResources, name: str) -> str:
    """Return the rest of the sentence: why the partition that was meant does not take the job."""
    places = [place for place in partition.places(script.cluster) if place.partition.get("name") == name]
    rules = next(
        (found for place in places if (found := list(placement.broken(place, part.jobs[0], script.cluster)))), []
    )
    what = f" ({', '.join(rules)})" if rules else ""
    return f", and {name} does not take such a job{what}."


def _with_purpose(entry: Any) -> str:
    return f"{entry['name']} ({entry['purpose']})" if entry.get("purpose") else str(entry["name"])


def takes(script: Context, part: RequestedResources, name: str) -> bool:
    """Return whether the job could have been written for a partition."""
    found = [place for place in partition.places(script.cluster) if place.partition.get("name") == name]
    return any(placement.fits(place, job, script.cluster) for place in found for job in part.jobs)


def _suggested(script: Context, part: RequestedResources, name: str) -> str:
    """Return the partition to show in place of an unknown one: of a similar name, or the first that takes the job."""
    names = [str(entry["name"]) for entry in partitions(script)]
    near = [similar_names.nearest(name, names), *(entry for entry in names if entry.startswith(f"{name}-"))]
    return next((entry for entry in (*near, *names) if entry and takes(script, part, entry)), "")


def chosen(script: Context, part: RequestedResources) -> str:
    """Return the partition that rookery would choose for such a job; "" where none takes it."""
    for job in part.jobs:
        with suppress(RookeryError):
            return partition.placed(job, script.cluster).partition
    return ""
