"""The options and variables of LSF.

From IBM's manual: the options of bsub, "Resource requirement strings" and the environment variables of a job; and
Slurm's page of equivalents ("Rosetta Stone of Workload Managers", slurm.schedmd.com/rosetta.html).
"""

import re
from collections.abc import Iterator

from rookery.jobs.lint.translation import amounts, common, logs
from rookery.jobs.lint.translation.model import Draft, ForeignOption, Handler, Layout, Scheduler

_SECTION = re.compile(r"(\w+)\[((?:[^\[\]]|\[[^\]]*\])*)\]")
_JOB = re.compile(r"(?P<name>[^\[\]]*)\[(?P<tasks>[0-9,:-]+)\](?:%(?P<throttle>[0-9]+))?")
_WAITS = {"done": "afterok", "ended": "afterany", "exit": "afternotok", "started": "after"}
_WAIT = re.compile(r"(done|ended|exit|started)\(\"?(\$?\{?\w+\}?)\"?\)")


def _log(kind: str) -> Handler:
    def handler(draft: Draft, option: ForeignOption) -> None:
        value = option.value.replace("%J", "{job}").replace("%I", "{task}")
        piece = ForeignOption(option.name, value, option.line, option.text)
        logs.keep(draft, piece, {"USER": "%u", "LSB_JOBNAME": "%x", "LSB_JOBID": "{job}"}, "LS_SUBCWD", kind)
        draft.appends = draft.appends or (option.name in {"-o", "-e"} and "{job}" not in value)

    return handler


def _name(draft: Draft, option: ForeignOption) -> None:
    """Translate `-J name[1-10]%2`: a job's name, and its array."""
    array = _JOB.fullmatch(option.value)
    name = array["name"] if array else option.value
    if array:
        draft.array, draft.throttle = (array["tasks"], option.line), array["throttle"] or ""
    elif re.search(r"[\[\]]", name):
        draft.leave(option, "It is not an array that --array takes, such as 1-100:2%10.")
        return
    if name:
        draft.set("job-name", name, option.line)


def _slots(draft: Draft, option: ForeignOption) -> None:
    least, comma, most = option.value.partition(",")
    count = amounts.number(most or least)
    if not amounts.number(least) or not count:
        draft.leave(option, "The number of slots is missing.")
        return
    if comma:
        draft.note(option, f"Slurm takes one number of cores: {count}.")
    draft.layout.tasks, draft.layout.line = count, option.line


def _nodes(draft: Draft, option: ForeignOption) -> None:
    """Translate -nnodes, of LSF with jsrun."""
    if count := amounts.number(option.value):
        draft.layout.nodes, draft.layout.line = count, draft.layout.line or option.line
    else:
        draft.leave(option, "The number of nodes is missing.")


def _requirements(draft: Draft, option: ForeignOption) -> None:
    """Translate `-R "span[hosts=1] rusage[mem=4GB]"`."""
    sections = [(match[1], match[2]) for match in _SECTION.finditer(option.value)]
    rest = _SECTION.sub("", option.value).strip()
    for name, text in sections:
        handler = {"span": _span, "rusage": _usage, "affinity": _affinity}.get(name)
        left = list(handler(draft, option, text)) if handler else [] if name in {"order", "same"} else [text]
        for part in left:
            if name != "select" or not re.fullmatch(r"\s*(type\s*==\s*(any|local)|mem\s*>=?\s*\w+)\s*", part):
                draft.leave(option, common.RESERVED, f"{name}[{part}]")
    if rest:
        draft.leave(option, common.RESERVED, rest)


def _span(draft: Draft, option: ForeignOption, text: str) -> Iterator[str]:
    """Yield what of a `span` can't be translated."""
    name, _, value = text.strip().partition("=")
    if name == "hosts" and value == "1":
        draft.layout.nodes = 1
        draft.layout.line = draft.layout.line or option.line
    elif name == "ptile" and (count := amounts.number(value)):
        draft.layout.tasks_per_node = count
        draft.layout.line = draft.layout.line or option.line
    elif name == "ptile":
        draft.leave(option, common.NO_NUMBER, f"span[{text}]")
    elif not (name == "hosts" and value == "-1"):
        yield text


def _usage(draft: Draft, option: ForeignOption, text: str) -> Iterator[str]:
    """Yield what of a `rusage` can't be translated."""
    for part in re.split(r"[,:]", text):
        name, _, value = part.strip().partition("=")
        if name == "mem":
            common.memory(draft, option, value, "node", unit=_unit(draft, option, value))
            draft.memory_option = option
        elif name in {"ngpus_excl_p", "ngpus_shared", "ngpus", "ngpus_physical"}:
            common.gpus(draft, option, value)
        elif name not in {"duration", "decay"}:
            yield part.strip()


