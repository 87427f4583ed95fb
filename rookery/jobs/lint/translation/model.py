"""What is read of another scheduler's script, and what is made of it: options, notes, and what the script does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


@dataclass(frozen=True)
class ForeignOption:
    """An option of another scheduler.

    Attributes:
        name: As its manual has it, with the dash: -l, -pe, -hold_jid.
        value: Without quotes; "" where it has none.
        line: Its line in the script, from 1 on.
        text: As it is written, with its value.
    """

    name: str
    value: str
    line: int
    text: str


@dataclass(frozen=True)
class Note:
    """Something that the translated script does not do as the original did, or that the user has to check.

    Attributes:
        line: Its line in the original, from 1 on.
        text: The option, variable or command.
        why: A sentence.
    """

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class Site:
    """What the translation has to know of the cluster.

    Attributes:
        name: The cluster.
        partitions: The names of its partitions; empty where the profile does not say.
        gpu_option: The option by which GPUs are asked for there: gres, or gpus.
        needs_account: Whether jobs need an account to charge; None where the profile does not say.
        account: The user's account there; "" where the profile does not say.
        cluster: The cluster itself, for the choice of a partition; None where none is chosen.
    """

    name: str
    partitions: tuple[str, ...] = ()
    gpu_option: str = "gres"
    needs_account: bool | None = None
    account: str = ""
    cluster: "Cluster | None" = None


def site_of(cluster: "Cluster") -> Site:
    """Return what the translation has to know of a cluster."""
    account = cluster.data.get("cluster_account") or {}
    return Site(
        cluster.name,
        tuple(str(partition["name"]) for partition in cluster.data.get("cluster_partitions") or []),
        "gpus" if cluster.data.get("cluster_gpu_request") == "gpus" else "gres",
        account.get("required"),
        str(account.get("name") or ""),
        cluster,
    )


@dataclass(frozen=True)
class ProcessUse:
    """What the commands of a script say of how it uses its cores.

    Attributes:
        launches: Whether it starts several processes: mpirun, mpiexec and their like.
        processes: How many it starts, where that is written out (`mpirun -np 16`); 0 where it is not.
    """

    launches: bool = False
    processes: int = 0


@dataclass
class Layout:
    """How a job's processes and cores lie on nodes; None for what is left to Slurm.

    Attributes:
        line: The line that says it.
    """

    line: int = 0
    nodes: int | None = None
    tasks: int | None = None
    tasks_per_node: int | None = None
    cpus_per_task: int | None = None

    @property
    def has_tasks(self) -> bool:
        """Whether Slurm is told how many processes there are."""
        return self.tasks is not None or self.tasks_per_node is not None

    @property
    def task_count(self) -> int:
        """How many processes there are in all."""
        return self.tasks or (self.nodes or 1) * (self.tasks_per_node or 1)


@dataclass(frozen=True)
class Memory:
    """An amount of memory that a job asks for.

    Attributes:
        per: node, cpu, task, or job for all of it together.
        megabytes: How much, in MiB.
        line: The line that says it.
        rank: Which is taken where several are given: the smallest.
    """

    per: str
    megabytes: int
    line: int
    rank: int = 0


@dataclass(frozen=True)
class Log:
    """Where a job's output or errors go.

    Attributes:
        path: With Slurm's patterns.
        line: The line that says it.
    """

    path: str
    line: int


class Draft:
    """A translation that is being made; the tables of the schedulers write into it.

    Attributes:
        site: The cluster.
        program: What the script's commands do.
        is_folder: Whether a path is a folder, for logs that are given as one.
        in_command: Whether it is of a command, whose variables a shell expands, rather than of a script's lines.
        options: Options of sbatch, by their long names, each with the line that it comes from; None as value for none.
        notes: What can't be said in Slurm, or is to be checked.
        left: Options that stay in the script, as comments, by line.
        disabled: Options of sbatch that stay switched off until the user has completed them, by line.
    """

    def __init__(
        self,
        site: Site,
        program: ProcessUse,
        is_folder: Callable[[str], bool] = lambda _: False,
        *,
        in_command: bool = False,
    ) -> None:
        self.site, self.program, self.is_folder, self.in_command = site, program, is_folder, in_command
        self.options: dict[str, tuple[str | None, int]] = {}
        self.notes: list[Note] = []
        self.left: dict[int, list[str]] = {}
        self.disabled: dict[int, list[str]] = {}
        self.layout = Layout()
        self.memory: list[Memory] = []
        self.memory_option: ForeignOption | None = None
        self.gpus: tuple[int, int] = (0, 0)
        self.array: tuple[str, int] = ("", 0)
        self.throttle = ""
        self.output: Log | None = None
        self.error: Log | None = None
        self.joined: tuple[str, int] = ("", 0)
        self.appends = False
        self.mail_types: tuple[str, int] = ("", 0)
        self.mail_user: ForeignOption | None = None
        self.shell = ""
        self.starts_in = ""
        self.last_line = 0
        self.queue_line = 0
        self.names_cores = False

    def set(self, name: str, value: str | None, line: int) -> None:
        """Give an option of sbatch a value; a later one wins."""
        self.options.pop(name, None)
        self.options[name] = (value, line)

    def leave(self, option: ForeignOption, why: str, part: str = "") -> None:
        """Leave an option as a comment, and say why.

        Args:
            option: The option.
            why: The reason, a sentence.
            part: The part of its value that can't be translated, where the rest can.
        """
        self.notes.append(Note(option.line, part or option.text, why))
        texts = self.left.setdefault(option.line, [])
        if option.text not in texts:
            texts.append(option.text)

    def note(self, option: ForeignOption, why: str) -> None:
        """Say what is to be checked of an option that is translated."""
        self.notes.append(Note(option.line, option.text, why))


Handler = Callable[[Draft, ForeignOption], None]


@dataclass(frozen=True)
class Scheduler:
    """Another scheduler: what its scripts say, and what that is in Slurm.

    Attributes:
        name: Its name.
        mark: What its lines begin with.
        arity: How many words each option takes after it.
        attached: Whether a value may follow a letter without a blank (-lmem=4gb).
        options: What each option becomes.
        variables: What each variable of a job is called in Slurm; the values "TOTAL" and "JOB" depend on the job.
        missing: Variables that Slurm has no like of, each with what to do instead.
        general: Variables whose names others use too: they are its own only in a script with its lines.
        commands: Its commands that Slurm has no like of, each with what to do instead.
        cancel: Its command that cancels a job.
        submit: Its command that submits one.
        home: Whether its jobs start in the home folder, unless an option says otherwise.
        header_only: Whether it reads its lines only above the first command.
        is_read_by_sbatch: Whether sbatch reads all that begins with its mark.
        finish: What is done when all options have been read.
    """

    name: str
    mark: str
    arity: Mapping[str, int]
    attached: bool
    options: Mapping[str, Handler]
    variables: Mapping[str, str]
    missing: Mapping[str, str]
    general: frozenset[str]
    commands: Mapping[str, str]
    cancel: str
    submit: str
    home: bool
    header_only: bool
    is_read_by_sbatch: bool
    finish: Callable[[Draft], None]
