"""The rules of `lint`: for each code what is wrong, what happens otherwise, and what `--fix` does about it.

docs/reference/lint-rules.md is made from this table.
"""

from typing import Final

from rookery.jobs.lint.rules.option_rules import OPTION_RULES
from rookery.jobs.lint.rules.other_scheduler_rules import OTHER_SCHEDULER_RULES
from rookery.jobs.lint.rules.program_rules import PROGRAM_RULES
from rookery.jobs.lint.rules.rule import PENDING as _PENDING
from rookery.jobs.lint.rules.rule import REFUSED as _REFUSED
from rookery.jobs.lint.rules.rule import REJECTED as _REJECTED
from rookery.jobs.lint.rules.rule import Rule

GROUPS: Final = {
    "RK0": "Comments for lint",
    "RK1": "The file",
    "RK2": "Lines that Slurm does not read as intended",
    "RK3": "What the job requests",
    "RK4": "Arrays, and the variables that Slurm sets",
    "RK5": "Logs, mail and placeholders",
    "RK6": "Commands",
    "RK7": "Programs that the script runs",
}
"""The heading above the rules whose codes begin so."""

RULES: Final = (
    Rule(
        "RK001",
        "warning",
        "`# rookery: ignore` without a rule, or with an unknown one",
        "the comment has no effect",
    ),
    Rule(
        "RK002",
        "warning",
        "`# rookery: ignore` for a rule that finds nothing there",
        "the comment has no effect. Not reported in projects for several clusters, where another one may need it",
    ),
    Rule(
        "RK101",
        "error",
        "No `#!` in the first line",
        f"{_REFUSED}: nothing says what runs it",
        "adds `#!/bin/bash` to shell scripts; by hand: the line for a program in Python, R, Julia or Perl",
    ),
    Rule("RK102", "error", "Windows line endings", _REFUSED, "writes Unix line endings"),
    Rule(
        "RK103", "error", "A byte order mark before the `#!`", f"{_REFUSED}: Slurm does not see the `#!`", "removes it"
    ),
    Rule("RK104", "error", "Not a text file", f"{_REFUSED}: it contains NUL characters"),
    Rule("RK105", "error", "An empty file", _REFUSED),
    Rule("RK106", "error", "A script larger than 4 MB", f"{_REFUSED}: 4 MB is Slurm's limit"),
    *OTHER_SCHEDULER_RULES,
    *OPTION_RULES,
    Rule(
        "RK301",
        "error",
        "A partition that the cluster does not have",
        f"{_REJECTED}. The profile can name partitions of some users only: `cluster_restricted_partitions`",
        "corrects capitals, `-` for `_` and one wrong letter, where the job fits there; by hand otherwise",
    ),
    Rule(
        "RK302",
        "error",
        "More time than the partition allows",
        _PENDING,
        "by hand: `lint` shows the longest time, and other partitions",
    ),
    Rule(
        "RK303",
        "error",
        "More cores, nodes or memory than allowed",
        _PENDING,
        "by hand: `lint` shows a partition for several cores",
    ),
    Rule(
        "RK304",
        "error",
        "GPUs on a partition that has none, also the default one",
        _PENDING,
        "by hand: `lint` shows a partition with GPUs",
    ),
    Rule(
        "RK305",
        "error",
        "A GPU type that the partition does not have",
        _PENDING,
        "corrects capitals, `-` for `_` and one wrong letter; by hand otherwise",
    ),
    Rule("RK306", "error", "More GPUs than one user may have, or than a node has", _PENDING),
    Rule(
        "RK307",
        "error",
        "No account, where the cluster requires one",
        _REJECTED,
        "corrects it where your settings have it (`cluster_account.name`)",
    ),
    Rule(
        "RK308",
        "error",
        "An option that the partition requires is missing",
        _PENDING,
        "corrects it where the option has one value; by hand for a number",
    ),
    Rule(
        "RK309",
        "warning",
        "No memory requested, where the default is small",
        "a job that uses more than its memory is killed",
        "by hand: `--mem` with more than the default",
    ),
    Rule("RK310", "error", "More cores on one node than any node of the partition has", _REJECTED),
    Rule("RK311", "error", "More memory on one node than any node of the partition has", _REJECTED),
    Rule("RK312", "error", "More nodes than the partition has", _REJECTED),
    Rule(
        "RK313",
        "error",
        "A `--constraint` that no node of the cluster has",
        f"{_REJECTED}. Only where the profile lists all (`cluster_features`), and a warning where that is unverified",
        "corrects capitals, `-` for `_` and one wrong letter; by hand otherwise",
    ),
    Rule(
        "RK314",
        "error",
        "A `--gres` that the cluster does not have",
        f"{_REJECTED}. Only where the profile lists all (`cluster_gres`), and a warning where that is unverified",
        "corrects capitals and `gpus` for `gpu`; by hand otherwise",
    ),
    Rule(
        "RK315",
        "error",
        "A node that the cluster does not have",
        f"{_REJECTED}. Only where the profile has the names (`cluster_node_names`), and a warning where they are "
        "unverified",
    ),
    Rule(
        "RK316",
        "error",
        "`--clusters` with another cluster",
        "Slurm rejects the job, or sends it there. Only a warning where `cluster_slurm_name` is not known",
    ),
    Rule(
        "RK317",
        "warning",
        "Another account than the one in your settings (`cluster_account.name`)",
        "Slurm rejects the job if you have no access to that account",
        "by hand: the account of your settings",
    ),
    Rule(
        "RK318",
        "warning",
        "No memory requested, where the job then gets all of a node's",
        "the job waits for an empty node, and nobody else can use the rest of it",
        "by hand: `--mem=1G`",
    ),
    Rule(
        "RK319",
        "warning",
        "No time limit requested, where the partition sets none",
        "a job that hangs runs until you cancel it, and Slurm can't start it in a gap before a larger job",
        "by hand: `--time=01:00:00`",
    ),
    Rule(
        "RK320",
        "error",
        "An option for each GPU without GPUs or tasks, or beside one that it excludes (`--cpus-per-gpu`, "
        "`--cpus-per-task`)",
        f"{_REJECTED}. A warning for `--cpus-per-gpu` without GPUs, which some versions of Slurm ignore",
        "by hand: `--ntasks=1` for `--gpus-per-task`",
    ),
    Rule(
        "RK321",
        "warning",
        "Time, memory or cores of which the last runs of the script used a twentieth",
        "the job waits longer, and others do, too. Known where `jobs` or `run` has shown two completed runs of the "
        "project on this computer",
        "by hand: twice what the runs used",
    ),
    Rule("RK322", "error", "More tasks than `--nodes` times `--ntasks-per-node`", _REJECTED),
    Rule(
        "RK401",
        "error",
        "An array that sends mail, where the cluster rejects this",
        f"{_REJECTED}. `mail:` in rookery.yml sends the mail from a small job that depends on the array",
        "by hand: the line disabled",
    ),
    Rule(
        "RK402",
        "error",
        "An array whose numbers go above the largest that the cluster accepts",
        f"{_REJECTED}. `chunk:` in rookery.yml runs several rows in one task",
    ),
    Rule(
        "RK403",
        "warning",
        "More than 500 tasks, and no limit on how many run at the same time",
        "they delay everybody else's jobs",
        "by hand: `%50`",
    ),
    Rule("RK404", "warning", "One log for all tasks", "the tasks overwrite each other's log", "by hand: `_%A_%a`"),
    Rule(
        "RK405",
        "warning",
        "An array whose number reaches no program: `TASK_ID=$SLURM_ARRAY_TASK_ID` and `python task.py`",
        "all tasks do the same. A program sees only exported variables, and arguments. Where the script has no such "
        "variable, `lint` says so only if it can read all programs that the script runs",
        'by hand: `python task.py "$TASK_ID"`',
    ),
    Rule(
        "RK406",
        "warning",
        "`ID=SLURM_ARRAY_TASK_ID`, without `$`",
        "the variable becomes that word instead of the number",
        "adds the `$` if the script expands the variable",
    ),
    Rule(
        "RK407",
        "warning",
        "A misspelt variable of Slurm: `$SLURM_ARRAY_TASKID`, `$SLURM_CPU_PER_TASK`",
        "Slurm does not set it: it is empty",
        "corrects one typing error; by hand for other names, such as `SLURM_ARRAY_ID`",
    ),
    Rule(
        "RK408",
        "warning",
        "`SLURM_ARRAY_TASK_ID`, or `%a` in a log, without `--array`",
        "the variable is empty, and `%a` becomes 4294967294. Nothing is reported if the script has a default "
        "(`${SLURM_ARRAY_TASK_ID:-1}`), tests the variable, or mentions `--array` in a comment",
        "by hand",
    ),
    Rule(
        "RK409",
        "warning",
        "`SLURM_ARRAY_JOB_ID` as the number of a task",
        "it is the same for all tasks of the array",
        "by hand: `SLURM_ARRAY_TASK_ID`",
    ),
    Rule(
        "RK501",
        "error",
        "A log in a folder that will not exist",
        "Slurm creates no folders: the job fails at once, without a log, and a `mkdir` in the script runs too late. "
        "Only a warning outside of a project",
        "adds the folder to `outputs` of rookery.yml, so that `deploy` creates it",
    ),
    Rule(
        "RK502",
        "warning",
        "`--mail-user` without `--mail-type`",
        "no mail is sent: `--mail-type` names the events. Without `--mail-user`, mail goes to the user who submits",
        "by hand: `--mail-type=END,FAIL`",
    ),
    Rule(
        "RK503",
        "warning",
        "A placeholder of an example: `<netid>`, `YOUR_EMAIL_ADDRESS_HERE`, `user@example.com`, `/path/to/…`",
        "Slurm takes it as it is written. An error where Slurm rejects the job (an account that it must have), or the "
        "job fails (the folder of a log)",
    ),
    *PROGRAM_RULES,
)
"""Every rule, in the order of the codes."""