def _affinity(draft: Draft, option: ForeignOption, text: str) -> Iterator[str]:
    """Yield what of an `affinity` can't be translated."""
    match = re.match(r"(?:core|thread)\(([0-9]+)[^)]*\)", text)
    if match and (count := amounts.number(match[1])):
        draft.layout.cpus_per_task = count
        draft.layout.line = draft.layout.line or option.line
    else:
        yield text


def _gpus(draft: Draft, option: ForeignOption) -> None:
    """Translate `-gpu "num=2:mode=exclusive_process"`."""
    for part in re.split(r"[:,]", option.value):
        name, _, value = part.partition("=")
        if name == "num":
            common.gpus(draft, option, value.partition("/")[0])
        elif name in {"gmodel", "gmem", "nvlink", "mig"}:
            draft.leave(option, common.RESERVED, part)
    if not draft.gpus[0]:
        draft.gpus = (1, option.line)


def _most(draft: Draft, option: ForeignOption) -> None:
    """Translate -M: the most memory that a process may use; it counts where no memory is reserved."""
    value = option.value.partition("!")[0]
    common.memory(draft, option, value, "node", unit=_unit(draft, option, value), rank=1)


def _unit(draft: Draft, option: ForeignOption, value: str) -> str:
    """Return the unit of an amount without one: each site sets its own (LSF_UNIT_FOR_LIMITS), so by its size."""
    number = amounts.number(value)
    if number is None:
        return ""
    unit = "g" if number < 200 else "m" if number < 1_000_000 else "k"
    if option.name == "-M" or unit != "m":  # MB is the most usual
        draft.note(option, f"Taken for {number} {unit.upper()}B: its unit is what its site has set.")
    return unit


def _wait(draft: Draft, option: ForeignOption) -> None:
    """Translate `-w "done(12) && ended($ID)"`."""
    pieces = re.split(r"\s*(&&|\|\|)\s*", option.value.strip())
    conditions = [_WAIT.fullmatch(piece) for piece in pieces[::2]]
    joiners = set(pieces[1::2])
    texts = [f"{_WAITS[match[1]]}:{match[2]}" for match in conditions if match and re.match(r"[\d$]", match[2])]
    if len(texts) < len(conditions) or len(joiners) > 1:
        draft.leave(option, "Slurm waits for numbers of jobs, not for names: sbatch --dependency=afterok:NUMBER.")
    else:
        common.dependency(draft, option, ("?" if joiners == {"||"} else ",").join(texts))


def _begin(draft: Draft, option: ForeignOption) -> None:
    match = re.fullmatch(r"(?:(\d{4}):)?(?:(\d{1,2}):(\d{1,2}):)?(\d{1,2}):(\d{2})", option.value)
    if match and match[1] and match[2]:
        date = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}T{int(match[4]):02}:{match[5]}"
        draft.set("begin", date, option.line)
    elif match and not match[1] and not match[2]:
        draft.set("begin", f"{int(match[4]):02}:{match[5]}", option.line)
    else:
        draft.leave(option, "Write it as --begin=2026-01-31T18:00.")


def _environment(draft: Draft, option: ForeignOption) -> None:
    variables = amounts.parts(option.value.replace(", ", ","))
    if "none" in variables or any(variable.startswith("~") for variable in variables):
        draft.leave(option, "Slurm exports all variables, or those that --export names.")
    else:
        common.export(draft, option, variables)


def _mail_kind(kind: str) -> Handler:
    def handler(draft: Draft, option: ForeignOption) -> None:
        kinds = amounts.parts(draft.mail_types[0])
        draft.mail_types = (",".join(dict.fromkeys([*kinds, *kind.split(",")])), option.line)

    return handler


def _finish(draft: Draft) -> None:
    layout, cores = draft.layout, draft.layout.tasks or 1
    if layout.tasks and not draft.program.launches and layout.tasks_per_node is None and layout.cpus_per_task is None:
        draft.layout = Layout(layout.line, cpus_per_task=cores)
    elif layout.tasks_per_node and layout.tasks and layout.tasks % layout.tasks_per_node == 0:
        layout.nodes = layout.tasks // layout.tasks_per_node
    if draft.memory and draft.memory_option and cores > 1:
        why = "LSF reserves memory for each node or for each core, as its site has set: here it is for each node."
        draft.note(draft.memory_option, why)
    logs.finish(draft, "")
    if draft.appends and draft.output:
        draft.set("open-mode", "append", draft.output.line)


