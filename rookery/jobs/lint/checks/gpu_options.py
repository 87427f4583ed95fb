"""RK320: options for each GPU that need another one beside them, or that exclude each other.

What sbatch said to each (22.05.8 and 24.11.5, tried): "Requested mem_per_tres=… but did not request any GPU",
"--gpus-per-task used without either --gpus or -n/--ntasks is not allowed", "--gpus-per-socket option requires
--sockets-per-node", "--ntasks-per-tres needs either a GRES GPU specification or a node/ntask specification",
"--cpus-per-gpu is mutually exclusive with --cpus-per-task", "--ntasks-per-node is mutually exclusive with
--ntasks-per-gpu", "--gpus < -N", "Invalid GRES specification (with and without type identification)".
22.05 ignores a --cpus-per-gpu without a GPU, and 24.11 refuses it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rookery.core.quantities import counted
from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.finding import Finding, Severity
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import GPU_OPTIONS, RequestedResources, requested
from rookery.projects.scripts.directives import DirectiveOption

_GPUS: Final = frozenset(GPU_OPTIONS)
_TASKS: Final = frozenset({"ntasks", "ntasks-per-node", "nodes"})


class Companion(NamedTuple):
    """What an option for each GPU needs beside it.

    Attributes:
        option: The option.
        others: One of these has to be there.
        what: What is missing, for the message.
        severity: warning where a version of Slurm ignores the option.
    """

    option: str
    others: frozenset[str]
    what: str
    severity: Severity = "error"


_NEEDED: Final = (
    Companion("mem-per-gpu", _GPUS, "requests no GPU"),
    Companion("cpus-per-gpu", _GPUS, "requests no GPU", "warning"),
    Companion("ntasks-per-gpu", _GPUS | _TASKS, "requests no GPU"),
    Companion("gpus-per-task", frozenset({"gpus", *_TASKS}), "has neither --ntasks nor --gpus"),
    Companion("gpus-per-socket", frozenset({"sockets-per-node", "extra-node-info"}), "has no --sockets-per-node"),
)

_EXCLUSIVE: Final = (("cpus-per-task", "cpus-per-gpu"), ("ntasks-per-node", "ntasks-per-gpu"))


def companions(script: Context) -> Iterator[Finding]:
    """Yield findings for options for each GPU without what they need, and for two that exclude each other."""
    elsewhere = lines.intended_options(script)
    for resources in requested(script):
        yield from _fewer_than_nodes(script, resources)
        if resources.gpu and 0 < len(resources.gpu_types) < len(resources.gpus):
            why = f"--{resources.gpu.name} names the type of some GPUs, and not of others: sbatch rejects the job."
            yield script.finding("RK320", resources.gpu.line, why)
        part = resources.part
        for needed in _NEEDED:
            option = script.directives.get(needed.option, part=part)
            if (
                option
                and option.value != "0"
                and not elsewhere & needed.others
                and not script.directives.get(*needed.others, part=part)
            ):
                yield _without(script, option, needed)
        for pair in _EXCLUSIVE:
            one, other = (script.directives.get(name, part=part) for name in pair)
            if one and other:
                why = (
                    f"Use either --{one.name} or --{other.name} (line {other.line}), not both: sbatch rejects the job."
                )
                yield script.finding("RK320", max(one.line, other.line), why)


def _fewer_than_nodes(script: Context, part: RequestedResources) -> Iterator[Finding]:
    if part.gpu and part.gpu.name == "gpus" and part.nodes_option and part.gpus_in_all < part.nodes:
        what = f"{counted(part.gpus_in_all, 'GPU')} in all for {part.nodes} nodes"
        why = f"--gpus requests {what}: sbatch rejects a job with fewer GPUs than nodes. Use --gpus-per-node."
        yield script.finding("RK320", part.gpu.line, why)


def _without(script: Context, option: DirectiveOption, needed: Companion) -> Finding:
    outcome = "sbatch rejects it" if needed.severity == "error" else "Slurm ignores it, or rejects the job"
    added = "#SBATCH --ntasks=1" if option.name == "gpus-per-task" else ""
    return script.finding(
        "RK320",
        option.line,
        f"--{option.name} in a job that {needed.what}: {outcome}.",
        severity=needed.severity,
        edits=[script.new_line(added, part=option.part)] if added else [],
    )
