"""The rules RK6 and RK7 of `lint`: commands, and the programs that they run."""

from typing import Final

from rookery.jobs.lint.rules.rule import Rule

PROGRAM_RULES: Final = (
    Rule("RK601", "error", "`RScript`", "the command is `Rscript`", "corrects it"),
    Rule(
        "RK602",
        "error",
        "`module activate`, or another subcommand that `module` does not have",
        "nothing is loaded",
        "writes the cluster's subcommand",
    ),
    Rule("RK603", "error", "`module` on a cluster without modules", "the command does not exist", "by hand"),
    Rule(
        "RK604",
        "error",
        "`source /etc/profile` (or the line that this cluster's scripts begin with) is missing before a command that "
        "needs it",
        "modules and storage variables are missing. Only a warning where no command clearly needs them",
        "adds it above the first command",
    ),
    Rule(
        "RK605",
        "error",
        "`conda activate` without conda's shell setup",
        "it needs a function that start-up files define, which a job does not read. No finding after a file or a "
        "module of the cluster that may define it",
        "writes `source activate`, after a module of conda that needs it (`cluster_conda_activate: source`)",
    ),
    Rule(
        "RK606",
        "warning",
        "Several tasks or nodes, and no srun, mpirun or background jobs",
        "only one process starts",
        "by hand: `srun` before the command, or `--cpus-per-task` for a program that uses several cores",
    ),
    Rule(
        "RK607",
        "error",
        "The last command runs in the background, and there is no `wait`",
        "the job ends, and the command with it",
        "adds `wait`; by hand within brackets, and before a last `echo` or `exit`",
    ),
    Rule(
        "RK608",
        "warning",
        '`cd "$(dirname "$0")"`, or another use of the script\'s own folder',
        "Slurm runs a copy of the script in its spool folder, where none of your files are",
        "by hand: `$SLURM_SUBMIT_DIR`, the folder in which sbatch was run; the job starts there",
    ),
    Rule(
        "RK609",
        "warning",
        "`set -u` before `source /etc/profile` or `source ~/.bashrc`, on systems like Red Hat's",
        "these files read variables that a job does not have, which ends the script",
        "by hand: `set -u` below them",
    ),
    Rule(
        "RK610",
        "warning",
        "A module that the cluster does not have",
        "nothing is loaded, and the script continues. After `clusters.check`, which lists all modules, the first one "
        "that a script loads is compared with the list. Without it, only names close to one of the profile's are "
        "found, such as `r/4.3.1` for `R/4.3.1`",
        "by hand: the name that is close",
    ),
    Rule(
        "RK701",
        "warning",
        "`detectCores()` in R",
        "it counts the cores of the machine, not of the job",
        'by hand: `as.integer(Sys.getenv("SLURM_CPUS_PER_TASK", "1"))`',
    ),
    Rule(
        "RK702",
        "warning",
        "`os.cpu_count()` in Python",
        "it counts the cores of the machine, not of the job",
        "by hand: `len(os.sched_getaffinity(0))`",
    ),
    Rule(
        "RK703",
        "warning",
        "`Pool()` or `ProcessPoolExecutor()` in Python, without a number",
        "it starts a process for each core of the machine, not of the job. From Python 3.13 on it counts those of the "
        "job: nothing is reported where pyproject.toml or .python-version asks for that",
        "by hand: `Pool(len(os.sched_getaffinity(0)))`",
    ),
    Rule(
        "RK704",
        "warning",
        "More processes or threads in R or Python than the job has cores on a node: `Pool(16)`, `mc.cores = 8`, "
        "`makeCluster(8)`, `n_jobs=16`",
        "they slow each other down. A job has `--cpus-per-task` cores for each task, 1 where it does not say. Nothing "
        "is reported for whole nodes, nor for `n_jobs=-1`, which counts the cores of the job",
        "by hand: the number from `SLURM_CPUS_PER_TASK`",
    ),
    Rule(
        "RK705",
        "warning",
        "More threads or processes than the job has cores on a node: `OMP_NUM_THREADS=16`, `make -j 16`, "
        "`julia -t 16`, `parallel -j 16`, `xargs -P 16`, `samtools -@ 16`",
        "they slow each other down. The cores are counted as in RK704",
        "by hand: `$SLURM_CPUS_PER_TASK`",
    ),
)
"""In the order of the codes."""
