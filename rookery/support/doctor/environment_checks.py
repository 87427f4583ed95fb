"""Check variables and lines of start-up files that change what programs do outside rookery."""

from typing import TYPE_CHECKING

from rookery.core.name_lists import shortened
from rookery.remote.slurm import variables
from rookery.support.doctor.checks import CheckResults
from rookery.support.doctor.fix_commands import login, with_note
from rookery.support.doctor.inspection import HomeInspection

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

SHOWN = 6
"""How many are named."""

_BREAK = (
    (variables.SLURM, "sbatch and squeue use them instead of #SBATCH lines"),
    (variables.PACKAGES, "Python, R, pip and conda use other packages or folders"),
    (variables.SHELL, "scripts may behave differently"),
    (("HOME",), "programs look for your settings in another folder"),
)


def judge(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    """Check variables that start-up files set: where, and what they break outside rookery."""
    odd = places(home)
    lines = [f"`{text.strip()[:30]}` ({place})" for place, text in map(_line, home.values.get("odd-line") or [])]
    if not odd and not lines:
        results.ok("variables", "no problematic ones are set")
        return
    named = [*(f"{name} ({place})" if place else name for name, place in odd.items()), *lines]
    breaks = [words for patterns, words in _BREAK if any(_is_of(name, patterns) for name in odd)]
    if lines:
        breaks.append("scp, rsync and ssh commands may start in another folder, or stop early")
    message = f"{shortened(named, SHOWN)}. rookery ignores them; outside rookery, {'; '.join(breaks)}"
    results.warn("variables", message, with_note(login(cluster), "log in, and remove those that you do not need"))


def places(home: HomeInspection) -> dict[str, str]:
    """Return the variables that start-up files set, with `~/FILE, line N`; "" where no line names one."""
    place_of = {}
    for line in home.values.get("odd") or []:
        name, _, place = line.partition(" ")
        file, _, number = place.partition(":")
        place_of[name] = f"~/{file}, line {number}" if number.strip().isdigit() else ""
    return place_of


def _is_of(name: str, patterns: tuple[str, ...]) -> bool:
    return name in patterns or variables.matches(name, patterns)


def _line(entry: str) -> tuple[str, str]:
    """Return the place of a line, and its text, of `FILE:N:TEXT`."""
    file, _, rest = entry.partition(":")
    number, _, text = rest.partition(":")
    return f"~/{file}, line {number}", text
