"""The rules on `#SBATCH` lines and their options, RK2."""

from typing import Final

from rookery.jobs.lint.rules.rule import REFUSED, Rule

OPTION_RULES: Final = (
    Rule(
        "RK201",
        "error",
        "`#SBATCH` below the first command",
        "Slurm ignores it",
        "moves it up; by hand where another line sets the same option",
    ),
    Rule(
        "RK202",
        "warning",
        "`# SBATCH`, `#sbatch`, `#SBTACH`, or a space before the `#`",
        "Slurm takes the line for a comment. To disable a line, write `##SBATCH`",
        "corrects it; by hand for `# SBATCH`, which may be disabled on purpose",
    ),
    Rule(
        "RK203",
        "error",
        "`$VARIABLE`, `$1`, `$(command)` or `~` in an `#SBATCH` line",
        "Slurm expands no variables there, and runs no commands; arguments of the script are for its commands. Only a "
        "warning where Slurm takes the text as it is, as in `--job-name=$1`",
        "corrects it where a Slurm pattern means the same (`%j`, `%A`, `%a`, `%x`, `%u`)",
    ),
    Rule("RK204", "error", "A quotation mark that is never closed", REFUSED),
    Rule("RK205", "error", "A misspelt option", REFUSED, "corrects one wrong letter; by hand otherwise"),
    Rule(
        "RK206",
        "error",
        "A word that is not an option, or spaces around `=` or in a value: `--mem=1 G`, `--mail-type=end, fail`",
        REFUSED,
        "corrects spaces and a missing `--`; by hand for quotes around a job's name, and for a comment without `#`",
    ),
    Rule(
        "RK207",
        "error",
        "A value that Slurm can't read, or a missing one: `--time=2h`, `--mem=1.5G`, `--mail-type=FINISHED`",
        f"{REFUSED}. Only a warning where Slurm ignores a part of the value, or takes the next word for it",
        "corrects it where the meaning is clear: `02:00:00`, `1536M`, `END`",
    ),
    Rule(
        "RK208",
        "error",
        "Memory requested in two ways (`--mem`, `--mem-per-cpu`, `--mem-per-gpu`)",
        REFUSED,
    ),
    Rule(
        "RK209",
        "error",
        "An option of another scheduler, of `srun`, or of another version of Slurm: `--walltime`, `--pty`, `--share`",
        f"{REFUSED}. The version that counts is `cluster_slurm` of the profile, otherwise all from 20.11 on",
        "writes sbatch's name where only one can be meant, with the same value; by hand otherwise: `--walltime=3600` "
        "may be in seconds",
    ),
    Rule(
        "RK210",
        "warning",
        "An option that no version of Slurm has",
        f"{REFUSED}, unless the cluster has added the option with a plugin",
    ),
    Rule(
        "RK211",
        "error",
        "The beginning of several options: `--p`, `--cpus`, `--gpu`",
        REFUSED,
        "writes the whole name where it is clear; by hand otherwise",
    ),
    Rule("RK212", "error", "A value for an option that takes none: `--hold=no`", REFUSED, "removes `=yes`"),
    Rule(
        "RK213",
        "error",
        "One dash before a long option: `-mem=1G`",
        f"sbatch reads letters: {REFUSED}. Only a warning where sbatch accepts them: `-output=run.log` writes a log "
        "called `utput=run.log`",
        "adds the dash; not where the option has no value",
    ),
    Rule(
        "RK214",
        "error",
        "`=` after a letter: `-n=4`",
        f"it becomes a part of the value: {REFUSED}. Only a warning where it accepts such a value",
        "writes a space",
    ),
    Rule(
        "RK215",
        "error",
        "A dash, quotation mark or space that is not the keyboard's, as word processors and web pages write them",
        f"{REFUSED}. Only a warning where it becomes a part of a name",
        "writes the keyboard's",
    ),
    Rule(
        "RK216",
        "warning",
        "`--time=48:00`, and other times that are usual for hours",
        "Slurm reads minutes and seconds",
        "by hand: `48:00:00`",
    ),
    Rule("RK217", "error", "An option for administrators: `--uid`, `--gid`, `--reboot`", REFUSED),
    Rule(
        "RK218",
        "warning",
        "An abbreviated option that reads like another one: `--tasks=3` with several nodes, `--cores=4`",
        "it means `--ntasks-per-node`, or `--cores-per-socket`",
        "by hand: the whole name",
    ),
    Rule(
        "RK219",
        "warning",
        "`--mem=16`, without a unit",
        "Slurm reads megabytes, and ends the job when it needs more",
        "by hand: `16G`",
    ),
    Rule(
        "RK220",
        "warning",
        "`#SLURM` instead of `#SBATCH`",
        "sbatch reads the line like an `#SBATCH` line, and reports an error",
        "writes `#SBATCH`",
    ),
    Rule("RK221", "warning", "`--test-only`", "sbatch submits no job: it only says when one could start"),
)
"""In the order of the codes."""
