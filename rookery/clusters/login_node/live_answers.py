"""The shapes of what a program on a cluster says of running jobs (rookery/remote/slurm/live_use.py)."""

from rookery.core.shapes import Shape, maybe, real, whole

_kilobytes = whole(0, 10**15)

USE: dict[str, Shape] = {
    "running_longest": whole(0, 10**11),
    "measured_now": whole(0, 10**7),
    "memory_now": _kilobytes,
    "memory_now_task": maybe(whole(0, 10**7)),
    "cores_now": real(),
    "gpus_now": whole(0, 10**6),
    "gpu_now": maybe(real()),
    "gpu_memory_now": _kilobytes,
    "gpu_memory_given": _kilobytes,
}
"""What the running tasks of a job use, as part of its entry."""
