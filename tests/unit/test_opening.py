"""Which command lines need not be read again."""

from typing import Any

import pytest

from rookery.project import opening

NOTHING: dict[str, Any] = {"cluster": "", "project": "", "check": False, "dirty": False, "yes": False}


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("", {}),
        ("--cluster penguins", {"cluster": "penguins"}),
        ("-c penguins --dirty", {"cluster": "penguins", "dirty": True}),
        ("--project=jobs --yes", {"project": "jobs", "yes": True}),
    ],
)
def test_a_line_that_says_this_and_nothing_else(line: str, typed: dict[str, Any]) -> None:
    assert opening._is_plain(line.split(), {**NOTHING, **typed})


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("jobs", {}),
        ("--cluster penguins jobs", {"cluster": "penguins"}),
        ("--cluster penguins penguins", {"cluster": "penguins"}),
        ("--dirty jobs", {"dirty": True}),
        ("--dirty jobs --cluster jobs", {"dirty": True, "cluster": "jobs"}),
        ("--cluster=penguins penguins", {"cluster": "penguins"}),
        ("--cluster penguins submit --cluster hec", {"cluster": "penguins"}),
        ("--debug", {}),
        ("--cluster penguins --echo", {"cluster": "penguins"}),
        ("-n", {}),
        ("--", {}),
    ],
)
def test_a_line_that_says_or_may_say_more(line: str, typed: dict[str, Any]) -> None:
    assert not opening._is_plain(line.split(), {**NOTHING, **typed})
