"""What the tables of several schedulers have in common."""

import re
from collections.abc import Callable, Mapping

from rookery.jobs.lint.translation import amounts
from rookery.jobs.lint.translation.model import Draft, ForeignOption, Handler, Memory

_NUMBERS = re.compile(r"[0-9]{1,9}")
NOT_EXPANDED = "Slurm expands neither variables nor ~ in #SBATCH lines: write the path out."
NO_NUMBER = "It is not a number above 0."
RESERVED = "It is a resource of the other cluster: ask for its like as the pages of this one say."
OTHER_NODES = "The names of nodes are those of another cluster."
JOB_NUMBERS = (
    "A job's number in another scheduler means nothing to Slurm: put the number that sbatch printed here and remove "
    "one #, or pass the option to sbatch."
)
NO_FOLDER = "Slurm makes no such folder for each job, unless the site sees to it: `TMPDIR=$(mktemp -d)` makes one."
QSUB_COMMANDS = {
    "qstat": "squeue shows jobs, with other columns.",
    "qalter": "`scontrol update` changes a job.",
    "qhold": "It is `scontrol hold`.",
    "qrls": "It is `scontrol release`.",
}
"""Commands that PBS and SGE have beside qsub, and what is like them in Slurm."""
NO_VARIABLE = "Slurm expands no variables in #SBATCH lines: pass the option to sbatch."


def words(text: str) -> list[str]:
    """Return the words of a list that is written as one text."""
    return text.split()


def ignored(_: Draft, _option: ForeignOption) -> None:
    """Drop an option that Slurm does by itself, or that is about the other scheduler alone."""


def because(why: str) -> Handler:
    """Return a handler that leaves an option, for a reason."""
    return lambda draft, option: draft.leave(option, why)


def as_option(name: str) -> Handler:
    """Return a handler that makes an option of sbatch with the same value."""

    def handler(draft: Draft, option: ForeignOption) -> None:
        if not option.value:
            draft.leave(option, "It has no value.")
        elif _needs_shell(draft, option.value):
            draft.leave(option, NOT_EXPANDED)
        else:
            draft.set(name, option.value, option.line)

    return handler


def _needs_shell(draft: Draft, value: str) -> bool:
    """Return whether a shell would have to put something into a value, where none does: in a line."""
    return not draft.in_command and bool(re.search(r"[$`]", value))


def as_flag(name: str) -> Handler:
    """Return a handler that makes an option of sbatch without a value."""
    return lambda draft, option: draft.set(name, None, option.line)


def folder(draft: Draft, option: ForeignOption) -> None:
    """Translate the folder that a job starts in."""
    if re.search(r"[$~%]", option.value):
        draft.leave(option, NOT_EXPANDED)
    else:
        draft.starts_in = option.value
        draft.set("chdir", option.value, option.line)


def account(draft: Draft, option: ForeignOption) -> None:
    """Translate the account that a job is charged to: it is another cluster's, as like as not."""
    site = draft.site
    if site.needs_account is False:
        draft.leave(option, f"{site.name} needs no account.")
    elif site.account:
        draft.set("account", site.account, option.line)
    else:
        draft.set("account", option.value, option.line)
        draft.note(option, f"Check that this is an account on {site.name}.")


def queue(draft: Draft, option: ForeignOption) -> None:
    """Translate a queue: a partition, where the cluster has one of that name."""
    name, site = option.value.partition("@")[0], draft.site
    draft.queue_line = option.line
    if not name:
        draft.leave(option, "It names no queue.")
        return
    if name in site.partitions:
        draft.set("partition", name, option.line)
        return
    known = f": choose one of {', '.join(site.partitions)}" if site.partitions else ""
    draft.leave(option, f"{site.name} has no partition {name}{known}.")


def time(draft: Draft, option: ForeignOption, value: str, read: Callable[[str], int | None] = amounts.seconds) -> None:
    """Translate a time limit."""
    limit = read(value)
    if limit:
        draft.set("time", amounts.clock(limit), option.line)
    else:
        draft.leave(option, "It is not a time limit that can be read.", value)


