"""What a fetch has brought, as it is printed and as a document."""

import json as json_
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.core import console, invocation, sizes
from rookery.core.quantities import counted
from rookery.jobs import run_facts

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection
    from rookery.jobs.options import FetchOptions
    from rookery.jobs.results.archive import File
    from rookery.jobs.results.download import Plan
    from rookery.jobs.results.remote_listing import RemoteListing
    from rookery.jobs.results.sync.command import SyncResult

NAMED = 5
"""How many files are named; of the others only the number."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch has brought, or with --check would bring.

    Attributes:
        options: What was asked for.
        connection: To the cluster.
        listing: What there is.
        plan: What was to be fetched, and what stays.
        brought: The files that came.
        root: The project's folder.
        outputs: The folders that were looked into.
        synced: Runs of wandb and mlflow that were uploaded; None where that was not asked for.
    """

    options: "FetchOptions"
    connection: "Connection"
    listing: "RemoteListing"
    plan: "Plan"
    brought: Sequence["File"]
    root: Path
    outputs: Sequence[str]
    synced: "SyncResult | None" = None

    @property
    def code(self) -> int:
        """1 where a file could not be fetched; files that were kept as the user's don't count."""
        plan, check = self.plan, self.options.check
        is_short = len(self.brought) < len(plan.bring) and not check
        return int(bool(plan.refused or is_short or (self.synced and self.synced.failed)))

    @property
    def files(self) -> list["File"]:
        """The files for the user: those that came, or would come."""
        files = self.plan.bring if self.options.check else self.brought
        return [file for file in files if not run_facts.is_one(file.path)]

    @property
    def absent(self) -> list[str]:
        """Paths of the files that were to come and had gone."""
        if self.options.check:
            return []
        came = {file.path for file in self.brought} | {path for path, _ in self.plan.refused}
        return sorted({file.path for file in self.plan.bring} - came)

    def document(self) -> dict[str, Any]:
        """Return the document for --json."""
        document: dict[str, Any] = {
            "cluster": self.connection.cluster.name,
            "check": self.options.check,
            "brought": [file.path for file in self.files],
            "bytes": sum(file.size for file in self.files),
            "here": self.plan.here,
            "kept": [{"path": path, "why": why} for path, why in self.plan.kept],
            "refused": [{"path": path, "why": why} for path, why in self.plan.refused],
            "gone": self.absent,
            "links": list(self.listing.links),
            "not_there": [*self.listing.missing, *self.listing.gone],
        }
        if self.synced:
            failures = [{"run": run, "why": why} for run, why in self.synced.failed]
            document |= {"synced": self.synced.synced, "not_synced": failures, "notes": self.synced.notes}
        return document

    def show(self) -> None:
        """Print what came; offer to add results to .gitignore."""
        if self.options.json:
            print(json_.dumps(self.document(), indent=2))
            return
        _print_report(self)
        if self.brought:
            from rookery.jobs.results import ignore_offer  # noqa: PLC0415 start-up

            ignore_offer.make(self.root, self.outputs)


def cluster_flags(options: "FetchOptions", connection: "Connection", *, project: bool = True) -> str:
    """Return the flags that mean the same cluster, and the same project, with a blank before each."""
    cluster = connection.cluster
    flags = f" {cluster.option}"
    return flags + (f" --project {shlex.quote(options.project)}" if options.project and project else "")


def _print_report(fetched: Fetched) -> None:
    """Print what came, what is kept, and what could not come."""
    options, connection, listing, plan = fetched.options, fetched.connection, fetched.listing, fetched.plan
    files, total = fetched.files, sum(file.size for file in fetched.files)
    would = "Would fetch " if options.check and files else ""
    amount = f" ({sizes.of_bytes(total)})" if files else ""
    present = f", {plan.here:,} unchanged" if plan.here else ""
    updated = sum(file.path in plan.updated for file in files)
    console.say(f"{would}{_count(len(files) - updated, updated)}{amount} from {connection.cluster.name}{present}")
    if beside := sorted({file.path for file in files} & set(plan.beside)):
        console.say(f"  {len(beside):,} beside another cluster's files of the same name, such as {shown(beside[0])}")
    for output in listing.missing:
        deploy = invocation.as_typed(f"invoke deploy{cluster_flags(options, connection)}")
        console.say(f"  {console.clean(output)}: not in the release there yet; {deploy} creates it")
    for output in listing.gone:
        console.say(f"  {console.clean(output)}: an output of run {options.job} alone, whose release was removed")
    _print_named("kept your version", plan.kept, advice="delete or rename {} to fetch the cluster's")
    _print_named(
        "not fetched", [*plan.refused, *((path, "deleted, or still being written") for path in fetched.absent)]
    )
    _print_named("skipped", [(path, "a link") for path in listing.links])
    if fetched.synced:
        _print_synced(fetched.synced)


def _print_synced(synced: "SyncResult") -> None:
    """Print which runs were uploaded, and which will be tried again."""
    if synced.synced:
        console.say(f"Synced {counted(len(synced.synced), 'run')}")
    _print_named("not synced", synced.failed, advice="the next fetch --sync tries {} again")
    console.say(*(f"  {line}" for line in synced.notes))


def _count(new: int, updated: int) -> str:
    """Return how many files are new, and how many replace an older version here."""
    if updated and not new:
        return f"{updated:,} updated file{'' if updated == 1 else 's'}"
    count = f"{new:,}" if new else "No"
    return f"{count} new file{'' if new == 1 else 's'}" + (f", {updated:,} updated" if updated else "")


def _print_named(what: str, entries: Iterable[tuple[str, str]], *, advice: str = "") -> None:
    """Print the first few of some files, with the reason, and once what can be done about them."""
    files = list(entries)
    if not files:
        return
    remark = f"; {advice.format('it' if len(files) == 1 else 'them')}" if advice else ""
    if len(files) == 1:
        path, why = files[0]
        console.say(f"  {what}: {shown(path)} ({console.clean(why)}){remark}")
        return
    console.say(f"  {what} of {len(files):,} files{remark}:" if advice else f"  {what}, {len(files):,} files:")
    for path, why in files[:NAMED]:
        console.say(f"    {shown(path)} ({console.clean(why)})")
    if len(files) > NAMED:
        console.say(f"    … and {len(files) - NAMED:,} more")


def shown(path: str | Path) -> str:
    """Return a path fit for a terminal: line breaks, and bytes that are not UTF-8, as escapes."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return console.clean(text.replace("\n", "\\n"))
