"""The options and variables of PBS: of PBS Professional and OpenPBS, and of TORQUE.

From the manuals: qsub(1B) and pbs_resources(7B) of OpenPBS, qsub of TORQUE 6, and Slurm's page of equivalents
("Rosetta Stone of Workload Managers", slurm.schedmd.com/rosetta.html). A chunk of `select` with several cores becomes a
node, as sbatch reads it, too (src/sbatch/xlate.c); chunks with one core each become processes wherever there is room.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from rookery.jobs.lint.translation import amounts, common, logs, resources
from rookery.jobs.lint.translation.model import Draft, ForeignOption, Handler, Layout, Scheduler

_LOG_PATTERNS = {
    "PBS_JOBID": "{unique}",
    "PBS_JOBNAME": "%x",
    "PBS_ARRAYID": "{task}",
    "PBS_ARRAY_INDEX": "{task}",
    "USER": "%u",
    "PBS_O_LOGNAME": "%u",
}
_MAIL = {"a": "FAIL", "b": "BEGIN", "e": "END", "n": "NONE", "j": "ARRAY_TASKS", "f": "FAIL"}
_DEPENDENCIES = {"after": "after", "afterok": "afterok", "afternotok": "afternotok", "afterany": "afterany"}
_DEPENDENCIES |= {f"{name}array": slurm for name, slurm in _DEPENDENCIES.items()}
_TASKS = re.compile(r"[0-9]+(-[0-9]+(:[0-9]+)?)?(,[0-9]+(-[0-9]+(:[0-9]+)?)?)*")


def _log(kind: str) -> Handler:
    def handler(draft: Draft, option: ForeignOption) -> None:
        if option.value.startswith("^") or "^array_index^" in option.value:
            value = option.value.replace("^array_index^", "$PBS_ARRAY_INDEX")
            option = ForeignOption(option.name, value, option.line, option.text)
        logs.keep(draft, option, _LOG_PATTERNS, "PBS_O_WORKDIR", kind)

    return handler


def _array(draft: Draft, option: ForeignOption) -> None:
    tasks, _, throttle = option.value.partition("%")
    if _TASKS.fullmatch(tasks) and (amounts.number(throttle) or not throttle):
        draft.array, draft.throttle = (tasks, option.line), throttle
    else:
        draft.leave(option, "It is not a list of numbers that --array takes, such as 1-100:2%10.")


def _resources(draft: Draft, option: ForeignOption) -> None:
    """Translate the list of a `-l`."""
    for part in amounts.parts(option.value):
        name, _, value = part.partition("=")
        handler = _RESOURCES.get(name)
        piece = ForeignOption(name, value, option.line, option.text)
        if handler:
            handler(draft, piece)
        else:
            draft.leave(option, common.RESERVED, part)


def _memory(per: str, rank: int) -> Handler:
    return lambda draft, option: common.memory(draft, option, option.value, per, rank=rank)


def _cores(draft: Draft, option: ForeignOption) -> None:
    count = amounts.number(option.value)
    if count is None:
        draft.leave(option, "The number of cores is missing.", option.value)
    else:
        processes = True if option.name == "procs" else None
        resources.share(draft, option.line, count, one_node=option.name == "ncpus", processes=processes)


def _nodes(draft: Draft, option: ForeignOption) -> None:
    """Translate TORQUE's `nodes=2:ppn=16:gpus=1`."""
    first, *features = option.value.split(":")
    if "+" in option.value:
        draft.leave(option, "Slurm gives all nodes of a job the same; for different ones it has `#SBATCH hetjob`.")
        return
    count, per_node = amounts.number(first), 1
    if count is None:
        draft.leave(option, common.NO_NUMBER if first.isdecimal() else common.OTHER_NODES, option.value)
        return
    for feature in features:
        name, _, value = feature.partition("=")
        if name == "ppn":
            per_node = amounts.number(value) or 1
            if not amounts.number(value):
                draft.leave(option, common.NO_NUMBER, feature)
        elif name == "gpus":
            common.gpus(draft, option, value)
        else:
            draft.leave(option, common.RESERVED, feature)
    if count == 1 and not draft.program.launches:
        draft.layout = Layout(option.line, cpus_per_task=per_node)
    else:
        draft.layout = Layout(option.line, nodes=count, tasks_per_node=per_node)


