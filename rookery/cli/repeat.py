"""Run a command that is about one cluster, or one job, for several of them in turn."""

import io
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

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
