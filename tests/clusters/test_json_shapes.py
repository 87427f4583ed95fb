"""The documents that commands print with `--json` keep their shape: keys, and the types of what stands there.

Programs of users read them. A walk through all commands that have `--json`, on a miniature of HEC, is compared with
tests/data/snapshots/json.txt, a line for each place in a document; ROOKERY_SNAPSHOTS=write writes it anew.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import snapshots
from laptops import NO_TOOLS, ROOKERY, Laptop, laptop
from live import Live
from waiting import wait_for

from rookery.jobs.run_job.progress import STEPS

pytestmark = pytest.mark.cluster

OF_DATA = {
    *("clusters", "command", "values"),  # names of clusters, and of settings
    *("free_mb", "free_gpus", "gpus", "storage", "tools", "writable"),  # names of places, of GPUs and of programs
    *("environments", "files", "links_outwards", "paths", "unread"),  # paths, and what they are called
    "packages",  # of Python and R
    *("jobs", "kept", "not", "rows[]"),  # names and numbers of jobs, commits, columns of a table
    *("inputs", "inputs_differ"),  # paths of input data
    "race",  # clusters
    "parts",  # of a job that runs in parts, empty for others
    "parameters",  # names of parameters
    "secrets",  # paths of files
    *("cancelled_by", "counts", "exits", "reasons", "tasks"),  # states, users, exit statuses
}
"""Keys whose mappings have keys that are data; with [], those whose lists have such mappings."""

OF_ANY_TYPE = {
    *("in_profile", "on_cluster", "value"),  # of a setting
    "memory_peak_task",  # null where Slurm has not measured any
}

PROJECT = {
    "rookery.yml": """\
name: krill
clusters: [hec]
environment: {python: none}
outputs: [slurm_logs, results]
inputs: [data]
jobs:
  fit:
    template: sweep
    command: sh fit.sh {task} {row}
    params: params.csv
    memory: 50M
    time: 00:05:00
  spin:
    command: python3 spin.py {cpus}
    memory: 50M
    time: 00:05:00
  nap:
    command: sleep 300
    memory: 50M
    time: 00:05:00
""",
    ".gitignore": "slurm_logs/\nresults/\nruns/\ncombined.csv\ndata/\n",
    "params.csv": "size\n1\n2\n",
    "fit.sh": """\
