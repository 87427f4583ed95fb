"""The command `undo`: restore homes as they were before rookery, by their own ledgers alone.

A check shows first what is to be done, and the user is asked once. rookery/remote/apply/undo.py then does it, in one
command on the cluster.
"""

import getpass
import json
import platform
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rookery.clusters import connect
from rookery.clusters.login_node import answers, bundle, frame
from rookery.clusters.login_node import facts as probe
from rookery.core import console, invocation, locking, prompts
from rookery.core.errors import RookeryError
from rookery.homes import bashrc_guard, local_state, playbook, selection
from rookery.homes.options import UndoOptions
from rookery.jobs.interactive import compute_node_job

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

PATIENCE = 3600
"""Seconds that the work there may take: a full cache on a slow filesystem is carried file by file."""

STATES = ("removed", "restored", "left")
"""What becomes of a thing."""

_PLANNED = {"removed": "remove", "restored": "restore"}


@dataclass
class Account:
    """The result of an undo for one home.

    Attributes:
        state: ok, failed or unreachable.
        home: The home folder there.
        found: Whether there is anything of rookery's in it.
        outcomes: What becomes of each thing: kind, path, role, what, state (one of STATES), note.
        notes: What else there is to know.
        laptop: What becomes of what is on this side.
        error: What went wrong, a line.
        hint: What to do about it.
    """

    state: str = "ok"
    home: str = ""
    found: bool = False
    outcomes: list[Mapping[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    laptop: list[str] = field(default_factory=list)
    error: str = ""
    hint: str = ""

    def count(self, state: str) -> int:
        """Return how many things have this state."""
        return sum(outcome["state"] == state for outcome in self.outcomes)

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take in the answer of the apply program."""
        self.found, self.outcomes = bool(answer.get("found")), list(answer.get("outcomes") or [])
        self.notes = list(answer.get("notes") or [])
        if answer.get("failed"):
            self.fail(RookeryError(str(answer["msg"]), hint=str(answer.get("hint") or "") or None))

    def fail(self, error: RookeryError) -> None:
        """Note an error."""
        self.state, self.error, self.hint = "failed", error.message, error.hint or ""


def run(options: UndoOptions) -> int:
    """Undo what rookery did in homes.

    Returns:
        The exit code: 0 where every home is as it was, but for what the user has changed since; else 1.

    Raises:
        RookeryError: What stopped everything: a cluster that is not known, or nobody to ask.
    """
    names = selection.clusters(options.cluster, sandbox=options.sandbox)
    only = selection.roles(options.tags)
    if only and options.purge:
        raise RookeryError(
            "Use either --purge or --tags: --purge is for the whole home.",
            hint=_again(replace(options, purge=False)),
        )
    began = time.monotonic()
    accounts = {name: Account() for name in names}
    with ExitStack() as stack:
        homes = {}
        for name in names:
            try:
                stack.enter_context(locking.held(f"{name}.sandbox" if options.sandbox else name))
                homes[name] = _look(name, options, only, accounts[name])
            except RookeryError as error:
                if len(names) == 1:
                    raise
                accounts[name].fail(error)
        ready = {
            name: home
            for name, home in homes.items()
            if accounts[name].found and accounts[name].state == "ok" and home.has_anything_to_do(accounts[name])
        }
        if ready and not options.check:
            _ask(ready, accounts, options)
            for name, home in ready.items():
                home.carry_out(accounts[name], options)
    code = int(any(account.state != "ok" for account in accounts.values()))
    if options.json:
        _print_document(accounts, options, code, time.monotonic() - began)
    else:
        for name, account in accounts.items():
            _show(name, account, options)
    return code


@dataclass(frozen=True)
class Home:
    """A home that can be reached.

    Attributes:
        connection: The open connection to its cluster.
        facts: What its login node is like.
        only: Roles; all where empty.
        purge: Whether rookery's own record goes too.
        has_more: Whether there is something besides the home: a job to cancel, files on this computer to remove.
    """

    connection: "Connection"
    facts: Mapping[str, Any]
    only: tuple[str, ...]
    purge: bool
    has_more: bool = False

    def has_anything_to_do(self, account: Account) -> bool:
        """Return whether there is more than what the user has changed, which is kept."""
        return self.purge or self.has_more or account.count("left") < len(account.outcomes)

    def ask(self, *, check: bool) -> dict[str, Any]:
        """Have the home undone, or in check mode ask what would be.

        Raises:
            RookeryError: Nothing that could be read came back.
        """
        data, facts = self.connection.cluster.data, self.facts
        storage = facts.get("storage") or {}
        areas = {area["name"]: area for area in data.get("cluster_storage") or []}
        payload = {
            "run": {"id": playbook.run_id(), "who": getpass.getuser(), "laptop": platform.node()},
            "storage": list(storage.values()),
            "space": {storage[name]: free for name, free in (facts.get("free_mb") or {}).items() if name in storage},
            "grain": max(1, 1024 * int((areas.get("home") or {}).get("file_cost_kb") or 0)),
            "check": check,
            "only": list(self.only),
            "purge": self.purge,
        }
        line, standard_input = bundle.command(facts["python"], bundle.pack("apply.undo", payload))
        completed = self.connection.run(script=f"exec {line}", input=standard_input, timeout=PATIENCE, check=False)
        answer: dict[str, Any] | None = frame.last(
            completed.stdout, answers.apply_program, self.connection.cluster.name
        )
        if answer is None:
            last = (completed.stderr.strip() or completed.stdout.strip() or "no output").splitlines()[-1]
            raise RookeryError(
                f"{self.connection.cluster.name}: undo stopped on the login node (exit code {completed.exit}): {last}",
                hint="run the same command again to continue",
            )
        return answer

    def carry_out(self, account: Account, options: UndoOptions) -> None:
        """Undo the home; the results are in its account."""
        name = self.connection.cluster.name
        try:
            with console.waiting(f"Undoing the changes on {name}"):
                account.take(self.ask(check=False))
        except RookeryError as error:
            account.fail(error)
        if account.state == "ok" and not self.only:
            # not before: a window of VS Code that is open would start the next, were the home still set up
            account.notes += compute_node_job.leave(self.connection)
            account.laptop = local_state.forget(self.connection, purge=options.purge)


def _look(name: str, options: UndoOptions, only: tuple[str, ...], account: Account) -> Home:
    """Open the connection, and see what is to be undone.

    Raises:
        RookeryError: The cluster can't be reached, or has no Python any more.
    """
    connection = connect.connect(name, sandbox=options.sandbox)
    connection.open()
    with console.waiting(f"Checking your home on {name}"):
        bashrc_guard.repair(connection, check=options.check)
        data = connection.cluster.data
        facts = probe.read(connection.run(script=probe.command(probe.script(), data), timeout=120).stdout, data)
        account.home = facts["home"]
        if not facts["python"]:
            again = f"invoke setup {connection.cluster.argument} --tags cluster"
            raise RookeryError(
                f"undo needs Python 3.6 or later, and {facts['node']} has none.",
                hint=f"{again}   # installs one; then run the same command again",
            )
        home = Home(connection, facts, only, options.purge)
        account.take(home.ask(check=True))
    if account.state == "ok" and account.found and not only:
        jobs = compute_node_job.leave(connection, check=True)
        account.notes += jobs
        account.laptop = local_state.plan(connection, purge=options.purge)
        has_more = bool(jobs) or local_state.has_any(connection, purge=options.purge)
        return replace(home, has_more=has_more)
    return home


def _ask(ready: Mapping[str, Home], accounts: Mapping[str, Account], options: UndoOptions) -> None:
    """Print what will be undone, and ask for confirmation.

    Raises:
        RookeryError: Nobody is there to ask, or the answer is no.
    """
    if options.yes:
        return
    lines = [f"{name}: {_amounts(accounts[name], check=True)}" for name in ready]
    again = _again(options)
    if not prompts.is_interactive():
        raise RookeryError(
            f"{'; '.join(lines)}. Can't ask for confirmation without a terminal.",
            hint=f"{again} --yes   # or --check to list the changes",
        )
    for name, line in zip(ready, lines, strict=True):
        console.note(line)
        for note in _notes(accounts[name]):
            console.note(f"  {note}")
    if any(accounts[name].count("removed") for name in ready):
        console.note(
            "  Installed tools are removed with what was installed into them. Environments made with them stop working."
        )
    if not prompts.confirm("Undo these changes?"):
        raise RookeryError("Nothing was changed.", hint=f"{again} --check   # lists the changes")


def _again(options: UndoOptions) -> str:
    """Return the command with the options that decide what is undone."""
    return replace(options, check=False, json=False, yes=False).command("undo")


def _amounts(account: Account, *, check: bool) -> str:
    removed, restored, left = (account.count(state) for state in STATES)
    if not removed + restored:
        return "nothing left to undo" + (f", {left} kept" if left else "")
    verbs = ("to remove", "to restore", "to keep") if check else ("removed", "restored", "kept")
    amounts = zip((removed, restored, left), verbs, strict=True)
    return ", ".join(f"{count} {verb}" for count, verb in amounts if count)


def _notes(account: Account) -> list[str]:
    """Return notes for the user: what stays and why, and what is on this computer."""
    stays = [
        f"kept {_place(account, outcome)}: {outcome['note']}"
        for outcome in account.outcomes
        if outcome["state"] == "left"
    ]
    return [console.clean(line) for line in [*stays, *account.notes, *account.laptop]]


def _place(account: Account, outcome: Mapping[str, str]) -> str:
    path = outcome["path"]
    return f"~{path.removeprefix(account.home)}" if account.home and path.startswith(f"{account.home}/") else path


def _show(name: str, account: Account, options: UndoOptions) -> None:
    if account.state != "ok":
        console.note(console.named(name, account.error))
        if account.hint:
            console.note(f"  next: {invocation.as_typed(account.hint)}")
        return
    if not account.found:
        console.say(f"{name}: nothing to undo in {account.home}")
        return
    for outcome in account.outcomes if options.check else []:
        if outcome["state"] != "left":
            note = f": {outcome['note']}" if outcome["note"] else ""
            console.say(f"  {_PLANNED[outcome['state']]:<8} {_place(account, outcome)}{note}")
    for note in _notes(account):
        console.say(f"  {note}")
    end = (
        "; nothing was changed"
        if options.check
        else "; rookery's own records were removed too"
        if options.purge
        else ""
    )
    console.say(f"{name}: {_amounts(account, check=options.check)}{end}")


def _print_document(accounts: Mapping[str, Account], options: UndoOptions, code: int, seconds: float) -> None:
    clusters = {
        name: {**{state: account.count(state) for state in STATES}, **asdict(account)}
        for name, account in accounts.items()
    }
    print(
        json.dumps({"exit": code, "check": options.check, "seconds": round(seconds, 1), "clusters": clusters}, indent=2)
    )
