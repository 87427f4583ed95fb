"""What doctor's commands print in a healthy home, and the checks that come of such a text."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from user_home import shared_cache

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.core import paths
from rookery.homes import up_to_date
from rookery.support.doctor import inspection
from rookery.support.doctor.checks import Check, CheckResults
from rookery.support.doctor.inspection import HomeInspection


def own_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder the home of the user who runs the test, and their command `invoke`."""
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", shared_cache())
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")


def of_ada(name: str, **changes: Any) -> cluster.Cluster:
    """A cluster as its profile tells it, where the account is ada."""
    return replace(profile.load(name, [paths.root() / "inventory"]), user="ada", **changes)


def states(results: CheckResults) -> dict[str, str]:
    return {check.name: check.state for check in results.checks}


def check_of(results: CheckResults, name: str) -> Check:
    return next(check for check in results.checks if check.name == name)


HEALTHY = """noise of a start-up file
rookery-doctor epoch 1000
rookery-doctor path-command /t/bin:/usr/bin
rookery-doctor writable yes
rookery-doctor startup quiet
rookery-doctor path-login /t/bin:/usr/bin
rookery-doctor expected "path": ["/t/bin"]
rookery-doctor variable HOME there /home/a
rookery-doctor variable global_storage there /s/a
rookery-doctor variable global_scratch there /c/a
rookery-doctor variable ROOKERY_STORAGE there /s/a
rookery-doctor module yes
rookery-doctor r /opt/R/bin/Rscript Rscript (R) version 4.3.1 (2023-06-16)
rookery-doctor python /t/bin/python Python 3.13.5
rookery-doctor python3 /t/bin/python3 Python 3.13.5
rookery-doctor cache ~/.cache link /s/a/.cache
rookery-doctor slurm up
rookery-doctor partition serial|up|idle|4
rookery-doctor partition test|up|mix|4
rookery-doctor partition parallel|up|mix|4
rookery-doctor internet yes
rookery-doctor watches 524288
rookery-doctor instances 512
rookery-doctor vscode-server 204800 2000
rookery-quota:
Filesystem          Quota      Used     Avail     Use%     # files
home                  10G     5.50G     4.50G    55.00      24840
rookery-exit: 0
rookery-area: home /home/a
rookery-df: gpfs0 1000 500 500 50% /home
rookery-fact home /home/a
rookery-fact architecture x86_64
rookery-fact glibc 2.28
rookery-fact storage persistent /s/a
rookery-fact python 3.6.8 /usr/bin/python3
rookery-doctor complete yes
"""
LOOK = up_to_date.HomeComparison(
    sealed={"rookery": "0.1.0", "when": "2026-05-01T10:00", "python": "3.6.8", "facts": {}},
    entries=4, ended=True, python="3.6.8", answered=True,
)  # fmt: skip


def inspected(
    cluster: cluster.Cluster, text: str = HEALTHY, look: up_to_date.HomeComparison = LOOK, began: float = 999.5
) -> HomeInspection:
    return inspection.read(text, cluster.data, look, began, began + 2)
