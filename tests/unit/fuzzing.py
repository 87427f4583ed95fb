"""What readers are fuzzed with: a good answer or file with parts of it replaced, and a clock that ends a hang.

`ROOKERY_FUZZ=10000 pytest tests/unit/test_fuzz_*.py` tries 10,000 inputs of each reader; all other property tests
of this folder follow the number, too.
"""

import copy
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("ROOKERY_FUZZ", "25"))
"""How many examples each property test tries (conftest.py)."""
PATIENCE = 10 if EXAMPLES >= 10_000 else 60
"""Seconds that a reader may take for one input: many, for busy machines, except where thousands are tried."""

ODD_TEXTS = (
    "", "\0", "²", "9" * 5000, "-1", "1e999", "NaN", "\x1f", "\x1f\n", "\x1b[31m", "\udcff", "\ud800", "../../../etc/x",
    "--file=/etc/passwd", "1-999999999999", "[0-4000000:0]", "1-4000000,1-4000000,1-4000000", "a" * 300, "\n", "|",
    "\t", "18446744073709551616", "1" + "0" * 25, "0x10", "٣", "%9999999A", "/", "Unknown", "None",
    "99999999999999-99:99:99",
)  # fmt: skip
ODD_VALUES = (
    None, True, [], {}, 0, -1, 1, 1.5, 10**19, 10**25, 1e308, float("inf"), float("nan"), [[]], {"a": {}}, [None],
    *ODD_TEXTS,
)  # fmt: skip

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=20)
values = st.sampled_from(ODD_VALUES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def broken(draw: st.DrawFn, good: Any) -> Any:
    """A value like a good one, in which some parts are others, are missing, or are more."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        value = _broken(draw, value)
    return value


def _broken(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 9)) == 0:
        return copy.deepcopy(draw(values))
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    act = draw(st.sampled_from(("deeper", "deeper", "deeper", "drop", "add")))
    if act == "deeper":
        value[key] = _broken(draw, value[key])
    elif act == "drop":
        del value[key]
    elif isinstance(value, dict):
        value[draw(texts)] = copy.deepcopy(draw(values))
    else:
        value.append(copy.deepcopy(draw(values)))
    return value


@st.composite
def garbled(draw: st.DrawFn, *good: str) -> str:
    """A text like a good one, in which some parts are others."""
    text = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from((0, 1, 2, 8, 10**6)))
        text = text[:start] + draw(texts) + text[start + length :]
    return text.encode(errors="surrogatepass").decode(errors="surrogateescape")  # as it comes from a pipe


@st.composite
def contents(draw: st.DrawFn, good: Any) -> bytes:
    """What a JSON file may hold that should hold something like a good value."""
    kind = draw(st.sampled_from(("json", "json", "json", "text", "bytes", "deep", "twice")))
    if kind == "bytes":
        return draw(st.binary(max_size=50))
    if kind == "deep":
        mark = draw(st.sampled_from((b"[", b'{"a":', b'[{"a":')))
        return mark * draw(st.sampled_from((65, 500, 100_000)))
    text = json.dumps(draw(broken(good)))
    if kind == "text":
        text = draw(garbled(text))
    if kind == "twice" and text.startswith("{"):
        text = '{"job": 1,' + text[1:]
    return text.encode(errors="surrogatepass")


@contextmanager
def in_time() -> Iterator[None]:
    """End what hangs."""

    def late(*_: object) -> None:
        raise AssertionError(f"it took more than {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
