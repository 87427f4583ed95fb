"""Commands that run another command: how each one's command line names it.

From their manuals: srun(1) with pyxis, Open MPI's, MPICH's and Intel MPI's mpirun, GNU's coreutils and parallel,
util-linux, Singularity, uv, conda, pixi, poetry, torchrun.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rookery.projects.scripts.directives import TAKING_VALUE


@dataclass(frozen=True)
class Wrapper:
    """How a command names the one that it runs.

    Attributes:
        valued: Its options that take the next word as their value.
        paired: Its options that take the next two words.
        verbs: The words of which one has to come first; empty where the command follows the options directly.
        before: How many words are between its options and the command.
        sets: Whether `NAME=VALUE` may be between them, too.
        python: Whether what it runs is a program in Python, named by its file or by `-m MODULE`.
        colons: Whether a `:` alone separates several commands.
        dashes: Whether the command comes after a `--`, whatever is before it.
    """

    valued: frozenset[str] = frozenset()
    paired: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    before: int = 0
    sets: bool = False
    python: bool = False
    colons: bool = False
    dashes: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SRUN = Wrapper(
    valued=_words("""
        -i -T -r -W -Z --accel-bind --bcast-exclude --container-env --container-image --container-mounts
        --container-name --container-save --container-workdir --cpu-bind --epilog --het-group --jobid --mem-bind --mpi
        --msg-timeout --pack-group --prolog --relative --slurmd-debug --task-epilog --task-prolog --threads
        --treewidth --wait
    """)
    | {f"--{name}" for name in TAKING_VALUE}
    | {f"-{letter}" for letter in TAKING_VALUE.values() if letter},
    colons=True,
)
_MPIRUN = Wrapper(
    valued=_words("""
        -n --n -np --np -c -N -npernode --npernode -npersocket --npersocket -ppn --ppn -perhost --perhost -H -host
        --host -hosts --hosts -hostfile --hostfile -machinefile --machinefile -f -rf --rankfile -wd -wdir --wdir
        -path --path -x -bind-to --bind-to -map-by --map-by -rank-by --rank-by -am --am -tune --tune --app --prefix
        -prefix --output -output --output-filename --report-uri --ompi-server --timeout --cpu-set --cpu-list
        -genvlist -envlist -rmk -launcher -bootstrap -iface -rr -configfile -trace -check_mpi -tmpdir --stdin
        --bede-par -t -ranks-per-proc --pmixmca-file --max-restarts
    """),
    paired=_words("-mca --mca -gmca --gmca --prtemca --pmixmca -genv -env --genv --env"),
    colons=True,
)
_PYTHON = Wrapper(python=True)
_UV_RUN = Wrapper(
    valued=_words("""
        --with --with-editable --with-requirements -w -p --python --extra --no-extra --group --no-group --only-group
        --env-file --package --project --directory --index --default-index -i --index-url
        --extra-index-url -f --find-links --index-strategy --keyring-provider -P --upgrade-package --resolution
        --prerelease --exclude-newer --link-mode --refresh-package --reinstall-package --config-file --cache-dir
        --color --python-platform -C --config-setting
    """),
    verbs=frozenset({"run"}),
)
_CONDA_RUN = Wrapper(
    valued=_words("-n --name -p --prefix --cwd -r --root-prefix --rc-file --manifest-path -e --environment"),
    verbs=frozenset({"run"}),
)
_CONTAINER = Wrapper(
    valued=_words("""
        -B --bind -H --home -W --workdir -S --scratch -o --overlay --pwd --cwd --env --env-file --app --mount
        --network --network-args --dns --hostname --security --add-caps --drop-caps --fusemount --apply-cgroups
        --pem-path --cpus --cpuset-cpus --memory --memory-swap --config -c --data
    """),
    verbs=frozenset({"exec", "run"}),
    before=1,
)
"""`run` starts a program of the image with the words after it: only an interpreter among them is surely run."""
_RUN = Wrapper(valued=_words("-C --directory -P --project -p --python -n -e --env --venv"), verbs=frozenset({"run"}))
_DIRECT = Wrapper()
OPTIONS: Final = re.compile(r"\$\{?\w*(?:ARGS?|OPTS?|OPTIONS?|FLAGS?|DEFAULTS)(?:\[@\]|\[\*\])?\}?", re.IGNORECASE)
"""Variables that hold options, by their name: `srun $SRUN_ARGS ./model`."""

WRAPPERS: Final[Mapping[str, Wrapper]] = {
    "srun": _SRUN,
    "ghrun": _SRUN,
    **dict.fromkeys(
        _words("""
            mpirun mpiexec mpiexec.hydra mpirun_rsh orterun prun prterun ibrun aprun jsrun bede-mpirun horovodrun
            mpirun.openmpi mpirun.mpich mpiexec.openmpi mpiexec.mpich mpiexec.slurm oshrun charmrun dask-mpi
        """),
        _MPIRUN,
    ),
    "torchrun": _PYTHON,
    "deepspeed": _PYTHON,
    "accelerate": Wrapper(verbs=frozenset({"launch"}), python=True),
    "coverage": Wrapper(verbs=frozenset({"run"}), python=True),
    "mprof": Wrapper(verbs=frozenset({"run"}), python=True),
    "memray": Wrapper(verbs=frozenset({"run"}), python=True),
    "kernprof": _PYTHON,
    "scalene": _PYTHON,
    "viztracer": _PYTHON,
    "py-spy": Wrapper(valued=_words("-o --output -d --duration -r --rate -f --format"), verbs=frozenset({"record"})),
    "uv": _UV_RUN,
    **dict.fromkeys(_words("poetry pipenv pdm hatch rye"), _RUN),
    **dict.fromkeys(_words("conda mamba micromamba"), _CONDA_RUN),
    "pixi": Wrapper(_CONDA_RUN.valued, verbs=frozenset({"run", "exec"})),
    **dict.fromkeys(_words("singularity apptainer"), _CONTAINER),
    "shifter": Wrapper(valued=_words("-i --image -V --volume -e --env --env-file -w --workdir -m --module")),
    "ch-run": Wrapper(valued=_words("-b --bind -c --cd -m --mount -g --gid -u --uid"), before=1),
    **dict.fromkeys(_words("nohup setsid builtin catchsegv dbus-run-session vglrun"), _DIRECT),
    "command": _DIRECT,
    "exec": Wrapper(valued=frozenset({"-a"})),
    "env": Wrapper(valued=_words("-u --unset -C --chdir"), sets=True),
    "nice": Wrapper(valued=_words("-n --adjustment")),
    "ionice": Wrapper(valued=_words("-c --class -n --classdata")),
    "chrt": Wrapper(before=1),
    "timeout": Wrapper(valued=_words("-k --kill-after -s --signal"), before=1),
    "stdbuf": Wrapper(valued=_words("-i --input -o --output -e --error")),
    "time": Wrapper(valued=_words("-f --format -o --output")),
    "taskset": Wrapper(before=1),
    "numactl": Wrapper(
        valued=_words("""
            -i --interleave -p --preferred -P --preferred-many -w --weighted-interleave -m --membind -N --cpunodebind
            -C --physcpubind
        """)
    ),
    "xvfb-run": Wrapper(
        valued=_words("-e --error-file -f --auth-file -n --server-num -p --xauth-protocol -s --server-args -w --wait")
    ),
    "xargs": Wrapper(
        valued=_words("""
            -a --arg-file -d --delimiter -E -I -L --max-lines -n --max-args -P --max-procs -s --max-chars
            --process-slot-var
        """)
    ),
    "parallel": Wrapper(
        valued=_words("""
            -j --jobs -P --max-procs -a --arg-file -n --max-args -N --max-replace-args -L --max-lines -C --colsep -d
            --delimiter -E -I -i -S --sshlogin --sshloginfile --slf --joblog --results --res --retries --timeout --wd
            --workdir --delay --load --memfree --memsuspend --nice --env --block --halt --tmpdir --tagstring --trim
            --basefile --return --recstart --recend --rpl --shuf-seed --rsync-opts --tempdir --progress-bar
        """)
    ),
    "nvprof": Wrapper(valued=_words("-o --export-profile --log-file -e --events -m --metrics -t --timeout")),
    **dict.fromkeys(_words("advisor advixe-cl vtune amplxe-cl inspxe-cl"), Wrapper(dashes=True)),
    "perf": Wrapper(valued=_words("-e --event -o --output -F --freq -r --repeat"), verbs=_words("stat record")),
    "nsys": Wrapper(
        valued=_words("-o --output -t --trace -s --sample -c --capture-range -f --force-overwrite -w --show-output"),
        verbs=_words("profile launch"),
    ),
    "ncu": Wrapper(valued=_words("-o --export -k --kernel-name -c --launch-count -s --launch-skip")),
    "strace": Wrapper(valued=_words("-e -o -s -P -E -p")),
    "valgrind": _DIRECT,
    "likwid-pin": Wrapper(valued=frozenset({"-c"})),
    "likwid-perfctr": Wrapper(valued=_words("-c -C -g -o")),
}
"""What each of them does with its words."""

PYTHON_MODULES: Final = _words("""
    torch.distributed.run torch.distributed.launch accelerate.commands.launch cProfile profile memory_profiler scalene
    mpi4py coverage trace kernprof line_profiler pyinstrument viztracer memray
""")
"""Modules of Python that run the program named after them, as `python -m MODULE`."""

SHELLS: Final = _words("bash sh dash ksh zsh")
"""Shells: `-c` has the commands, or a file does."""

INTERPRETERS: Final = _words("python python2 python3 Rscript R julia perl matlab octave java node bash sh")
"""Programs that `apptainer run IMAGE` hands over to, where they are the first word after the image."""
