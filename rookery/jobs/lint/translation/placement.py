"""Choose the partition of a job whose queue the cluster has not got, where it can't do without one."""

import math

from rookery.core.errors import RookeryError
from rookery.jobs.lint.script import values
from rookery.jobs.lint.translation.model import Draft, Note
from rookery.projects.job import Job
from rookery.projects.scripts import partition


def finish(draft: Draft) -> None:
    """Write the partition that fits, as `submit` would choose it: for GPUs, and where there is no default one."""
    cluster, layout = draft.site.cluster, draft.layout
    count, line = draft.gpus
    if cluster is None or "partition" in draft.options or not draft.site.partitions:
        return
    if not count and cluster.data.get("cluster_default_partition"):
        return
    nodes = layout.nodes or 1
    minutes = values.minutes(draft.options.get("time", ("", 0))[0] or "")
    job = Job(
        "job",
        nodes=nodes,
        tasks=layout.task_count,
        cpus=layout.cpus_per_task or 1,
        gpus=count * nodes,
        minutes=int(minutes) if minutes and math.isfinite(minutes) else 0,
    )
    try:
        chosen = partition.placed(job, cluster)
    except RookeryError:  # none fits: lint says so of the new script
        return
    at = draft.queue_line or line or draft.last_line
    for name, value in (("partition", chosen.partition), ("qos", chosen.qos)):
        if value:
            draft.set(name, value, at)
    if chosen.partition:
        draft.notes.append(Note(at, f"--partition={chosen.partition}", "Chosen by what the job asks for: check it."))