LSF = Scheduler(
    name="LSF",
    mark="#BSUB",
    arity={
        **dict.fromkeys(
            common.words(
                "-a -app -b -c -C -cn_mem -cwd -D -data -E -e -env -eo -Ep -F -f -g -G -gpu -hostfile -i -is -J -Jd "
                "-jsdl -k -L -Lp -m -M -mig -n -network -o -oo -outdir -p -P -q -Q -R -rcacct -S -sla -sp -T -t -U -u "
                "-alloc_flags -nnodes -v -W -w -We -wa -wt -Zs"
            ),
            1,
        ),
        **dict.fromkeys(common.words("-B -H -hl -I -Ip -Is -K -N -nr -notify -ptl -r -rn -s -ti -ul -x -XF -Z"), 0),
    },
    attached=False,
    options={
        "-J": _name,
        "-n": _slots,
        "-nnodes": _nodes,
        "-R": _requirements,
        "-gpu": _gpus,
        "-M": _most,
        "-W": lambda draft, option: common.time(draft, option, option.value, amounts.minutes),
        "-q": common.queue,
        "-P": common.account,
        "-o": _log("output"),
        "-oo": _log("output"),
        "-e": _log("error"),
        "-eo": _log("error"),
        "-i": common.as_option("input"),
        "-u": common.mail_user,
        "-B": _mail_kind("BEGIN"),
        "-N": _mail_kind("END,FAIL"),
        "-cwd": common.folder,
        "-x": common.as_flag("exclusive"),
        "-H": common.as_flag("hold"),
        "-K": common.as_flag("wait"),
        "-r": common.as_flag("requeue"),
        "-rn": common.as_flag("no-requeue"),
        "-w": _wait,
        "-b": _begin,
        "-env": _environment,
        **dict.fromkeys(common.words("-We -ul -ti -hl -s -nr -notify -g"), common.ignored),
        "-L": common.because("The first line says which shell runs the script: #!/bin/bash -l for a login shell."),
        "-m": common.because(common.OTHER_NODES),
        "-U": common.because("Reservations are those of another cluster."),
        "-G": common.because("Groups of users are those of another cluster."),
        "-E": common.because("Slurm runs no command before a job: put it into the script."),
        "-Ep": common.because("Slurm runs no command after a job: put it into the script."),
        "-c": common.because("Slurm limits the time that passes, not the time of the processors."),
        **dict.fromkeys(
            ("-I", "-Ip", "-Is"),
            common.because("A script can't be interactive: `srun --pty bash` opens a shell on a compute node."),
        ),
    },
    variables={
        "LSB_JOBID": "JOB",
        "LSB_JOBINDEX": "SLURM_ARRAY_TASK_ID",
        "LSB_JOBINDEX_STEP": "SLURM_ARRAY_TASK_STEP",
        "LSB_JOBINDEX_END": "SLURM_ARRAY_TASK_MAX",
        "LSB_JOBNAME": "SLURM_JOB_NAME",
        "LSB_QUEUE": "SLURM_JOB_PARTITION",
        "LSB_PROJECT_NAME": "SLURM_JOB_ACCOUNT",
        "LSB_DJOB_NUMPROC": "TOTAL",
        "LSB_MAX_NUM_PROCESSORS": "TOTAL",
        "LSB_SUB_HOST": "SLURM_SUBMIT_HOST",
        "LSB_SUB_USER": "USER",
        "LS_SUBCWD": "SLURM_SUBMIT_DIR",
    },
    missing={
        "LSB_HOSTS": "`scontrol show hostnames` prints the nodes of a job, one a line.",
        "LSB_MCPU_HOSTS": "`scontrol show hostnames` prints the nodes of a job, one a line.",
        "LSB_DJOB_HOSTFILE": "Slurm writes no file of nodes: srun and MPI take them from Slurm; "
        "`scontrol show hostnames` prints them.",
        "LSB_OUTPUTFILE": "Slurm has no such variable.",
        "LSB_ERRORFILE": "Slurm has no such variable.",
        "LSB_JOBFILENAME": "Slurm has no such variable.",
        "LSB_BATCH_JID": "Slurm has no such variable.",
    },
    general=frozenset(),
    commands={
        "bjobs": "squeue shows jobs, with other columns.",
        "bmod": "`scontrol update` changes a job.",
        "bstop": "It is `scontrol suspend`, or hold.",
        "bresume": "It is `scontrol release`.",
        "bhist": "sacct shows jobs that have ended, with other columns.",
        "bpeek": "A job's log can be read while it runs.",
        "blaunch": "srun runs a command on all nodes of a job.",
    },
    cancel="bkill",
    submit="bsub",
    home=False,
    header_only=False,
    is_read_by_sbatch=True,
    finish=_finish,
)
"""LSF."""
