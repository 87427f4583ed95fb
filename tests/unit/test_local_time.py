"""Times as a table shows them: short, local, and with a date only where the day is not clear."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from rookery.core import local_time

NOW = "2026-11-12T15:30:00"


@pytest.fixture(params=["UTC", "Europe/London", "Pacific/Auckland", "America/Los_Angeles"], autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-12T14:02:00", "14:02"),
        ("2026-11-12T00:00:00", "00:00"),
        ("2026-11-12T23:59:59", "23:59"),
        ("2026-11-11T23:59:00", "yesterday 23:59"),
        ("2026-11-11T00:00:00", "yesterday 00:00"),
        ("2026-11-10T14:02:00", "Tue 14:02"),
        ("2026-11-06T14:02:00", "Fri 14:02"),
        ("2026-11-05T14:02:00", "5 Nov"),
        ("2026-11-03T14:02:00", "3 Nov"),
        ("2026-01-01T00:00:00", "1 Jan"),
        ("2025-12-31T23:59:00", "31 Dec 2025"),
        ("2026-11-13T09:00:00", "tomorrow 09:00"),
        ("2026-11-14T09:00:00", "14 Nov 09:00"),
        ("2027-01-02T09:00:00", "2 Jan 2027 09:00"),
    ],
)  # fmt: skip
def test_when(moment: str, text: str) -> None:
    assert local_time.when(seconds(moment), seconds(NOW)) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-12T16:02:00", "at 16:02"),
        ("2026-11-13T09:00:00", "tomorrow 09:00"),
        ("2026-11-14T09:00:00", "on 14 Nov 09:00"),
    ],
)
def test_in_a_sentence(moment: str, text: str) -> None:
    assert local_time.at(seconds(moment), seconds(NOW)) == text


@pytest.mark.parametrize("moment", [0, -1, 1e300])
def test_what_is_not_known_or_no_time_is_nothing(moment: float) -> None:
    assert local_time.when(moment, seconds(NOW)) == ""
    assert local_time.at(moment, seconds(NOW)) == ""


def test_written_times() -> None:
    assert local_time.of_iso("2026-11-12T15:30:00Z") == local_time.of_iso("2026-11-12T16:30:00+01:00") == 1794497400
    assert local_time.of_iso("2026-11-12T15:30:00") == seconds(NOW)
    assert local_time.of_iso("Unknown") == local_time.of_iso("") == 0
