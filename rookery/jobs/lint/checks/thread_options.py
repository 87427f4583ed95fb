"""RK7: commands and variables that start more threads than the job has cores: `make -j 16`, `OMP_NUM_THREADS=16`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rookery.jobs.lint.checks import allotted_cores
from rookery.jobs.lint.checks.workers import THREAD_VARIABLES, shortage
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.assignments import constants
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run
from rookery.jobs.lint.script.tokens import ShellWord
from rookery.jobs.lint.script.wrappers import WRAPPERS

_OPTIONS = {
    "make": "-j --jobs",
    "gmake": "-j --jobs",
    "ninja": "-j",
    "cmake": "-j --parallel",
    "parallel": "-j --jobs -P --max-procs",
    "xargs": "-P --max-procs",
    "julia": "-p --procs -t --threads",
    "snakemake": "-c --cores -j --jobs",
    "bwa": "-t",
    "bwa-mem2": "-t",
    "minimap2": "-t",
    "bowtie2": "-p --threads",
    "hisat2": "-p --threads",
    "STAR": "--runThreadN",
    "salmon": "-p --threads",
    "samtools": "-@ --threads",
    "bcftools": "--threads",
    "blastn": "-num_threads",
    "blastp": "-num_threads",
    "blastx": "-num_threads",
    "fastqc": "-t --threads",
    "pigz": "-p --processes",
    "kraken2": "--threads",
    "gmx": "-nt -ntomp",
}
"""Programs that start as many threads or processes as an option says, by their manuals."""
_VALUED = {
    "parallel": WRAPPERS["parallel"].valued,
    "xargs": WRAPPERS["xargs"].valued,
    "julia": frozenset(f"{_OPTIONS['julia']} -L --load -J --sysimage -C --cpu-target -H --home".split()),
}
"""The options with a value of programs that run a command or a file: its own options come after it."""
_SEVERAL_NODES = frozenset({"parallel", "xargs"})
"""Programs whose commands may run on all nodes of the job, by srun."""
_WAITING = frozenset({"srun", "sbatch", "ssh", "curl", "wget", "cp", "mv", "rsync", "scp", "aws", "rclone", "gsutil"})
"""Commands that wait rather than compute."""
_ELSEWHERE = re.compile(r"--(?:profile|executor|cluster\S*|slurm|workflow-profile|sshlogin\S*|slf|machine-file)\b|-S$")
"""Options by which a program leaves the work to other jobs or machines."""
_GIVEN = re.compile(r"(?P<name>[A-Z_]+)=(?P<value>\d{1,6})")


@dataclass(frozen=True)
class _Threads:
    """A number of threads or processes in a script.

    Attributes:
        what: The command or the variable, for the message.
        unit: threads or processes.
        number: How many.
        start: Where the number is written.
        end: Where it ends; None where it can't be replaced there.
        nodes: Whether they may be on all nodes.
    """

    what: str
    unit: str
    number: int
    start: int
    end: int | None
    nodes: bool = False


def too_many(script: Context) -> Iterator[Finding]:
    """Yield findings for options and variables that start more threads than the job has cores."""
    node, job = allotted_cores.of_a_node(script), allotted_cores.of_all_nodes(script)
    if node is None or job is None:
        return
    reported = set()
    for threads in (*_of_variables(script), *_of_options(script)):
        cores = job if threads.nodes else node
        if threads.number <= cores or threads.start in reported:
            continue
        reported.add(threads.start)
        edits = [] if threads.end is None else [Edit(threads.start, threads.end, _allotted(script, cores))]
        yield script.finding(
            "RK705",
            script.line_at(threads.start),
            f"{threads.what} starts {threads.number} {threads.unit}, {shortage(threads.number, cores)}",
            severity="warning",
            edits=edits,
        )


def _allotted(script: Context, cores: int) -> str:
    """Return the variable that has the number of the job's cores."""
    if script.directives.get("cpus-per-task"):
        return "$SLURM_CPUS_PER_TASK"
    if script.directives.get("ntasks-per-node"):
        return "$SLURM_NTASKS_PER_NODE"
    return "$SLURM_NTASKS" if cores > 1 else "${SLURM_CPUS_PER_TASK:-1}"