[ -e ~/mended ] || [ "$1" = 1 ] || exit 1
printf 'got\\n%s\\n' "$3" >results/fit_$1.csv
""",
    "spin.py": "import time\nuntil = time.time() + 1\nwhile time.time() < until:\n    pass\n",
    "own.sh": "#!/bin/bash\n#SBATCH --time=00:05:00\n#SBATCH -p nowhere\nsleep 1 &\n",
    "own.pbs": "#PBS -l walltime=00:05:00,mem=1gb\n#PBS -q workq\ncd $PBS_O_WORKDIR\nhostname\n",
    "students.yml": "- {name: Ada, email: ada@example.ac.uk, clusters: hec, project: krill, language: python}\n",
}


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "text"


def shape(values: Sequence[Any], place: str = "", key: str = "") -> Iterator[str]:
    """Yield the shape of what stands at one place of a document, a line for each place below it.

    Args:
        values: What stands there, in each element of the lists above it.
        place: Where that is: `clusters.*.outcomes[].kind`. A `?` follows a key that not all elements have.
        key: The last key above it, with [] for an element of its list.
    """
    if key in OF_ANY_TYPE:
        yield f"{place}: anything"
        return
    if plain := {kind(value) for value in values if not isinstance(value, dict | list)}:
        yield f"{place}: {' | '.join(sorted(plain))}"
    if lists := [value for value in values if isinstance(value, list)]:
        elements = [element for value in lists for element in value]
        yield from shape(elements, f"{place}[]", f"{key}[]") if elements else [f"{place}[]: nothing"]
    if mappings := [value for value in values if isinstance(value, dict)]:
        yield from shape_of_mappings(mappings, f"{place}." if place else "", key)


def shape_of_mappings(mappings: Sequence[dict[str, Any]], above: str, key: str) -> Iterator[str]:
    if key in OF_DATA:
        values = [value for one in mappings for value in one.values()]
        yield from shape(values, f"{above}*") if values else [f"{above}*: nothing"]
        return
    names = sorted({name for one in mappings for name in one})
    assert names, f"{above} is empty: are its keys data?"
    for name in names:
        there = [one[name] for one in mappings if name in one]
        yield from shape(there, f"{above}{name}{'?' if len(there) < len(mappings) else ''}", name)


@dataclass
class Walk:
    """A user's way through the commands.

    Attributes:
        person: The user.
        root: The project's folder.
        lines: The shapes so far, as they stand in the snapshot.
    """

    person: Laptop
    root: Path
    lines: list[str] = field(default_factory=list)

    def quietly(self, *words: str, code: int = 0) -> Any:
        """Run a command, and return its document."""
        done = subprocess.run(
            [str(ROOKERY), *words, "--json"],
            env=self.person.environment, cwd=self.root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def say(self, *words: str, code: int = 0, where: str = "") -> Any:
        """Run a command, and write its document's shape down.

        Args:
            words: The command and its arguments.
            code: What it must end with.
            where: What it finds, for the reader of the snapshot.
        """
        document = self.quietly(*words, code=code)
        line = " ".join("NUMBER" if word.isdigit() else word for word in words)
        self.note(f"rookery {line} --json{f'  # {where}' if where else ''}", document)
        return document

    def note(self, command: str, document: Any) -> None:
        self.lines += ["", f"$ {command}", *(f"  {line}" for line in shape([document]))]

    def job(self, number: str) -> Any:
        [told] = self.quietly("jobs", number)["jobs"]
        return told

    def wait(self, number: str, over: Callable[[Any], object]) -> None:
        """Wait until what `jobs` says of a job is like this."""
        wait_for(lambda: over(self.job(number)))

    def commit(self) -> None:
        """Commit all of the project; each time makes a commit."""
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all", "--allow-empty"]):
            who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
            subprocess.run(["git", *who, *words], cwd=self.root, env=self.person.environment, check=True)


def test_the_shapes(hec: Live) -> None:
    person = laptop(hec, "shapes-ada", settings=NO_TOOLS)
    walk = Walk(person, person.home / "krill")
    walk.root.mkdir()
    for name, text in PROJECT.items():
        (walk.root / name).write_text(text)
    home(walk)
    surroundings(walk, hec)
    runs(walk)
    speed(walk)
    existing_code(walk)
    support(walk)
    end(walk)
    snapshots.same("json.txt", "\n".join(walk.lines[1:]) + "\n")


def home(walk: Walk) -> None:
    walk.say("login", "--cluster", "hec")
    walk.say("status", "--cluster", "hec", code=3, where="a home that is not set up")
    walk.say("setup", "--cluster", "hec", "--check")
    walk.say("setup", "--cluster", "hec", "--timings")
    walk.say("setup", "--cluster", "hec", where="a home that is set up")
    walk.say("status", "--cluster", "hec", where="a home that is set up")
    walk.person.says("echo '# more' >>~/.config/rookery/env.sh")
    walk.say("status", "--cluster", "hec", code=3, where="a home that was changed")


def surroundings(walk: Walk, hec: Live) -> None:
    walk.say("clusters")
    walk.say("clusters.search", "sheffield")
    walk.say("clusters.show", "hec")
    walk.say("clusters.check", "hec", code=1)
    walk.say("queue", "--cluster", "hec")
    walk.say("quota", "--cluster", "hec")
    done = subprocess.run(
        [str(ROOKERY), "sandbox.list", "--json"],
        env={**walk.person.environment, **hec.environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    walk.note("rookery sandbox.list --json", json.loads(done.stdout))
    old, new = (f"~/.vscode-server/cli/servers/Stable-{name * 40}" for name in "ab")
    walk.person.says(f"mkdir -p {old} {new}; touch -d 2020-01-01 {old}/x {old}; touch {new}/x")
    walk.say("vscode.prune", "--cluster", "hec", "--yes")
    (walk.person.home / ".config/Code/User").mkdir(parents=True)
    walk.say("vscode.settings", "--cluster", "hec")


def runs(walk: Walk) -> None:
    walk.say("lint", code=1)
    walk.say("lint", "--fix", code=1)
    walk.say("lint", "--translate", "own.pbs")
    walk.commit()
    (walk.root / "data").mkdir()
    (walk.root / "data/a.csv").write_text("1\n")
    walk.say("data.push", "--check")
    walk.say("data.push")
    walk.say("deploy", "--check")
    walk.say("deploy", "--yes")
    (walk.root / "data/a.csv").write_text("2\n")
    walk.say("deploy", where="its data differs from what is here")
    walk.say("data.list")
    walk.say("data.verify")
    walk.say("data.push")
    walk.say("data.rm", "data", "--unused", "--check")
    walk.say("data.rm", "data", "--unused", "--yes")
    walk.say("submit", "fit", "--check")

    number = walk.say("submit", "fit")["id"]
    walk.wait(number, lambda job: len(job["counts"]) == 2 and job["exits"])
    walk.say("jobs", number, where="a task has failed")
    walk.person.says("touch ~/mended")
    again = walk.say("submit", "--failed", number, "--wait")["id"]
    walk.say("jobs", again, where="all tasks have succeeded")

    nap = walk.say("submit", "nap", "--after", again)["id"]
    walk.wait(nap, lambda job: job["state"] == "running")
    walk.say("cancel", nap, "--yes")
    walk.wait(nap, lambda job: job["cancelled_by"])
    walk.say("jobs", nap, where="cancelled")
    walk.say("jobs")

    walk.say("fetch", number, "--check")
    walk.say("fetch")
    (walk.root / "results/fit_1.csv").write_text("got\nmine\n")
    walk.say("fetch", where="a file was changed here")
    walk.say("combine", number)
    walk.say("runs")
    walk.say("runs", again)
    walk.say("runs", number, again, "--diff", code=1)
    walk.say("reproduce", nap, "--check", where="a run that started after another")
    walk.say("reproduce", again)
    (walk.root / "results/fit_1.csv").unlink()
    for word in ("--check", "--yes"):
        document = walk.quietly("run", "fit", word)
        own = {key: value for key, value in document.items() if key not in STEPS}
        walk.note(f"rookery run fit {word} --json  # beside the documents of its steps", own)

    walk.commit()
    walk.say("deploy", "--yes", "--prune")
    for path in ("current/.rookery/release.json", f"runs/{number}.json"):
        document = json.loads(walk.person.says(f"cat ~/projects/krill/{path}"))
        walk.note(f"cat ~/projects/krill/{path.replace(number, 'NUMBER')}", document)


def speed(walk: Walk) -> None:
    for flags in (["--check"], []):
        walk.say("scale", "spin", "--cpus", "1,2", *flags)
        walk.say("profile", "spin", *flags)


def existing_code(walk: Walk) -> None:
    folder = walk.root.parent / "code"
    folder.mkdir()
    (folder / "requirements.txt").write_text("numpy\n")
    (folder / "fit.py").write_text("print(1)\n")
    walk.say("init", "../code", "--cluster", "hec", "--check")
    walk.say("init", "../code", "--cluster", "hec", "--yes")


def support(walk: Walk) -> None:
    walk.say("doctor", "--cluster", "hec", "--report")
    (walk.root / "reports").mkdir()
    (walk.root / "rookery-report.txt").rename(walk.root / "reports/ada.txt")
    walk.say("cohort", "students.yml", "--reports", "reports")


def end(walk: Walk) -> None:
    walk.say("undo", "--cluster", "hec", "--check")
    walk.say("undo", "--cluster", "hec", "--yes", "--purge")
    walk.say("undo", "--cluster", "hec", "--yes", where="nothing of rookery's")
    walk.say("logout", "--cluster", "hec")
