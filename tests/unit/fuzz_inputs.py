"""What the fuzzed readers share: a good record of a run, and what may come of any input."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

from fuzzing import in_time

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.jobs import run_record
from rookery.jobs.run_record import RunRecord

CONNECTION = cast("Any", SimpleNamespace(cluster=profile.load("hec")))
COMMIT = "c0ffee" * 6 + "c0de"
MADE = json.loads(
    run_record.text(
        RunRecord(
            "simulate", "12", "hec", project="seals", commit=COMMIT, base=COMMIT, array="1-3%2", rows=({"n": "1"},),
            environment={"digest": "ab", "paths": {"python": "/p"}}, modules=("R/4.3.1",), outputs=("results",),
            when="2026-11-22T10:00:00Z", token="ab12", after=("7",), log="/home/a/x.out", release="/home/a",
        )
    )
)  # fmt: skip


@contextmanager
def tolerated() -> Iterator[None]:
    """A RookeryError is an answer; anything else is a mistake."""
    with in_time():
        try:
            yield
        except RookeryError as error:
            assert "\n" not in error.message
