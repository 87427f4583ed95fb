"""The rules on scripts of other schedulers, RK107 to RK111."""

from typing import Final

from rookery.jobs.lint.rules.rule import REFUSED, Rule

OTHER_SCHEDULER_RULES: Final = (
    Rule(
        "RK107",
        "warning",
        "A script for SGE: `#$` lines, and no `#SBATCH` line",
        "Slurm ignores them, and the job gets the defaults",
        "by hand: `lint --translate` prints the script for Slurm",
    ),
    Rule(
        "RK108",
        "error",
        "A `#PBS` or `#BSUB` line that sbatch can't read, also beside `#SBATCH` lines",
        f"{REFUSED}: it reads these lines, too, knows few of their options, and takes a queue for a partition",
        "adds `#SBATCH --ignore-pbs` where the `#SBATCH` lines set the same options; otherwise by hand: "
        "`lint --translate`",
    ),
    Rule(
        "RK109",
        "warning",
        "A script for PBS or LSF without `#SBATCH` lines, which sbatch accepts",
        "it ignores part of their options, or reads them otherwise: `-W 1:30` of LSF is a minute and a half",
        "by hand: `lint --translate` prints the script for Slurm",
    ),
    Rule(
        "RK110",
        "warning",
        "A `#PBS` or `#BSUB` line that overrules an `#SBATCH` line",
        "sbatch reads these lines after the `#SBATCH` lines",
        "adds `#SBATCH --ignore-pbs` where the `#SBATCH` lines set the same options",
    ),
    Rule(
        "RK111",
        "warning",
        "`$PBS_O_WORKDIR`, `$SGE_TASK_ID`, `$LSB_JOBINDEX` or another variable of PBS, SGE or LSF",
        "it is empty in Slurm: `cd $PBS_O_WORKDIR` goes to your home. A script that sets or tests it is left alone",
        "writes Slurm's variable where the script has `#SBATCH` lines, and none of the other scheduler",
    ),
)
