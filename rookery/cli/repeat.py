"""Run a command that is about one cluster, or one job, for several of them.

One that only looks asks all clusters at the same time; any other takes them in turn.
"""

import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from rookery.clusters.cluster import NotApplicableError, require_user
from rookery.clusters.query import ClusterQuery
from rookery.core import console
from rookery.core.errors import RookeryError
from rookery.core.invocation import as_typed, explain, say
from rookery.core.options import Options
from rookery.homes import selection
from rookery.projects import config


def for_each(act: Callable[[Any], int | None], options: Options, what: str) -> int:
    """Carry a command out for each cluster or job that is named, and return the worst exit code.

    With `--json` the answers of several are one document: `{"clusters": {NAME: …}}`, or of jobs likewise.

    Args:
        act: The command, for one.
        options: What is asked for.
        what: The option that names them: `cluster` or `job`. Where one fails, the other clusters still follow; the
            other jobs don't.

    Raises:
        RookeryError: A cluster is not known; or a job failed.
    """
    values = _values(options, what)
    if len(values) < 2:
        return act(replace(options, **{what: values[0]}) if values else options) or 0  # type: ignore[type-var]
    codes: list[int] = []
    documents: dict[str, Any] = {}
    for value in values:
        single: Any = replace(options, **{what: value})  # type: ignore[type-var]
        if getattr(options, "json", False):
            code, documents[value] = _document(act, single)
        else:
            print(f"{value}:" if not codes else f"\n{value}:", flush=True)
            code = _guarded(act, single) if what == "cluster" else act(single) or 0
        codes.append(code)
    if documents:
        print(json.dumps({f"{what}s": documents}, indent=2))
    return max(codes)


def side_by_side(query: Callable[[Any], ClusterQuery[Any]], options: Any) -> int:
    """Ask several clusters at the same time, and show the answers in their order.

    With `--json` they are one document, `{"clusters": {NAME: …}}`; a cluster that failed has `error` and `next` there,
    one that has nothing to answer, where `all` are asked and others have, `skipped` and `next`.

    Args:
        query: Makes the question to one cluster.
        options: What is asked for.

    Returns:
        The exit code: 1 where a cluster failed.

    Raises:
        RookeryError: A cluster is not known.
    """
    from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

    queries: dict[str, ClusterQuery[Any]] = {}
    found: dict[str, Any] = {}
    for name in (names := _values(options, "cluster")):
        try:
            queries[name] = query(replace(options, cluster=name))
            require_user(queries[name].connection.cluster)
        except RookeryError as error:
            queries.pop(name, None)
            found[name] = error
    connections = [query.connection for query in queries.values()]
    found |= fabric_group.outcomes(connections, lambda connection: queries[connection.cluster.name].ask())
    is_answered = any(not isinstance(outcome, NotApplicableError) for outcome in found.values())
    skips = NotApplicableError if is_answered and "all" in options.cluster.split(",") else ()
    answers = _Answers(as_json=options.json)
    for name in names:
        if isinstance(failure := found[name], RookeryError):
            answers.fail(name, failure, is_skipped=isinstance(failure, skips))
        else:
            answers.add(name, queries[name], found[name])
    answers.end()
    return answers.code


class _Answers:
    """The answers of several clusters, shown one after another, or gathered in one document.

    Attributes:
        code: The exit code.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.code = 0
        self._documents: dict[str, Any] | None = {} if as_json else None
        self._gap = ""

    def add(self, name: str, query: ClusterQuery[Any], answer: Any) -> None:
        """Show an answer below the cluster's name."""
        try:
            if self._documents is not None:
                self._documents[name] = query.document(answer)
                return
            print(f"{self._gap}{name}:", flush=True)
            self._gap = "\n"
            query.show(answer)
        except RookeryError as error:  # of what it could not show
            self.fail(name, error)

    def fail(self, name: str, error: RookeryError, *, is_skipped: bool = False) -> None:
        """Show why there is no answer: in a line alone where that is no failure."""
        self.code = self.code if is_skipped else 1
        if self._documents is not None:
            key = "skipped" if is_skipped else "error"
            self._documents[name] = {key: as_typed(error.message), "next": as_typed(error.hint or "") or None}
            return
        named = console.named(name, error.message)
        if is_skipped:
            console.say(as_typed(named))
        else:
            sys.stdout.flush()
            say(explain(RookeryError(named, hint=error.hint, details=error.details)))
        self._gap = "\n"

    def end(self) -> None:
        """Print the document."""
        if self._documents is not None:
            print(json.dumps({"clusters": self._documents}, indent=2))


def _values(options: Any, what: str) -> Sequence[str]:
    """Return what is named, each once."""
    named = [value.strip() for value in getattr(options, what).split(",") if value.strip()]
    if what == "cluster" and "all" in named:
        if hasattr(options, "project"):  # a command about one project, for its clusters
            return config.load(options.project).clusters
        return selection.clusters("all", sandbox=options.sandbox)
    if what == "cluster" and len(named) > 1:
        return selection.clusters(",".join(named), sandbox=options.sandbox)
    return list(dict.fromkeys(named))


def _guarded(act: Callable[[Any], int | None], options: Any) -> int:
    try:
        return act(options) or 0
    except RookeryError as error:
        say(explain(error))
        return 1


def _document(act: Callable[[Any], int | None], options: Any) -> tuple[int, Any]:
    """Return the exit code, and the JSON document that the command printed, or its error."""
    output = io.StringIO()
    try:
        with redirect_stdout(output):
            code = act(options) or 0
        return code, json.loads(output.getvalue())
    except RookeryError as error:
        return 1, {"error": error.message, "next": as_typed(error.hint or "") or None}
