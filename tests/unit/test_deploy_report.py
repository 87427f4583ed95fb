"""What a deploy prints: what was done, and the next command with the flags that were given."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rookery.clusters.config import profile
from rookery.projects import release_protocol
from rookery.projects.deploy_report import Result
from rookery.projects.options import DeployOptions

COMMIT = "c0ffee" * 6 + "c0de"


def result_of(
    state: str,
    *,
    sandbox: bool = False,
    dirty: bool = False,
    warnings: tuple[str, ...] = (),
    options: DeployOptions | None = None,
) -> Result:
    answer = release_protocol.read(f"state {state}\nrelease /home/a/projects/owls/releases/{COMMIT}\n")
    release = release_protocol.Release(
        release_protocol.Order("owls", COMMIT, "", "w"), {}, ("sweep",), warnings=warnings
    )
    commit = SimpleNamespace(id=COMMIT, dirty=dirty, changes=(), results=())
    connection = SimpleNamespace(cluster=replace(profile.load("hec"), sandbox=sandbox))
    return Result(options or DeployOptions(), release, cast("Any", commit), answer, cast("Any", connection), 1.0)


def lines(state: str, *, check: bool = False, sandbox: bool = False, **flags: Any) -> list[str]:
    options = DeployOptions(check=check, sandbox=sandbox, **flags)
    return list(result_of(state, sandbox=sandbox, dirty=flags.get("dirty", False), options=options).lines())


@pytest.mark.parametrize(
    ("state", "check", "says"),
    [
        ("new", False, "Deployed owls c0ffeec0ff to hec (1.0 s)"),
        ("same", False, "owls c0ffeec0ff is up to date on hec (1.0 s)"),
        ("there", False, "owls c0ffeec0ff is the current release on hec again (1.0 s)"),
        ("mended", False, "Updated owls c0ffeec0ff on hec (1.0 s)"),
        ("new", True, "Would deploy owls c0ffeec0ff to hec (1.0 s)"),
        ("other", True, "Would update owls c0ffeec0ff on hec (1.0 s)"),
    ],
)
def test_the_first_line_says_what_was_done(state: str, check: bool, says: str) -> None:
    assert lines(state, check=check)[0] == says


def test_the_next_command_has_the_flags_that_were_given() -> None:
    submit, deploy = (
        lines("new", check=check, sandbox=True, project="my owls", dirty=True, prune=True)[-1]
        for check in (False, True)
    )
    assert submit.endswith("submit sweep --cluster hec --sandbox --project 'my owls'")
    assert deploy.endswith("deploy hec --sandbox --project 'my owls' --dirty --prune")


def test_warnings_are_for_people_and_programs() -> None:
    result = result_of("new", warnings=("pyproject.toml lists packages",))
    assert "  warning      pyproject.toml lists packages" in result.lines()
    assert result.document()["warnings"] == ["pyproject.toml lists packages"]