def memory(draft: Draft, option: ForeignOption, value: str, per: str, *, unit: str = "", rank: int = 0) -> None:  # noqa: PLR0913
    """Translate an amount of memory."""
    size = amounts.megabytes(value, unit)
    if size:
        draft.memory.append(Memory(per, size, option.line, rank))
    elif size == 0:
        draft.leave(option, "In Slurm, 0 is all the memory of a node: write out how much the job needs.", value)
    else:
        draft.leave(option, "It is not an amount of memory that can be read.", value)


def gpus(draft: Draft, option: ForeignOption, value: str) -> None:
    """Translate a number of GPUs on each node."""
    count = {"": "1", "true": "1", "TRUE": "1"}.get(value, value)
    if _NUMBERS.fullmatch(count):
        draft.gpus = (int(count), option.line)
    else:
        draft.leave(option, "The number of GPUs is missing.", value)


def dependency(draft: Draft, option: ForeignOption, value: str) -> None:
    """Translate what a job waits for; numbers of jobs that are written out are those of the other scheduler."""
    is_variable = bool(re.search(r"[$`]", value))
    if is_variable and draft.in_command:
        draft.set("dependency", value, option.line)
        return
    draft.disabled.setdefault(option.line, []).append(f"--dependency={value}")
    draft.note(option, NO_VARIABLE if is_variable else JOB_NUMBERS)


def export(draft: Draft, option: ForeignOption, variables: list[str]) -> None:
    """Translate variables that a job gets; those without a value it has in Slurm anyway."""
    given = [variable for variable in variables if "=" in variable]
    if any(re.search(r"""["'\\]""", variable) for variable in given):
        draft.leave(option, "Values with quotes need another form in --export: set the variable in the script.")
    elif any(_needs_shell(draft, variable) for variable in given):
        draft.leave(option, "Slurm expands no variables in #SBATCH lines: set the variable in the script.")
    elif given:
        earlier = (draft.options.get("export", ("ALL", 0))[0] or "ALL").partition(",")[2]
        draft.set("export", ",".join(["ALL", *amounts.parts(earlier), *given]), option.line)


def mail_types(letters: Mapping[str, str]) -> Handler:
    """Return a handler for the letters that say when mail is sent."""

    def handler(draft: Draft, option: ForeignOption) -> None:
        kinds = dict.fromkeys(letters[letter] for letter in option.value if letters.get(letter))
        unknown = [letter for letter in option.value if letter not in letters]
        if unknown or not option.value:
            draft.leave(option, "Slurm has no mail of this kind.")
        else:
            draft.mail_types = (",".join(kinds), option.line)

    return handler


def mail_user(draft: Draft, option: ForeignOption) -> None:
    """Keep who gets mail: it counts where some is sent."""
    draft.mail_user = option


def join(draft: Draft, option: ForeignOption) -> None:
    """Keep whether output and errors go into one file."""
    draft.joined = (option.value, option.line)


def is_yes(value: str) -> bool:
    """Return whether a value means yes."""
    return value.lower() in {"y", "yes", "true", "1"}


def requeue(draft: Draft, option: ForeignOption) -> None:
    """Translate whether a job may be run again after a failure of its node."""
    draft.set("requeue" if is_yes(option.value) else "no-requeue", None, option.line)


def begin(draft: Draft, option: ForeignOption) -> None:
    """Translate when a job may start: `[[CC]YY]MMDDhhmm[.SS]`, or `hhmm`, of PBS and SGE."""
    value = option.value.partition(".")[0]
    if re.fullmatch(r"\d{12}", value):
        date = f"{value[:4]}-{value[4:6]}-{value[6:8]}T{value[8:10]}:{value[10:]}"
        draft.set("begin", date, option.line)
    elif re.fullmatch(r"\d{4}", value):
        draft.set("begin", f"{value[:2]}:{value[2:]}", option.line)
    else:
        draft.leave(option, "Write it as --begin=2026-01-31T18:00.")


def shell(draft: Draft, option: ForeignOption) -> None:
    """Keep which shell runs the script: in Slurm the first line says so."""
    draft.shell = option.value
