"""What this computer remembers of a release, so that a deploy of the same again says the same."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rookery.projects import deploy_cache
from rookery.projects.deploy_cache import CachedDeploy
from rookery.projects.release_protocol import Order, Release

COMMIT = "c0ffee" * 6 + "c0de"


def test_a_release_is_remembered_whole_but_for_its_files(tmp_path: Path) -> None:
    order = Order("owls", COMMIT, "", "w", ("results",))
    release = Release(
        order,
        {"run.sh": "true\n"},
        jobs=("sweep",),
        scripts=("jobs/sweep.sh",),
        own=("run.sh",),
        outwards={"data": "/data"},
        warnings=("pyproject.toml lists packages",),
    )
    commit: Any = SimpleNamespace(id=COMMIT, head=COMMIT)
    deploy_cache.save(tmp_path / "a/b/owls.json", CachedDeploy(), commit, "0" * 64, release)
    remembered = deploy_cache.load(tmp_path / "a/b/owls.json").release
    assert remembered == replace(release, files={})
