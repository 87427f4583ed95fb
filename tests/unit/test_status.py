"""`status`: what is said of a look at a home, and with which exit code."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from rookery.clusters import cluster as cluster_module
from rookery.clusters.config import profile
from rookery.clusters.login_node import facts
from rookery.core import local_time, paths
from rookery.homes import status, up_to_date

ASKED: dict[str, Any] = {
    "digest": "d",
    "unsteady": [],
    "rookery": "0.2.0",
    "play": "p",
    "engines": [],
    "roles": {"r": "1"},
    "variables": {"r_packages": "1"},
}
SEALED = {**ASKED, "python": "3.6.8", "when": "2026-05-01T10:00:00+0000", "facts": {}}
WHOLE = up_to_date.HomeComparison(
    sealed=SEALED, entries=40, ended=True, python="3.6.8", answered=True, tools={"uv": "0.9"}
)
GONE = {"role": "tmux", "kind": "files", "path": "/h/.tmux.conf", "what": "~/.tmux.conf", "how": "removed"}


@pytest.fixture(scope="module")
def cluster() -> cluster_module.Cluster:
    return profile.load("penguins", [paths.root() / "inventory"])


def test_a_home_as_it_was_left(cluster: cluster_module.Cluster) -> None:
    home_status = status.status_of(cluster, WHOLE, ASKED)
    assert (home_status.state, home_status.hint, home_status.version, home_status.when) == (
        "as declared",
        "",
        "0.2.0",
        SEALED["when"],
    )
    assert status.exit_code([home_status], named=True) == 0


@pytest.mark.parametrize(
    ("look", "asked", "state", "exit_code"),
    [
        (replace(WHOLE, drift=(GONE,)), ASKED, "drifted", 3),
        (replace(WHOLE, ended=False), ASKED, "drifted", 3),
        (WHOLE, {**ASKED, "digest": "e", "variables": {"r_packages": "2"}}, "out of date", 3),
        (replace(WHOLE, new=("shells zsh",)), ASKED, "out of date", 3),
        (up_to_date.HomeComparison(answered=True), ASKED, "not set up", 3),
        (up_to_date.HomeComparison(problem="it does not answer"), ASKED, "can't be known", 1),
    ],
)
def test_other_homes(
    cluster: cluster_module.Cluster, look: up_to_date.HomeComparison, asked: dict[str, Any], state: str, exit_code: int
) -> None:
    home_status = status.status_of(cluster, look, asked)
    assert home_status.state == state
    assert home_status.hint.endswith("setup penguins")
    assert status.exit_code([home_status], named=True) == exit_code


def test_of_all_clusters_one_that_was_never_set_up_is_no_fault() -> None:
    rows = [status.HomeStatus("penguins", "as declared"), status.HomeStatus("hec", "not set up")]
    assert status.exit_code(rows, named=False) == 0
    assert status.exit_code([*rows, status.HomeStatus("bede", "can't be known")], named=False) == 1


def test_each_thing_is_named_and_nothing_from_there_reaches_the_terminal_as_it_is(
    cluster: cluster_module.Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    then = local_time.of_iso("2026-05-01T10:00:00Z")
    monkeypatch.setattr(local_time, "time", SimpleNamespace(time=lambda: then + 86_400))
    sly = {**GONE, "what": "~/a\x1b[2J\x1b]0;title\x07[red]b[/red]"}
    asked = {**ASKED, "digest": "e", "rookery": "0.3.0", "variables": {"r_packages": "2"}}
    status.show([status.status_of(cluster, replace(WHOLE, drift=(sly,), gone=("storage scratch /s",)), asked)])
    lines = capsys.readouterr().out.splitlines()
    clock = datetime.fromtimestamp(then).strftime("%H:%M")
    assert lines[0] == f"penguins  changed since setup  rookery 0.2.0, yesterday {clock}"
    assert lines[1].startswith("  tmux       ~/a")
    assert lines[1].endswith("[red]b[/red]: removed")
    assert "\x1b" not in "".join(lines)
    assert "\x07" not in "".join(lines)
    assert "  changed    rookery 0.3.0 (was 0.2.0)" in lines
    assert "  changed    setting r_packages" in lines
    assert "  gone       storage scratch /s" in lines
    assert "  tools      uv 0.9" in lines


def test_storage_is_told_with_what_is_left_of_the_quota() -> None:
    hec = profile.load("hec", [paths.root() / "inventory"])
    output = "".join(
        f"rookery-fact {line}\n"
        for line in (
            "home /home/a",
            "storage home /home/a",
            "storage persistent /s",
            "storage scratch /x",
            "free_mb home 999999",
            "free_mb persistent 2048",
            "quota home 10G 5.50G 4.50G 55.00 24840",
            "complete yes",
        )
    )
    areas = {area.name: area for area in status.areas(hec, output)}
    assert areas["home"] == status.StorageArea("home", "/home/a", 4608, 10240)
    assert areas["scratch"].free_mb is None
    assert list(status.areas(hec, "nothing")) == []


def danger(fact: str, prefix: str, cluster: cluster_module.Cluster) -> status.HomeStatus:
    facts = {"prefix": prefix, "home": "/h/ada", "roomy": "/p/ada"}
    output = f"rookery-fact replaceable yes\nrookery-fact replaceable_by {fact}\n"
    look = replace(WHOLE, sealed={**SEALED, "facts": facts}, output=output, new=("replaceable yes",))
    return status.status_of(cluster, look, ASKED)


@pytest.mark.parametrize("fact", ["owner eve /p/ada", "owner eve /p", "group staff /p", "everybody 0 /p"])
def test_programs_that_others_can_replace_are_called_so_and_setup_is_not_the_answer(
    cluster: cluster_module.Cluster, fact: str
) -> None:
    home_status = danger(fact, "/p/ada/rookery/x86_64", cluster)
    assert home_status.state == "drifted"
    assert home_status.reason.endswith(": programs in /p/ada/rookery/x86_64 may have been replaced; do not run them")
    assert facts.why_replaceable(fact) in home_status.reason
    assert "setup" not in home_status.hint
    assert ("ls -ld" in home_status.hint) == fact.startswith("owner")
    assert status.exit_code([home_status], named=True) == 3


def test_programs_in_the_home_are_in_no_danger_but_data_may_be(cluster: cluster_module.Cluster) -> None:
    prefix = "/h/ada/.local/share/rookery/x86_64"
    assert danger("group staff /p", prefix, cluster).reason == ""
    assert "files in /p/ada may have been replaced" in danger("owner eve /p/ada", prefix, cluster).reason
