"""Choose the partition and the QOS for a job, from the cluster's profile. Nothing is asked of the cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rookery.clusters.cluster import Cluster
from rookery.clusters.config.schema import nearest
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.scripts.placement import JobPlace, asked, broken, foreign, has_gpus, processes, takes_gpus, unused

_BY_NAME_ONLY: Final = {"test", "interactive"}
"""Kinds of partition and QOS that a job goes to only where it names them."""

_RANKS: Final = {
    True: ("serial", "any", "parallel", "bigmem"),
    False: ("parallel", "any", "serial", "bigmem"),
}
"""For a job of one core, and of several: kinds of partition, the best first."""


def placed(job: Job, cluster: Cluster) -> Job:
    """Return the job with partition and QOS: those that it names, else those that fit it most closely.

    Where places give whole nodes, the one is taken that leaves the fewest GPUs or cores of them unused; one core goes
    to a partition for that where there is one; of places alike, the one with the shortest time limit that will do is
    taken, since short queues move fastest. One for tests is taken only where the job says `partition: test`, or names
    it. Partition or QOS are "" where the profile names none for such a job, so that the site's own default holds.

    Raises:
        RookeryError: None fits, or the one named is unknown or does not fit; with the limits of each.
    """
    if _is_for_slurm_alone(job, cluster):
        qos = job.qos or str(cluster.data.get("cluster_default_qos", ""))
        return replace(job, qos=qos)
    candidates = _candidates(job, cluster)
    fitting = [place for place in candidates if not any(broken(place, job, cluster))]
    if not fitting and (candidates or job.partition):
        raise _none_fits(job, cluster, candidates)
    place = min(fitting, key=lambda place: _order(place, job, cluster)) if fitting else _default(job, cluster)
    return replace(job, partition=str(place.partition.get("name", "")), qos=str(place.qos.get("name", "")))


def fewest_gpus(cluster: Cluster) -> int:
    """Return how many GPUs every job there must ask for, at least; 0 where jobs can do without."""
    meant = [place for place in places(cluster) if not place.kinds & _BY_NAME_ONLY]
    return min((place.fewest("min_gpus") for place in meant), default=0)


def places(cluster: Cluster) -> list[JobPlace]:
    """Return each partition with each QOS that it can be used with, in the profile's order."""
    partitions = cluster.data.get("cluster_partitions") or [{}]
    return [place for partition in partitions for place in _with_qos(partition, cluster)]


def _with_qos(partition: Mapping[str, Any], cluster: Cluster) -> list[JobPlace]:
    name = partition.get("name")
    usable = [qos for qos in cluster.data.get("cluster_qos") or [] if name in qos.get("partitions", [name])]
    return [JobPlace(partition, qos) for qos in usable or [{}]]


def _is_for_slurm_alone(job: Job, cluster: Cluster) -> bool:
    """Return whether the profile can't judge the partition that a job names: several, or the profile lists none."""
    return bool(job.partition) and ("," in job.partition or not cluster.data.get("cluster_partitions"))


def _candidates(job: Job, cluster: Cluster) -> list[JobPlace]:
    """Return the places that a job may be sent to, their limits aside.

    Raises:
        RookeryError: It names a partition that there is none of, or one that can't be used with the QOS it names.
    """
    found = _with_named_qos(job, cluster, places(cluster))
    if not job.partition:
        return [place for place in found if _meant_for(place, job, cluster)]
    named = [place for place in found if place.partition["name"] == job.partition]
    if named:
        usual = [place for place in named if place.qos.get("for", "any") not in _BY_NAME_ONLY or job.qos]
        return usual or named
    tests = [place for place in found if "test" in place.kinds] if job.partition == "test" else []
    if not tests:
        raise _unknown(job, cluster)
    fitting = [place for place in tests if place.has_gpus == bool(job.gpus)]  # a GPU only for who needs one
    return fitting or tests


def _with_named_qos(job: Job, cluster: Cluster, found: list[JobPlace]) -> list[JobPlace]:
    """Return the places with the QOS that a job names; one that the profile does not know can be used anywhere.

    Sites give projects QOSes of their own, which no profile lists.
    """
    if not job.qos:
        return found
    if not any(qos["name"] == job.qos for qos in cluster.data.get("cluster_qos") or []):
        return [JobPlace(partition, {"name": job.qos}) for partition in cluster.data.get("cluster_partitions") or [{}]]
    having = [place for place in found if place.qos.get("name") == job.qos]
    names = [place.partition["name"] for place in having if place.partition]
    known = [partition["name"] for partition in cluster.data.get("cluster_partitions") or []]
    if job.partition in known and job.partition not in names:
        raise RookeryError(
            f"QOS {job.qos} of {cluster.name} can't be used with partition {job.partition}. "
            f"Its partitions: {', '.join(names)}.",
            hint=_ask(cluster),
        )
    return having


