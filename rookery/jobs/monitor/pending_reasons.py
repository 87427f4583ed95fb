"""Explain why a job waits. Slurm's codes: slurm.schedmd.com/job_reason_codes.html and squeue's manual."""

from typing import Final

_WORDS: Final = {
    "None": "Slurm has not considered it yet",
    "Priority": "other jobs are ahead of it in the queue",
    "Resources": "it starts when the resources it requests are free",
    "Dependency": "it starts after another job",
    "DependencyNeverSatisfied": "the job it depends on failed, so it will never start: cancel it",
    "BeginTime": "its start time has not come yet",
    "JobArrayTaskLimit": "as many of its tasks are running as max_running or the free cores allow",
    "JobHeldUser": "you held it: start it with scontrol release",
    "JobHeldAdmin": "the cluster's staff held it: ask them",
    "Licenses": "it waits for a software licence",
    "ReqNodeNotAvail": "the nodes it needs are down, reserved, or due for maintenance",
    "NodeDown": "a node it needs is down",
    "PartitionDown": "its partition is closed at the moment: it starts when that opens",
    "PartitionInactive": "its partition accepts no jobs at the moment: it starts when that opens",
    "PartitionConfig": "it requests more than its partition has, so it will never start: cancel it, and request less",
    "PartitionNodeLimit": "it requests more nodes than its partition allows or has up: request fewer",
    "PartitionTimeLimit": "it requests more time than its partition allows, so it will never start: request less",
    "BadConstraints": "no node has what it requests (constraint, GPU, memory): request something else",
    "InactiveLimit": "Slurm deferred it: an inactivity limit",
    "InvalidAccount": "Slurm does not know its account: use another",
    "InvalidQOS": "Slurm does not know its QOS: use another",
    "AccountNotAllowed": "its account can't use this partition",
    "QOSNotAllowed": "its QOS can't be used in this partition",
    "Reservation": "its reservation has not started yet",
    "ReservationDeleted": "its reservation was deleted: cancel it",
    "Prolog": "its node is being prepared",
    "Cleaning": "it is being cleaned up before it starts again",
    "BurstBufferResources": "it waits for space in the burst buffer",
    "BurstBufferStageIn": "its files are being copied to the burst buffer",
    "FrontEndDown": "the node that starts jobs is down",
    "SystemFailure": "the cluster has a problem: ask its staff",
    "JobLaunchFailure": "it could not be started: its log folder may be missing, or a node has a problem",
    "NonZeroExitCode": "it ended with an error",
    "TimeLimit": "it reached its time limit",
    "launch_failed_requeued_held": "it could not be started and is held: try again with scontrol release",
    "RaisedSignal": "it was ended by a signal",
    "Requeued": "it was put back into the queue",
    "MaxRequeue": "it was put back into the queue too often: ask the cluster's staff",
    "OutOfMemory": "it was killed for memory",
}

_OF: Final = (
    ("QOS", "the limits of its QOS"),
    ("Assoc", "the limits of your account"),
)

_LIMITS: Final = (
    ("MaxCpuPerJob", "allow a job fewer cores than it requests"),
    ("MaxCpuMinutesPerJob", "allow a job fewer core hours than it requests"),
    ("MaxGRESPerJob", "allow a job fewer GPUs than it requests"),
    ("MaxMemoryPerJob", "allow a job less memory than it requests"),
    ("MaxNodePerJob", "allow a job fewer nodes than it requests"),
    ("MaxJobsPerUser", "allow no more of your jobs at a time"),
    ("MaxJobsLimit", "allow no more jobs at a time"),
    ("MaxSubmitJob", "allow no more jobs in the queue"),
    ("MaxCpuPerUser", "allow you no more cores at a time"),
    ("MaxCpu", "allow no more cores at a time"),
    ("MaxCPU", "allow no more cores at a time"),
    ("MaxMem", "allow no more memory at a time"),
    ("MaxGRES", "allow no more GPUs at a time"),
    ("MaxGres", "allow no more GPUs at a time"),
    ("MaxNode", "allow no more nodes at a time"),
    ("MaxWall", "allow less time than it requests"),
    ("MaxBilling", "allow no more at a time"),
    ("GrpCpuRunMinutes", "allow the group no more core hours at a time"),
    ("GrpCpuMinutes", "leave no core hours: the budget is used up"),
    ("GrpBillingMinutes", "leave nothing: the budget is used up"),
    ("GrpGRES", "allow the group no more GPUs at a time"),
    ("GrpCpu", "allow the group no more cores at a time"),
    ("GrpCPU", "allow the group no more cores at a time"),
    ("GrpMem", "allow the group no more memory at a time"),
    ("GrpNode", "allow the group no more nodes at a time"),
    ("GrpJobs", "allow the group no more jobs at a time"),
    ("GrpSubmit", "allow the group no more jobs in the queue"),
    ("GrpWall", "leave no time: the budget is used up"),
    ("MinCpu", "require more cores"),
    ("MinGRES", "require more GPUs"),
    ("MinMemory", "require more memory"),
    ("MinNode", "require more nodes"),
    ("UsageThreshold", "leave too little of your share"),
    ("TimeLimit", "allow less time than it requests"),
    ("JobLimit", "allow no more jobs at a time"),
    ("ResourceLimit", "allow no more at a time"),
)


def explain(code: str, running: int = 0) -> str:
    """Return why a job waits, in plain words; Slurm's code itself where it is not known.

    Args:
        code: As squeue gives it, "Priority" or "ReqNodeNotAvail, UnavailableNodes:wn[01-03]".
        running: How many of its tasks are running.
    """
    if code == "JobArrayTaskLimit" and running:
        tasks = "1 task is" if running == 1 else f"{running:,} tasks are"
        return f"{tasks} running, as many as max_running or the free cores allow"
    first, _, rest = code.partition(",")
    first, _, more = first.strip().partition(":")
    if words := _WORDS.get(first):
        nodes = (rest or more).partition(":")[2].strip() if first == "ReqNodeNotAvail" else ""
        return f"{words} ({nodes})" if nodes else words
    if words := limit(first):
        return f"{words} ({first})"
    rules = next((rules for prefix, rules in _OF if first.startswith(prefix)), "")
    return f"{rules} do not allow it to start yet ({first})" if rules else code


def limit(code: str) -> str:
    """Return which limit of a QOS or an account a code means, in plain words; "" where it is none that is known."""
    for prefix, rules in _OF:
        if code.startswith(prefix):
            known = (what for start, what in _LIMITS if code.removeprefix(prefix).startswith(start))
            return next((f"{rules} {what}" for what in known), "")
    return ""