def _of_variables(script: Context) -> Iterator[_Threads]:
    """Yield the numbers that the script gives variables for threads."""
    words = [word for command in script.shell.commands if command.name in {"export", "env", "declare", "typeset"}
             for word in command.words[1:]]  # fmt: skip
    for word in (*script.shell.assignments, *words):
        raw = script.text[word.start : word.end]
        match = _GIVEN.fullmatch(raw.replace('"', "").replace("'", ""))
        if match and match["name"] in THREAD_VARIABLES:
            start = word.start + raw.index("=") + 1
            end = {'"': word.end - 1, "'": None}.get(raw[0], word.end)  # quotes round the whole word
            yield _Threads(match.group(), "threads", int(match["value"]), start, end)


def _of_options(script: Context) -> Iterator[_Threads]:
    """Yield the numbers that the script gives programs as options."""
    known = constants(script)
    for words in (
        words for command in script.shell.commands for words in (command.words, *programs_run(script, command))
    ):
        name = words[0].text.rpartition("/")[2]
        options = _OPTIONS.get(name, "").split() if words[0].fixed else []
        if not options or _waits(name, words):
            continue
        for what, value, text in _values(name, options, _own_options(name, words[1:])):
            if number := _number(script, known, value, text):
                yield _Threads(what, "processes or threads", *number, name in _SEVERAL_NODES)


def _number(
    script: Context, known: Mapping[str, tuple[int, int, int]], word: ShellWord, text: str
) -> tuple[int, int, int | None] | None:
    """Return the number that an option's value is, and where it is written; None where it is none, or several."""
    if re.fullmatch(r"\d{1,6}", text):
        raw = script.text[word.start : word.end]
        if raw == f"'{text}'":
            return int(text), word.start, word.end
        at = raw.rfind(text)
        single = raw in {word.text, f'"{word.text}"'} or (raw.count(text) == 1 and "'" not in raw[:1])
        return int(text), word.start + max(at, 0), word.start + at + len(text) if single and at >= 0 else None
    return known.get(text.strip("${}")) if text.startswith("$") else None


def _waits(name: str, words: Sequence[ShellWord]) -> bool:
    """Return whether a program leaves the work to others, or its commands only wait."""
    texts = [word.text for word in words]
    if any(_ELSEWHERE.match(text) for text in texts):
        return True
    return name in _SEVERAL_NODES and any(piece in _WAITING for text in texts for piece in re.split(r"[\s;|&]+", text))


def _own_options(name: str, words: Sequence[ShellWord]) -> Sequence[ShellWord]:
    """Return a program's words without those of the command or the file that it runs."""
    if name not in _VALUED:
        return words
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text in _VALUED[name] else 1
    return words[:at]


def _values(name: str, options: list[str], words: Sequence[ShellWord]) -> Iterator[tuple[str, ShellWord, str]]:
    """Yield the command line, the word and the text of each value that these options have."""
    for at, word in enumerate(words):
        option = next((one for one in options if word.text == one or _glued(one, word.text)), "")
        if option and word.text != option:
            text = word.text.removeprefix(option).removeprefix("=")
            yield f"{name} {option} {text}", word, text
        elif option and at + 1 < len(words):
            yield f"{name} {option} {words[at + 1].text}", words[at + 1], words[at + 1].text


def _glued(option: str, text: str) -> bool:
    """Return whether a word is an option with its value."""
    if option.startswith("--"):
        return text.startswith(f"{option}=")
    return len(option) == 2 and bool(re.fullmatch(rf"{option}=?(?:\d+|\$\{{?\w+\}}?)", text))
