"""lint and the real sbatch agree on the collection of job scripts, and `--fix` makes no script worse for sbatch.

All scripts of a cluster are asked about in one command. ROOKERY_LIBRARY says which clusters (library_sample.py).
"""

from collections.abc import Callable, Iterator, Mapping

import library_profiles
import pytest
from library_sample import SHIPPED, chosen
from lint_agreement import Comparison, as_user, ask, findings_in
from lint_scripts import ALL, Script
from live import Live, alone
from projects import known

from rookery.jobs import lint

pytestmark = pytest.mark.cluster

NAMES = sorted({script.cluster for script in ALL})
VARIANTS: Mapping[str, Callable[[str], str]] = {
    "with Windows line ends": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    "behind a byte order mark": lambda text: f"\ufeff{text}",
    "without the last line end": lambda text: text.rstrip("\r\n"),
    "without its first line": lambda text: text.partition("\n")[2],
    "with an option that is misspelt": lambda text: text.replace("#SBATCH ", "#SBATCH --job_name=x ", 1),
    "with an option below the first command": lambda text: f"{text}\n#SBATCH --time=00:05:00\n",
    "with a misspelt mark": lambda text: text.replace("#SBATCH", "#SBACTH", 1),
    "with an option that has one dash": lambda text: text.replace("#SBATCH ", "#SBATCH -error=x.log ", 1),
    "with an option that has one dash and no value": lambda text: text.replace(
        "#SBATCH ", "#SBATCH -output\n#SBATCH ", 1
    ),
    "with a typographic dash": lambda text: text.replace("#SBATCH ", "#SBATCH \u2013output_file=x.log ", 1),
    "with misspelt marks": lambda text: text.replace("#SBATCH", "#SBACTH"),
}
"""What `--fix` is tried on besides the scripts themselves, made from every fourth of them."""


@pytest.fixture(scope="module", params=chosen(SHIPPED, NAMES))
def cluster(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A miniature of each cluster."""
    name = str(request.param)
    with alone(name, profile=library_profiles.data(name) if name in library_profiles.NAMES else None) as live:
        yield live


def _scripts(cluster: Live) -> list[Script]:
    return [script for script in ALL if script.cluster == cluster.miniature.name]


def test_lint_and_sbatch_agree(cluster: Live) -> None:
    scripts = _scripts(cluster)
    answers = ask(cluster.ssh_command, {script.name: script.path.read_bytes() for script in scripts})
    refused = {script.name: answers[script.name].text for script in scripts if not answers[script.name].accepted}
    assert set(refused) == {script.name for script in scripts if not script.accepted}, refused
    rules = as_user(known(cluster.miniature.name), cluster.miniature.slurm)
    compared = [Comparison(script.name, answers[script.name], findings_in(script.path, rules)) for script in scripts]
    wrong = [item for item in compared if item.outcome in {"missed", "false alarm"}]
    assert wrong == [], "\n".join(map(str, wrong))


def test_fix_makes_nothing_worse_for_sbatch(cluster: Live) -> None:
    rules = as_user(known(cluster.miniature.name), cluster.miniature.slurm)
    scripts = _scripts(cluster)
    texts = {script.name: script.text for script in scripts}
    texts |= {f"{script.name} {what}": VARIANTS[what](script.text) for script in scripts[::4] for what in VARIANTS}
    pairs = {name: (text, lint.fix(text, rules, path="job.sh", files=lambda _: None)) for name, text in texts.items()}
    before, after = (
        {name: pair[side].encode("utf-8", "surrogateescape") for name, pair in pairs.items() if len(set(pair)) > 1}
        for side in (0, 1)
    )
    was, now = (ask(cluster.ssh_command, scripts) for scripts in (before, after))
    worse = {name: now[name].text for name in was if was[name].accepted and not now[name].accepted}
    assert worse == {}
    assert any(not was[name].accepted and now[name].accepted for name in was)
