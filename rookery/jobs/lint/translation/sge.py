"""The options and variables of SGE: Grid Engine of Sun, Oracle and Univa/Altair, and Son of Grid Engine.

From the manuals: qsub(1), sge_types(1), complex(5) and sge_pe(5), and Slurm's page of equivalents ("Rosetta Stone of
Workload Managers", slurm.schedmd.com/rosetta.html). Names of parallel environments are each site's own: smp and
its like keep a job on one node. A resource is counted for each slot, which is a core.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from rookery.jobs.lint.translation import amounts, common, logs, resources
from rookery.jobs.lint.translation.model import Draft, ForeignOption, Handler, Scheduler

_LOG_PATTERNS = {
    "JOB_ID": "{job}",
    "TASK_ID": "{task}",
    "SGE_TASK_ID": "{task}",
    "JOB_NAME": "%x",
    "HOSTNAME": "%N",
    "USER": "%u",
}
_MAIL = {"a": "FAIL", "b": "BEGIN", "e": "END", "n": "NONE", "s": ""}
_ONE_NODE = re.compile(r"smp|omp|openmp|thread|shm|shared|serial|single|multicore|local", re.IGNORECASE)
_SEVERAL = re.compile(r"mpi|orte|mvapich|distributed|fill|round", re.IGNORECASE)


def _log(kind: str) -> Handler:
    return lambda draft, option: logs.keep(draft, option, _LOG_PATTERNS, "SGE_O_WORKDIR", kind)


def _array(draft: Draft, option: ForeignOption) -> None:
    if re.fullmatch(r"[0-9]+(-[0-9]+(:[0-9]+)?)?", option.value):
        draft.array = (option.value, option.line)
    else:
        draft.leave(option, "It is not a range that --array takes, such as 1-100:2.")


def _throttle(draft: Draft, option: ForeignOption) -> None:
    if amounts.number(option.value):
        draft.throttle = option.value
    else:
        draft.leave(option, "The number of tasks is missing.")


def _environment(draft: Draft, option: ForeignOption) -> None:
    """Translate `-pe smp 8`: slots in a parallel environment."""
    name, _, slots = option.value.partition(" ")
    least = re.split("[-,]", slots)[0]
    count = amounts.number(least)
    if count is None:
        draft.leave(option, "The number of slots is missing.")
        return
    if slots != least:
        draft.note(option, f"Slurm takes one number of cores: {count}.")
    one_node = bool(_ONE_NODE.search(name))
    several = not one_node and bool(_SEVERAL.search(name))
    if not one_node and not several:
        kind = "processes" if draft.program.launches else "threads on one node"
        draft.note(option, f"Taken for {kind}: what the parallel environment {name} means is its site's to say.")
    resources.share(draft, option.line, count, one_node=one_node, processes=True if several else None)


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


def _memory(rank: int) -> Handler:
    return lambda draft, option: common.memory(draft, option, option.value, "cpu", rank=rank)


def _limit(draft: Draft, option: ForeignOption) -> None:
    common.time(draft, option, option.value)


def _soft_limit(draft: Draft, option: ForeignOption) -> None:
    """Translate a limit after which the job gets a signal: its time limit, where no harder one is given."""
    if "time" not in draft.options:
        common.time(draft, option, option.value)


def _alone(draft: Draft, option: ForeignOption) -> None:
    if option.value.lower() not in {"false", "0"}:
        draft.set("exclusive", None, option.line)


def _gpus(draft: Draft, option: ForeignOption) -> None:
    common.gpus(draft, option, option.value)


def _wait(draft: Draft, option: ForeignOption) -> None:
    """Translate `-hold_jid 12,13`: names of jobs have no like in Slurm."""
    kind = "aftercorr" if option.name == "-hold_jid_ad" else "afterany"
    jobs = amounts.parts(option.value)
    if jobs and all(re.fullmatch(r"\d+|[\"']?\$\{?\w+\}?[\"']?", job) for job in jobs):
        common.dependency(draft, option, ":".join([kind, *jobs]))
    else:
        draft.leave(option, f"Slurm waits for numbers of jobs, not for names: sbatch --dependency={kind}:NUMBER.")


def _priority(draft: Draft, option: ForeignOption) -> None:
    match = re.fullmatch(r"-(\d+)", option.value)
    if match:
        draft.set("nice", match[1], option.line)
    elif option.value != "0":
        draft.leave(option, "In Slurm users can only lower a priority: --nice=100.")


def _sync(draft: Draft, option: ForeignOption) -> None:
    if common.is_yes(option.value):
        draft.set("wait", None, option.line)


def _binary(draft: Draft, option: ForeignOption) -> None:
    if common.is_yes(option.value):
        draft.leave(option, "Slurm runs scripts; a mere command is submitted by sbatch --wrap='COMMAND'.")


def _here(draft: Draft, _: ForeignOption) -> None:
    draft.starts_in = "."


def _finish(draft: Draft) -> None:
    joined, line = draft.joined
    draft.joined = ("oe", line) if common.is_yes(joined) else ("", 0)
    logs.finish(draft, "%x.{kind}{job}.{task}")


_RESOURCES: Mapping[str, Handler] = MappingProxyType(
    {
        "h_rt": _limit,
        "s_rt": _soft_limit,
        **dict.fromkeys(("mem", "rmem", "m_mem_free", "ram", "memory"), _memory(0)),
        **dict.fromkeys(("mem_free", "virtual_free", "vf", "mf"), _memory(1)),
        **dict.fromkeys(("h_vmem", "s_vmem", "h_data", "vmem", "h_rss"), _memory(2)),
        **dict.fromkeys(("gpu", "gpus", "ngpus", "gpu_card", "num_gpus", "cuda"), _gpus),
        **dict.fromkeys(("exclusive", "excl", "exclusive_node"), _alone),
        **dict.fromkeys(("hostname", "h", "host"), common.because(common.OTHER_NODES)),
        "h_cpu": common.because("Slurm limits the time that passes, not the time of the processors."),
        "s_cpu": common.because("Slurm limits the time that passes, not the time of the processors."),
        "q": common.queue,
        "qname": common.queue,
    }
)

SGE = Scheduler(
    name="SGE",
    mark="#$",
    arity={
        **dict.fromkeys(
            common.words(
                "-a -ac -A -ar -b -binding -c -C -ckpt -dc -dl -display -e -hold_jid -hold_jid_ad -i -j -js -jsv -l -m "
                "-M -masterq -N -now -o -p -P -pty -q -r -R -S -sc -shell -sync -t -tc -v -w -wd"
            ),
            1,
        ),
        **dict.fromkeys(common.words("-cwd -V -h -notify -terse -clear -hard -soft -nostdin -verify"), 0),
        "-pe": 2,
    },
    attached=False,
    options={
        "-N": common.as_option("job-name"),
        "-l": _resources,
        "-pe": _environment,
        "-q": common.queue,
        "-P": common.account,
        "-A": common.account,
        "-o": _log("output"),
        "-e": _log("error"),
        "-i": common.as_option("input"),
        "-j": common.join,
        "-t": _array,
        "-tc": _throttle,
        "-m": common.mail_types(_MAIL),
        "-M": common.mail_user,
        "-cwd": _here,
        "-wd": common.folder,
        "-S": common.shell,
        "-h": common.as_flag("hold"),
        "-a": common.begin,
        "-r": common.requeue,
        "-v": lambda draft, option: common.export(draft, option, amounts.parts(option.value)),
        "-hold_jid": _wait,
        "-hold_jid_ad": _wait,
        "-p": _priority,
        "-sync": _sync,
        "-b": _binary,
        **dict.fromkeys(
            common.words("-V -R -w -terse -shell -now -clear -verify -nostdin -js -ac -dc -sc -hard"), common.ignored
        ),
        "-soft": common.because("Slurm has no wishes: what follows is asked for."),
        "-notify": common.because("It is --signal=B:USR2@60: the signal, and how many seconds before the end."),
        "-binding": common.because("Slurm binds processes to cores by --cpu-bind of srun."),
        "-ckpt": common.because("Slurm makes no checkpoints: the program has to."),
        "-ar": common.because("Reservations are those of another cluster."),
    },
    variables={
        "JOB_ID": "JOB",
        "JOB_NAME": "SLURM_JOB_NAME",
        "REQUEST": "SLURM_JOB_NAME",
        "SGE_TASK_ID": "SLURM_ARRAY_TASK_ID",
        "SGE_TASK_FIRST": "SLURM_ARRAY_TASK_MIN",
        "SGE_TASK_LAST": "SLURM_ARRAY_TASK_MAX",
        "SGE_TASK_STEPSIZE": "SLURM_ARRAY_TASK_STEP",
        "NSLOTS": "TOTAL",
        "NHOSTS": "SLURM_JOB_NUM_NODES",
        "QUEUE": "SLURM_JOB_PARTITION",
        "SGE_O_WORKDIR": "SLURM_SUBMIT_DIR",
        "SGE_O_HOST": "SLURM_SUBMIT_HOST",
        "SGE_O_HOME": "HOME",
        "SGE_O_PATH": "PATH",
        "SGE_O_SHELL": "SHELL",
        "SGE_O_LOGNAME": "LOGNAME",
        "SGE_CLUSTER_NAME": "SLURM_CLUSTER_NAME",
    },
    missing={
        "TMPDIR": common.NO_FOLDER,
        "PE_HOSTFILE": "Slurm writes no file of nodes: srun and MPI take them from Slurm; "
        "`scontrol show hostnames` prints them.",
        "PE": "Slurm has no parallel environments.",
        "SGE_STDOUT_PATH": "Slurm has no such variable.",
        "SGE_STDERR_PATH": "Slurm has no such variable.",
        "SGE_JOB_SPOOL_DIR": "Slurm has no such variable.",
        "SGE_HGR_gpu": "CUDA_VISIBLE_DEVICES has the job's GPUs.",
        "SGE_ROOT": "SGE is not on this cluster.",
    },
    general=frozenset({"JOB_ID", "JOB_NAME", "REQUEST", "NSLOTS", "NHOSTS", "QUEUE", "PE", "TMPDIR"}),
    commands={
        **common.QSUB_COMMANDS,
        "gerun": "It is a command of the other site: srun or mpirun starts the processes.",
        "qrsh": "srun runs a command on all nodes of a job.",
        "qacct": "sacct shows jobs that have ended, with other columns.",
    },
    cancel="qdel",
    submit="qsub",
    home=True,
    header_only=False,
    is_read_by_sbatch=False,
    finish=_finish,
)
"""SGE."""