def _select(draft: Draft, option: ForeignOption) -> None:
    """Translate `select=2:ncpus=16:mpiprocs=4:mem=8gb:ngpus=1`."""
    if "+" in option.value:
        draft.leave(option, "Slurm gives all nodes of a job the same; for different ones it has `#SBATCH hetjob`.")
        return
    pieces = option.value.split(":")
    chunks = 1 if "=" in pieces[0] else amounts.number(pieces.pop(0))
    if chunks is None:
        draft.leave(option, common.NO_NUMBER)
        return
    numbers = {"ncpus": 1, "mpiprocs": 0, "ompthreads": 0}
    memory = ""
    for piece in pieces:
        name, _, value = piece.partition("=")
        if name in numbers:
            numbers[name] = amounts.number(value) or numbers[name]
            if not amounts.number(value) and (name == "ncpus" or value != "0"):
                draft.leave(option, common.NO_NUMBER, piece)
        elif name in {"mem", "pmem"}:
            memory = value
        elif name in {"ngpus", "gpus"}:
            common.gpus(draft, option, value)
        else:
            draft.leave(option, common.RESERVED, piece)
    layout = _chunks(draft, option.line, chunks, numbers)
    draft.layout = layout
    if memory:
        per = "node" if layout.nodes or not layout.has_tasks else "task"
        common.memory(draft, option, memory, per)


