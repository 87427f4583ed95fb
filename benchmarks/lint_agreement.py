"""Compare lint with Slurm itself: all scripts of a folder go to lint, and to `sbatch --test-only` on miniatures.

.venv/bin/python benchmarks/lint_agreement.py FOLDER [CLUSTER...] [--slurm VERSION]

A script that is called CLUSTER-NAME is for that cluster alone, all others are for each cluster named (HEC, where none
is). Printed is where both disagree, and a table: scripts that sbatch refuses, as predicted by lint or missed by it, and
scripts that it accepts, where lint is silent or falsely says that sbatch rejects them. The exit code is 1 where a
script is missed, or has a false alarm. A miniature has at most two nodes of each kind, and refuses jobs with more.
"""

import base64
import io
import json
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import harness
import yaml

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import library, profile
from rookery.jobs.lint import Finding, check, discovery
from rookery.jobs.lint.harmful_fixes import HIDDEN
from rookery.jobs.lint.rules import table as rules
from rookery.jobs.lint.script.project_files import Surroundings

Outcome = Literal["predicted", "missed", "false alarm", "silent"]
OUTCOMES: Final[Sequence[Outcome]] = ("predicted", "missed", "false alarm", "silent")
DISAGREEMENTS: Final[Sequence[Outcome]] = ("missed", "false alarm")
SHIPPED: Final = ("penguins", "hec", "bede", "hex")
"""Clusters whose profiles are not in the library."""
_REFUSED = {rule.code: rule.refused for rule in rules.RULES}
_ASK = r"""
folder=$(mktemp -d) && cd "$folder" && tar -x || exit 1
for script in *; do
    answer=$(sbatch --test-only "$script" 2>&1 </dev/null)
    printf '%s %s\n' "$script" "$(printf %s "$answer" | base64 -w 0)"
done
cd / && rm -r "$folder"
"""
"""What a login node runs: it takes a tar archive of scripts, and prints a line for each, with what sbatch says."""


@dataclass(frozen=True)
class Answer:
    """What `sbatch --test-only` says of a script.

    Attributes:
        text: Its output.
    """

    text: str

    @property
    def accepted(self) -> bool:
        """Whether sbatch would take the script."""
        return " to start at " in self.text

    @property
    def summary(self) -> str:
        """The first line that says something."""
        return next((line for line in self.text.splitlines() if line.strip()), "nothing")


@dataclass(frozen=True)
class Comparison:
    """A script in both views.

    Attributes:
        name: The script.
        answer: What sbatch says.
        findings: What lint says.
    """

    name: str
    answer: Answer
    findings: Sequence[Finding]

    @property
    def alarms(self) -> list[Finding]:
        """Findings that are wrong where sbatch accepts the script."""
        return [item for item in self.findings if item.severity == "error" and _says_refused(item)]

    @property
    def outcome(self) -> Outcome:
        """How the two agree; a warning on an option (RK2) predicts nothing, unless it says so."""
        if self.answer.accepted:
            return "false alarm" if self.alarms else "silent"
        return "predicted" if any(map(_predicts, self.findings)) else "missed"

    def __str__(self) -> str:
        """Return a line for the reader."""
        codes = ", ".join(f"{item.code} in line {item.line}" for item in self.alarms or self.findings) or "nothing"
        return f"{self.outcome}: {self.name}: sbatch says: {self.answer.summary}; lint says: {codes}"


def _says_refused(finding: Finding) -> bool:
    """Return whether a finding says that sbatch rejects the script: by its rule, or in its own words."""
    return _REFUSED[finding.code] == "always" or any(
        words in finding.why for words in ("rejects the script", "rejects it")
    )


def _predicts(finding: Finding) -> bool:
    """Return whether a finding may be the reason why sbatch rejects a script."""
    is_warning_on_option = finding.severity == "warning" and finding.code.startswith("RK2")
    if is_warning_on_option and finding.code not in HIDDEN:  # the site may require an option on a line that is not read
        return "reject" in finding.why
    return _REFUSED[finding.code] != "never"


def ask(ssh: Sequence[str], scripts: Mapping[str, bytes]) -> dict[str, Answer]:
    """Return what sbatch says of each script, asked in one command.

    Args:
        ssh: The command that runs another one on the login node.
        scripts: The scripts by name.
    """
    if not scripts:
        return {}
    names = dict(zip((f"{number:05}" for number in range(len(scripts))), scripts, strict=True))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for number, name in names.items():
            entry = tarfile.TarInfo(number)
            entry.size = len(scripts[name])
            tar.addfile(entry, io.BytesIO(scripts[name]))
    done = subprocess.run(
        [*ssh, f"bash -c {shlex.quote(_ASK)}"], input=archive.getvalue(), stdout=subprocess.PIPE, check=True
    )
    answers = dict(line.partition(" ")[::2] for line in done.stdout.decode().splitlines())
    texts = {names[number]: base64.b64decode(text).decode(errors="replace") for number, text in answers.items()}
    if lost := [text for text in texts.values() if "slurm controller" in text and "contact" in text]:
        raise RuntimeError(lost[0])
    return {name: Answer(text) for name, text in texts.items()}


