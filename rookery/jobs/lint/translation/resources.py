"""What a job asks for, once all its options have been read: written as options of sbatch."""

import math

from rookery.jobs.lint.translation import amounts
from rookery.jobs.lint.translation.model import Draft, Layout, Memory


def share(draft: Draft, line: int, cores: int, *, one_node: bool = False, processes: bool | None = None) -> None:
    """Give a job some cores: to its processes where it starts several, to one with several threads otherwise.

    Args:
        draft: The translation.
        line: The line that asks for them.
        cores: How many, in all.
        one_node: Whether they are on one node.
        processes: Whether they are for processes; None where only the commands say so.
    """
    starts = draft.program.launches if processes is None else processes
    if not starts:
        draft.layout = Layout(line, cpus_per_task=cores)
        return
    draft.layout = Layout(line, nodes=1 if one_node else None, tasks=cores)


def finish(draft: Draft) -> None:
    """Write nodes, processes, cores, memory, GPUs, the array and mail."""
    layout = draft.layout
    for name, value in (
        ("nodes", layout.nodes),
        ("ntasks", layout.tasks),
        ("ntasks-per-node", layout.tasks_per_node),
        ("cpus-per-task", layout.cpus_per_task),
    ):
        if value is not None and (name != "cpus-per-task" or value > 1 or draft.names_cores):
            draft.set(name, str(value), layout.line)
    if draft.memory:
        _memory(draft, min(draft.memory, key=lambda memory: memory.rank))
    count, line = draft.gpus
    if count:
        draft.set(draft.site.gpu_option, f"gpu:{count}" if draft.site.gpu_option == "gres" else str(count), line)
    tasks, line = draft.array
    if tasks:
        draft.set("array", f"{tasks}%{draft.throttle}" if draft.throttle else tasks, line)
    _mail(draft)


def _memory(draft: Draft, memory: Memory) -> None:
    layout = draft.layout
    cores = layout.cpus_per_task or 1
    per, size = memory.per, memory.megabytes
    if per == "task":
        per, size = "cpu", math.ceil(size / cores)
    if per == "job" and layout.task_count > 1 and layout.nodes != 1:
        if layout.nodes:
            per, size = "node", math.ceil(size / layout.nodes)
        else:
            per, size = "cpu", math.ceil(size / (layout.task_count * cores))
    draft.set("mem-per-cpu" if per == "cpu" else "mem", amounts.memory(size), memory.line)


def _mail(draft: Draft) -> None:
    kinds, line = draft.mail_types
    if kinds:
        draft.set("mail-type", kinds, line)
    if draft.mail_user and kinds and kinds != "NONE":
        draft.set("mail-user", draft.mail_user.value.replace(" ", ","), draft.mail_user.line)
    elif draft.mail_user and kinds:
        draft.leave(draft.mail_user, "No mail is sent, since an option says never: --mail-type=END,FAIL sends some.")
    elif draft.mail_user:
        draft.leave(draft.mail_user, "No mail is sent, since no option says when: --mail-type=END,FAIL does.")