def _chunks(draft: Draft, line: int, chunks: int, numbers: Mapping[str, int]) -> Layout:
    """Return how the processes of some chunks lie on nodes."""
    cores, processes = max(numbers["ncpus"], 1), numbers["mpiprocs"]
    started = draft.program.processes
    if not processes and started and started % chunks == 0 and cores % (started // chunks) == 0:
        processes = started // chunks  # mpirun -np 16 on 2 chunks of 8 cores
    if not processes and numbers["ompthreads"] and cores % numbers["ompthreads"] == 0 and draft.program.launches:
        processes = cores // numbers["ompthreads"]
    per_process = cores // processes if processes and cores % processes == 0 else (1 if processes else cores)
    if chunks == 1 and processes <= 1 and not draft.program.launches:
        return Layout(line, cpus_per_task=cores)
    if cores == 1 and chunks > 1 and not draft.gpus[0]:
        return Layout(line, tasks=chunks)
    several = per_process if per_process > 1 else None
    return Layout(line, nodes=chunks, tasks_per_node=max(processes, 1), cpus_per_task=several)


def _place(draft: Draft, option: ForeignOption) -> None:
    for word in option.value.split(":"):
        if word in {"excl", "exclhost"}:
            draft.set("exclusive", None, option.line)
        elif word.startswith("group="):
            draft.leave(option, common.RESERVED, word)


def _access(draft: Draft, option: ForeignOption) -> None:
    if option.value == "singlejob":
        draft.set("exclusive", None, option.line)
    else:
        draft.leave(option, common.RESERVED, f"naccesspolicy={option.value}")


def _attributes(draft: Draft, option: ForeignOption) -> None:
    """Translate a `-W`: what a job waits for, and others."""
    name, _, value = option.value.partition("=")
    if name == "depend":
        _depend(draft, option, value)
    elif name == "block" and common.is_yes(value):
        draft.set("wait", None, option.line)
    elif name == "umask":
        draft.leave(option, f"Write `umask {value}` into the script, above its commands.")
    elif name in {"stagein", "stageout"}:
        draft.leave(option, "Slurm copies no files for a job: copy them in the script.")
    else:
        draft.leave(option, common.RESERVED)


def _depend(draft: Draft, option: ForeignOption, value: str) -> None:
    """Translate `afterok:12.server:13[],afterany:$ID`."""
    types = []
    for part in value.split(","):
        kind, *jobs = part.split(":")
        if kind not in _DEPENDENCIES or not all(jobs) or not jobs:
            draft.leave(option, "Slurm has after, afterok, afternotok and afterany, each with numbers of jobs.")
            return
        numbers = [re.sub(r"^(\d+)(\[\d*\])?(\..*)?$", r"\1", job) for job in jobs]
        types.append(":".join([_DEPENDENCIES[kind], *numbers]))
    common.dependency(draft, option, ",".join(types))


def _priority(draft: Draft, option: ForeignOption) -> None:
    match = re.fullmatch(r"-(\d+)", option.value)
    if match:
        draft.set("nice", match[1], option.line)
    else:
        draft.leave(option, "In Slurm users can only lower a priority: --nice=100.")


def _finish(draft: Draft) -> None:
    if draft.mail_user and not draft.mail_types[0]:
        draft.mail_types = ("FAIL", draft.mail_user.line)  # -m a is the default of PBS
    if draft.joined[0] == "n":
        draft.joined = ("", 0)
    logs.finish(draft, "%x.{kind}{job}.{task}")


_RESOURCES: Mapping[str, Handler] = MappingProxyType(
    {
        "walltime": lambda draft, option: common.time(draft, option, option.value),
        "nodes": _nodes,
        "select": _select,
        "place": _place,
        "ncpus": _cores,
        "procs": _cores,
        "mem": _memory("job", 0),
        "pmem": _memory("task", 1),
        "vmem": _memory("job", 2),
        "pvmem": _memory("task", 3),
        "ngpus": lambda draft, option: common.gpus(draft, option, option.value),
        "gpus": lambda draft, option: common.gpus(draft, option, option.value),
        "naccesspolicy": _access,
        "wd": common.ignored,  # NCI: start in the folder of submission
        "cput": common.because("Slurm limits the time that passes, not the time of the processors."),
        "pcput": common.because("Slurm limits the time that passes, not the time of the processors."),
        "host": common.because(common.OTHER_NODES),
        "nice": common.ignored,
    }
)

PBS = Scheduler(
    name="PBS",
    mark="#PBS",
    arity={
        **dict.fromkeys(
            common.words("-a -A -c -C -d -D -e -F -j -J -k -K -l -m -M -N -o -p -P -q -r -R -S -t -T -u -v -w -W"), 1
        ),
        **dict.fromkeys(common.words("-h -I -f -V -x -X -z -Z -n"), 0),
    },
    attached=True,
    options={
        "-N": common.as_option("job-name"),
        "-l": _resources,
        "-q": common.queue,
        "-A": common.account,
        "-P": common.account,
        "-o": _log("output"),
        "-e": _log("error"),
        "-j": common.join,
        "-J": _array,
        "-t": _array,
        "-m": common.mail_types(_MAIL),
        "-M": common.mail_user,
        "-d": common.folder,
        "-w": common.folder,
        "-S": common.shell,
        "-h": common.as_flag("hold"),
        "-a": common.begin,
        "-r": common.requeue,
        "-v": lambda draft, option: common.export(draft, option, amounts.parts(option.value)),
        "-W": _attributes,
        "-p": _priority,
        "-n": common.as_flag("exclusive"),
        **dict.fromkeys(("-V", "-k", "-z", "-R", "-f"), common.ignored),
        "-I": common.because("A script can't be interactive: `srun --pty bash` opens a shell on a compute node."),
        "-X": common.because("A script can't be interactive: `srun --pty bash` opens a shell on a compute node."),
        "-F": common.because("Slurm takes a script's arguments behind its name: sbatch FILE ARGUMENTS."),
        "-c": common.because("Slurm makes no checkpoints: the program has to."),
        "-u": common.because("Jobs run under your own username."),
    },
    variables={
        "PBS_O_WORKDIR": "SLURM_SUBMIT_DIR",
        "PBS_JOBID": "SLURM_JOB_ID",
        "PBS_JOBNAME": "SLURM_JOB_NAME",
        "PBS_ARRAYID": "SLURM_ARRAY_TASK_ID",
        "PBS_ARRAY_INDEX": "SLURM_ARRAY_TASK_ID",
        "PBS_ARRAY_ID": "SLURM_ARRAY_JOB_ID",
        "PBS_O_HOST": "SLURM_SUBMIT_HOST",
        "PBS_QUEUE": "SLURM_JOB_PARTITION",
        "PBS_O_QUEUE": "SLURM_JOB_PARTITION",
        "PBS_NUM_NODES": "SLURM_JOB_NUM_NODES",
        "PBS_NUM_PPN": "PER_NODE",
        "PBS_NP": "TOTAL",
        "PBS_NCPUS": "TOTAL",
        "NCPUS": "PER_NODE",
        "PBS_NODENUM": "SLURM_NODEID",
        "PBS_VNODENUM": "SLURM_PROCID",
        "PBS_TASKNUM": "SLURM_PROCID",
        "PBS_O_HOME": "HOME",
        "PBS_O_PATH": "PATH",
        "PBS_O_SHELL": "SHELL",
        "PBS_O_LOGNAME": "LOGNAME",
    },
    missing={
        "TMPDIR": common.NO_FOLDER,
        "PBS_NODEFILE": "Slurm writes no file of nodes: srun and MPI take them from Slurm; "
        "`scontrol show hostnames` prints them.",
        "PBS_GPUFILE": "Slurm writes no file of GPUs: CUDA_VISIBLE_DEVICES has them.",
        "PBS_JOBDIR": "Slurm makes no folder for a job: use the storage that the site names.",
        "PBS_ENVIRONMENT": "Slurm has no such variable.",
        "PBS_WALLTIME": "Slurm has no such variable: `squeue -h -j $SLURM_JOB_ID -o %l` prints the time limit.",
        "PBS_SERVER": "Slurm has no such variable.",
    },
    general=frozenset({"NCPUS", "TMPDIR"}),
    commands={
        **common.QSUB_COMMANDS,
        "pbsdsh": "srun runs a command on all nodes of a job.",
        "pbs_tmrsh": "srun runs a command on all nodes of a job.",
    },
    cancel="qdel",
    submit="qsub",
    home=True,
    header_only=True,
    is_read_by_sbatch=True,
    finish=_finish,
)
"""PBS."""
