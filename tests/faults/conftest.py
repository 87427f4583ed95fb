"""Options of `./test faults`."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--seed", type=int, default=0, help="what the random homes come from")
    group.addoption("--minutes", type=float, default=2, help="how long homes are tried [2]")
    group.addoption("--homes", type=int, default=0, help="try so many homes, however long it takes")
    group.addoption("--workers", type=int, default=2 * (os.cpu_count() or 1), help="how many at a time")
    group.addoption("--case", type=int, default=-1, help="only this case of the seed")
    group.addoption("--parts", default="", help="of that case, these parts of the home")
    group.addoption("--actions", default="", help="of that case, these actions")
    group.addoption("--real", type=float, default=0, help="kill real commands on a miniature for so many minutes")
