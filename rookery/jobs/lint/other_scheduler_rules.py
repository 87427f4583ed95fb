"""The rules on scripts of other schedulers: code, severity, what is wrong, why, and what `--fix` does."""

from typing import Final

from rookery.jobs.lint.finding import Severity

OTHER_SCHEDULER_RULES: Final[tuple[tuple[str, Severity, str, str, str], ...]] = (
    (
        "RK107",
        "warning",
        "A script for SGE: `#$` lines, and no `#SBATCH` line",
        "Slurm ignores them, and the job gets the defaults",
        "by hand: `lint --translate` prints the script for Slurm",
    ),
    (
        "RK108",
        "error",
        "A `#PBS` or `#BSUB` line that sbatch can't read, also beside `#SBATCH` lines",
        "sbatch rejects the script: it reads these lines, too, knows few of their options, and takes a queue for a "
        "partition",
        "adds `#SBATCH --ignore-pbs` where the `#SBATCH` lines set the same options; otherwise by hand: "
        "`lint --translate`",
    ),
    (
        "RK109",
        "warning",
        "A script for PBS or LSF without `#SBATCH` lines, which sbatch accepts",
        "it ignores part of their options, or reads them otherwise: `-W 1:30` of LSF is a minute and a half",
        "by hand: `lint --translate` prints the script for Slurm",
    ),
    (
        "RK110",
        "warning",
        "A `#PBS` or `#BSUB` line that overrules an `#SBATCH` line",
        "sbatch reads these lines after the `#SBATCH` lines",
        "adds `#SBATCH --ignore-pbs` where the `#SBATCH` lines set the same options",
    ),
    (
        "RK111",
        "warning",
        "`$PBS_O_WORKDIR`, `$SGE_TASK_ID`, `$LSB_JOBINDEX` or another variable of PBS, SGE or LSF",
        "it is empty in Slurm: `cd $PBS_O_WORKDIR` goes to your home. A script that sets or tests it is left alone",
        "writes Slurm's variable where the script has `#SBATCH` lines, and none of the other scheduler",
    ),
)
"""RK107 to RK111."""
