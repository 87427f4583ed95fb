"""Explain why a job waits. Slurm's codes: slurm.schedmd.com/job_reason_codes.html and squeue's manual."""

from typing import Final

_WORDS: Final = {
    "None": "Slurm has not looked at it yet",
    "Priority": "others are before it in the queue",
    "Resources": "it is next, as soon as what it asks for is free",
    "Dependency": "another job must end first",
    "DependencyNeverSatisfied": "what it waits for has failed, so it will never start: cancel it",
    "BeginTime": "it is not yet the time at which it was to begin",
    "JobArrayTaskLimit": "as many tasks of its array run as max_running lets run at once",
    "JobHeldUser": "you hold it: scontrol release lets it go",
    "JobHeldAdmin": "the cluster's staff hold it: ask them",
    "Licenses": "it waits for a licence of a program",
    "ReqNodeNotAvail": "the nodes it needs are down, reserved, or about to be serviced",
    "NodeDown": "a node it needs is down",
    "PartitionDown": "its partition is closed for now: it starts once that opens again",
    "PartitionInactive": "its partition takes no jobs for now: it starts once that opens again",
    "PartitionConfig": "it asks for more than its partition has, so it will never start: cancel it, and ask for less",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows or has up: ask for fewer",
    "PartitionTimeLimit": "it asks for more time than its partition allows, so it will never start: ask for less",
    "BadConstraints": "no node is as it asks for (constraint, GPU, memory): ask for something else",
    "InactiveLimit": "Slurm has put it off: a limit of inactivity",
    "InvalidAccount": "its account is not one that Slurm knows: ask for another",
    "InvalidQOS": "its QOS is not one that Slurm knows: ask for another",
    "AccountNotAllowed": "its account may not use this partition",
    "QOSNotAllowed": "its QOS may not be used there",
    "Reservation": "it waits for its reservation to begin",
    "ReservationDeleted": "the reservation it was for is gone: cancel it",
    "Prolog": "its node is being made ready",
    "Cleaning": "it is being cleaned up, to start again",
    "BurstBufferResources": "it waits for room in the burst buffer",
    "BurstBufferStageIn": "its files are being brought to the burst buffer",
    "FrontEndDown": "the node that starts jobs is down",
    "SystemFailure": "the cluster itself is in trouble: ask its staff",
    "JobLaunchFailure": "it could not be started: its log folder may be missing, or a node is in trouble",
    "NonZeroExitCode": "it ended with an error",
    "TimeLimit": "it ran out of time",
    "launch_failed_requeued_held": "it could not be started and is held: scontrol release tries again",
    "RaisedSignal": "it was ended by a signal",
    "Requeued": "it was put back into the queue",
    "MaxRequeue": "it was put back into the queue too often: ask the cluster's staff",
    "OutOfMemory": "it was killed for memory",
}

_OF: Final = (
    ("QOS", "the rules for its queue (QOS)"),
    ("Assoc", "the rules for your account"),
)

_LIMITS: Final = (
    ("MaxJobsPerUser", "allow no more of your jobs at once"),
    ("MaxJobsLimit", "allow no more jobs at once"),
    ("MaxSubmitJob", "allow no more jobs in the queue"),
    ("MaxCpuPerUser", "allow no more cores to you at once"),
    ("MaxCpu", "allow no more cores at once"),
    ("MaxCPU", "allow no more cores at once"),
    ("MaxMem", "allow no more memory at once"),
    ("MaxGRES", "allow no more GPUs at once"),
    ("MaxGres", "allow no more GPUs at once"),
    ("MaxNode", "allow no more nodes at once"),
    ("MaxWall", "allow less time than it asks for"),
    ("MaxBilling", "allow no more at once"),
    ("GrpCpuRunMinutes", "allow no more hours of cores at once for the group"),
    ("GrpCpuMinutes", "leave no hours of cores: the budget is used up"),
    ("GrpBillingMinutes", "leave nothing: the budget is used up"),
    ("GrpGRES", "allow no more GPUs at once for the group"),
    ("GrpCpu", "allow no more cores at once for the group"),
    ("GrpCPU", "allow no more cores at once for the group"),
    ("GrpMem", "allow no more memory at once for the group"),
    ("GrpNode", "allow no more nodes at once for the group"),
    ("GrpJobs", "allow no more jobs at once for the group"),
    ("GrpSubmit", "allow no more jobs in the queue for the group"),
    ("GrpWall", "leave no time: the budget is used up"),
    ("MinCpu", "ask for more cores than that"),
    ("UsageThreshold", "say that too little of your share is left"),
    ("TimeLimit", "allow less time than it asks for"),
    ("JobLimit", "allow no more jobs at once"),
    ("ResourceLimit", "allow no more at once"),
)


def explain(code: str) -> str:
    """Return why a job waits, in plain words; Slurm's code itself where it is not known.

    Args:
        code: As squeue gives it, "Priority" or "ReqNodeNotAvail, UnavailableNodes:wn[01-03]".
    """
    first, _, rest = code.partition(",")
    first, _, more = first.strip().partition(":")
    if words := _WORDS.get(first):
        nodes = (rest or more).partition(":")[2].strip() if first == "ReqNodeNotAvail" else ""
        return f"{words} ({nodes})" if nodes else words
    for prefix, rules in _OF:
        if first.startswith(prefix):
            for limit, what in _LIMITS:
                if first.removeprefix(prefix).startswith(limit):
                    return f"{rules} {what} ({first})"
            return f"{rules} do not let it start yet ({first})"
    return code