def _meant_for(place: JobPlace, job: Job, cluster: Cluster) -> bool:
    """Return whether a job that names no partition may be sent to a place, its limits aside."""
    partition, qos = ({str(entry.get("for", "any"))} for entry in (place.partition, place.qos))
    if partition & _BY_NAME_ONLY or (qos & _BY_NAME_ONLY and not job.qos):
        return False
    if foreign(place.partition, cluster) and job.gpu_type not in place.partition.get("gpu_types", ["-"]):
        return False
    return takes_gpus(place, cluster) if job.gpus else not place.is_for_gpus


def _default(job: Job, cluster: Cluster) -> JobPlace:
    """Return the place of a job that the profile has no partition for: the default one, or what the site chooses.

    Raises:
        RookeryError: The profile knows the default partition, or that the cluster can't run such a job anywhere.
    """
    default = str(cluster.data.get("cluster_default_partition", ""))
    known = cluster.data.get("cluster_partitions") or []
    if default in [partition["name"] for partition in known] or (job.gpus and not has_gpus(cluster)):
        raise _none_fits(job, cluster, places(cluster))
    found = _with_named_qos(job, cluster, _with_qos({"name": default} if default else {}, cluster))
    place = next((place for place in found if not place.kinds & _BY_NAME_ONLY), JobPlace({}, {}))
    place = JobPlace({"name": default} if default else {}, place.qos)
    if beyond := next(broken(place, job, cluster), "") if default or not known else "":
        raise RookeryError(f"{cluster.name} can't run a job with {asked(job)}: {beyond}.", hint=_ask(cluster))
    return place


def _order(place: JobPlace, job: Job, cluster: Cluster) -> tuple[Any, ...]:
    """Return the sort key of a fitting place; the smallest is taken."""
    found = cluster.data.get("cluster_partitions") or [{}]
    if job.gpus:  # types of GPU in the profile's order, so that a special group's come last
        groups = [tuple(partition.get("gpu_types", [])) for partition in found]
        rank = groups.index(tuple(place.partition.get("gpu_types", [])))
    else:
        ranks = _RANKS[processes(job) * job.cpus == 1]
        rank = ranks.index(place.kind) if place.kind in ranks else len(ranks)
    usual = not job.minutes and place.partition.get("name") == cluster.data.get("cluster_default_partition")
    longest = place.most("max_minutes")
    return (
        place.kind == "bigmem" or (place.kind == "serial" and job.nodes > 1),
        unused(place, job, cluster),
        rank,
        not usual,
        place.qos.get("name") != cluster.data.get("cluster_default_qos"),
        float("inf") if longest is None else longest,
        found.index(place.partition),
    )


def _unknown(job: Job, cluster: Cluster) -> RookeryError:
    names = [partition["name"] for partition in cluster.data.get("cluster_partitions") or []]
    return RookeryError(
        f"Unknown partition {job.partition!r} on {cluster.name}{nearest(job.partition, names)}. "
        f"Partitions: {', '.join(names)}.",
        hint=_ask(cluster),
    )


def _none_fits(job: Job, cluster: Cluster, found: Sequence[JobPlace]) -> RookeryError:
    """Return the error in one line: what was asked for, and which part of it each place does not allow."""
    if job.gpus and not has_gpus(cluster):
        message = f"{cluster.name} has no GPUs, according to its profile."
        return RookeryError(
            message, hint="set `only:` in the job to clusters that have GPUs; `invoke clusters.list` shows them"
        )
    why = dict(_why_not(found, job, cluster))
    limits = "; ".join(f"{title}: {reasons}" for title, reasons in why.items())
    subject = f"The partition {next(iter(why))}" if len(why) == 1 and found[0].partition else "No partition"
    smaller = replace(job, array="")
    meant = _candidates(smaller, cluster) if job.array else []
    too_many_tasks = any(not any(broken(place, smaller, cluster)) for place in meant)
    hint = "use `chunk`, the number of rows for each task, or submit the array in parts" if too_many_tasks else ""
    verb = "can't run" if len(why) == 1 and found[0].partition else "can run"
    return RookeryError(
        f"{subject} of {cluster.name} {verb} a job with {asked(job)} ({limits}).", hint=hint or _ask(cluster)
    )


def _why_not(found: Iterable[JobPlace], job: Job, cluster: Cluster) -> Iterable[tuple[str, str]]:
    """Yield each partition with what it does not allow, or where it is the QOS that does not, each QOS with that."""
    for place in found:
        alone = JobPlace(place.partition, {})
        if place.partition and (reasons := ", ".join(broken(alone, job, cluster))):
            yield alone.title, reasons
        else:
            yield place.title, ", ".join(broken(place, job, cluster)) or "only if you name it"


def _ask(cluster: Cluster) -> str:
    return f"invoke queue {cluster.argument}   # shows partitions and limits"