def as_user(cluster: Cluster, version: str = "") -> Cluster:
    """Return a cluster as it is in the settings of a user of its miniature: with the account that jobs are charged to.

    Args:
        cluster: The cluster of the profile.
        version: The miniature's Slurm, as sbatch's options differ by version; "" for that of the profile.
    """
    data = dict(cluster.data)
    account = data.get("cluster_account") or {}
    if account.get("required"):
        data["cluster_account"] = {**account, "name": account.get("name") or account.get("example", "project")}
    if version:
        data["cluster_slurm"] = version
    return replace(cluster, data=MappingProxyType(data))


def findings_in(file: Path, cluster: Cluster) -> list[Finding]:
    """Return what lint says of a script."""
    place = Surroundings(file.parent)
    return check(discovery.text_of(file), cluster, path=file.name, files=place.files, folder=place.folder)


def compare(files: Iterable[Path], cluster: Cluster, ssh: Sequence[str]) -> list[Comparison]:
    """Return how lint and sbatch see these scripts.

    Args:
        files: The scripts.
        cluster: The cluster whose rules lint applies.
        ssh: The command that runs another one on its login node.
    """
    by_name = {str(file): file for file in files}
    answers = ask(ssh, {name: file.read_bytes() for name, file in by_name.items()})
    return [Comparison(name, answers[name], findings_in(file, cluster)) for name, file in by_name.items()]


def report(comparisons: Mapping[str, Sequence[Comparison]]) -> Iterator[str]:
    """Yield the lines that are printed: where lint and sbatch disagree, and the table.

    Args:
        comparisons: All scripts, by cluster.
    """
    for cluster, of_cluster in comparisons.items():
        yield from (f"{cluster}: {item}" for item in of_cluster if item.outcome in DISAGREEMENTS)
    yield ""
    yield "| cluster | refused, predicted | refused, missed | accepted, false alarm | accepted, silent |"
    yield "| --- | --- | --- | --- | --- |"
    for cluster, of_cluster in comparisons.items():
        counts = Counter(item.outcome for item in of_cluster)
        yield f"| {cluster} | {' | '.join(str(counts[outcome]) for outcome in OUTCOMES)} |"


def for_cluster(files: Iterable[Path], cluster: str) -> list[Path]:
    """Return the scripts that are for a cluster: those with its name, and those with no cluster's."""
    known = {*SHIPPED, *library.names()}
    owners = {file: {name for name in known if file.name.startswith(f"{name}-")} for file in files}
    return [file for file, names in owners.items() if not names or cluster in names]


def _of_library(name: str, home: Path) -> list[Path] | None:
    """Put the library's profile of a cluster into an inventory in this home; return where it is, None for no such."""
    file = library.file(name)
    if file is None:
        return None
    inventory = home / ".config/rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    shutil.copy(file, inventory / "host_vars")
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {name: {}}}}))
    return [inventory]


def main(arguments: Sequence[str]) -> int:
    """Compare the scripts of a folder on each cluster; return the exit code."""
    words = list(arguments)
    slurm = words.pop(words.index("--slurm") + 1) if "--slurm" in words[:-1] else ""
    folder, *clusters = [word for word in words if not word.startswith("--")] or [""]
    if not folder or not Path(folder).is_dir():
        print(f"No folder {folder!r}: name that of the scripts.", file=sys.stderr)
        return 2
    files = [file for file, _ in discovery.within(Path(folder))]
    comparisons = {}
    for name in clusters or ["hec"]:
        with tempfile.TemporaryDirectory(prefix="rookery-") as top:
            inventory = _of_library(name, Path(top))
            cluster = profile.load(name, inventory, own_ssh=False)
            with harness.miniature(name, set_up=False, home=Path(top), slurm=slurm) as sandbox:
                ssh = ["ssh", "-F", str(sandbox / "ssh_config"), name]
                version = json.loads((sandbox / f"{name}.json").read_text())["slurm"]
                comparisons[name] = compare(for_cluster(files, name), as_user(cluster, version), ssh)
    print("\n".join(report(comparisons)))
    wrong = [item for of_cluster in comparisons.values() for item in of_cluster if item.outcome in DISAGREEMENTS]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
