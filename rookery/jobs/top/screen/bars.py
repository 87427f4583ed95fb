"""The lines around a page: what stands where, problems of clusters, the command line that does the same."""

import time
from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from rookery.core.console import named
from rookery.core.invocation import as_typed
from rookery.jobs.monitor.efficiency import clock
from rookery.jobs.top.state import ANSWERS, ASKING, LATE, LOGIN, NO_SLURM, NO_USER, ClusterState, Query, totals

PROBLEMS = 3
"""Problems of clusters that have a line each."""


class TextLine(Static):
    """A line of text that may come from a cluster: nothing in it is taken for markup."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name for it
        super().__init__(id=id, markup=False)
        self._text = Text()

    def show(self, text: Text | str) -> None:
        """Show a text, where it is another one than before."""
        text = text if isinstance(text, Text) else Text(text)
        if (text.plain, text.spans) != (self._text.plain, self._text.spans):
            self._text = text
            self.update(text)


def summary(clusters: Sequence[ClusterState], query: Query, shown: int) -> Text:
    """Return the first line: how many jobs there are, which of them are shown."""
    line = Text("rookery top", style="bold")
    line.append(f"  {totals(clusters)}", style="not bold")
    chosen = [f'filter "{query.text}"'] * bool(query.text) + ["failed"] * query.failed
    if chosen:
        line.append(f"  {' and '.join(chosen)}: {shown}", style="not bold yellow")
    return line


def standing(clusters: Sequence[ClusterState], now: float) -> Text:
    """Return a line that names each cluster and how it stands."""
    return Text("  ").join(_short(cluster, now) for cluster in clusters)


def problems(clusters: Sequence[ClusterState], now: float) -> Text:
    """Return a line for each cluster with a problem, as long as there is room."""
    lines = []
    for cluster in clusters:
        if cluster.status == ANSWERS and cluster.age(now) > LATE:
            lines.append(f"{cluster.name}: no answer for {clock(cluster.age(now))}")
        elif cluster.problem:
            again = (
                " L logs in." if cluster.status == LOGIN else f" Next: {as_typed(cluster.hint)}" * bool(cluster.hint)
            )
            lines.append(f"{named(cluster.name, cluster.problem.rstrip('.'))}.{again}")
    if len(lines) > PROBLEMS:
        lines[PROBLEMS - 1 :] = [f"{len(lines) - PROBLEMS + 1} more clusters with problems"]
    return Text("\n".join(lines), style="red")


def _short(cluster: ClusterState, now: float) -> Text:
    if cluster.status == ASKING:
        return Text(f"{cluster.name} …", style="dim")
    if cluster.status == NO_SLURM:
        return Text(f"{cluster.name} no queue", style="dim")
    if cluster.status == NO_USER:
        return Text(f"{cluster.name} no username", style="dim")
    if cluster.status != ANSWERS:
        word = "needs a login" if cluster.status == LOGIN else "does not answer"
        return Text(f"{cluster.name} {word}", style="bold red")
    late = cluster.age(now) > LATE
    keeps_none = bool(cluster.snapshot and cluster.snapshot.keeps_none)  # those that ended go from the list
    text = f"{cluster.name} {len(cluster.rows)}{' no accounting' * keeps_none}{' late' * late}"
    return Text(text, style="bold red" if late else "")


def command_line(command: str) -> Text:
    """Return the line that shows the command which does what the screen does."""
    return Text(f"$ {command}", style="dim")


def now() -> float:
    """Return the time here, which tests may change."""
    return time.time()
