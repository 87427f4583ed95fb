"""Profiles of the user's own: added, compared with their cluster, edited line by line, and shared."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import cluster
from surveys import GIVEN, findings, survey

from rookery.clusters.config import own_inventory, profile, profile_edit
from rookery.clusters.survey import differences, profile_findings, profile_text, slurm_answers, updates
from rookery.clusters.survey.differences import ProfileDifference
from rookery.clusters.survey.finding import by_key
from rookery.core.errors import RookeryError
from rookery.support.cluster_profiles import check, summary
from rookery.support.cluster_profiles.surveying import SurveyedCluster

TEXT = """---
# of the office
cluster_title: Iceberg   # its name
cluster_partitions:
  - {name: short, for: any, max_minutes: 60}   # for trying
  # the long one
  - name: long
    for: any
    max_minutes: 600   # ten hours
cluster_gpus: [{type: a100, per_node: 2}]
cluster_array: {max_size: 1000}
cluster_limits:
  cores: 10   # of one user
cluster_notes:
  - Be kind.
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an own inventory that is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "rookery/inventory"


def known() -> tuple[str, dict[str, Any]]:
    """A new profile's text, and what it says."""
    found = profile_findings.collect(survey(), GIVEN)
    return profile_text.text("iceberg", found, GIVEN.today), by_key(found)


@pytest.mark.parametrize(
    ("place", "value", "before", "after"),
    [
        (("cluster_title",), "Berg", "cluster_title: Iceberg   # its name", "cluster_title: Berg   # its name"),
        (
            ("cluster_partitions", "short", "max_minutes"),
            90,
            "max_minutes: 60}   # for trying",
            "max_minutes: 90}   # for trying",
        ),
        (
            ("cluster_partitions", "long", "max_minutes"),
            900,
            "max_minutes: 600   # ten hours",
            "max_minutes: 900   # ten hours",
        ),
        (("cluster_limits", "cores"), 12, "cores: 10   # of one user", "cores: 12   # of one user"),
        (("cluster_array", "may_mail"), False, "{max_size: 1000}", "{max_size: 1000, may_mail: false}"),
        (("cluster_gpus", "a100", "nodes"), 4, "per_node: 2}]", "per_node: 2, nodes: 4}]"),
    ],
)
def test_one_value_changes_and_everything_else_stays(
    place: tuple[str, ...], value: Any, before: str, after: str
) -> None:
    whole = profile_edit.changed(yaml.safe_load(TEXT)[place[0]], place[1:], value)
    assert profile_edit.with_value(TEXT, place, value, whole) == TEXT.replace(before, after)


def test_an_entry_of_a_list_comes_and_goes_as_a_line() -> None:
    place = ("cluster_partitions", "night")
    entry = {"name": "night", "for": "any"}
    whole = profile_edit.changed(yaml.safe_load(TEXT)["cluster_partitions"], place[1:], entry)
    longer = profile_edit.with_value(TEXT, place, entry, whole)
    assert longer == TEXT.replace("# ten hours\n", "# ten hours\n  - {name: night, for: any}\n")
    whole = profile_edit.changed(whole, place[1:], None)
    assert profile_edit.with_value(longer, place, None, whole) == TEXT


def test_an_entry_of_an_unusual_form_is_written_anew() -> None:
    text = "cluster_gpus: [{type: a100}, {type: v100}]  # two\ncluster_title: x\n"
    edited = profile_edit.with_value(text, ("cluster_gpus", "a100"), None, [{"type": "v100"}])
    assert yaml.safe_load(edited) == {"cluster_gpus": [{"type": "v100"}], "cluster_title": "x"}


def test_a_key_goes_with_its_lines() -> None:
    text = profile_edit.without_key(TEXT, "cluster_partitions")
    assert "short" not in text
    assert yaml.safe_load(text) == {
        key: value for key, value in yaml.safe_load(TEXT).items() if key != "cluster_partitions"
    }


def test_a_cluster_is_added_and_can_be_loaded(own: Path) -> None:
    text, values = known()
    file = own_inventory.add("iceberg", text, values)
    assert file == own / "host_vars/iceberg.yml"
    assert profile.load("iceberg", own_ssh=False).host == "login.example.org"
    assert file.read_text() == text


@pytest.mark.parametrize(
    "before",
    [
        "all:\n  hosts:\n    hec:  # mine\n    # and another\n    other: {cluster_x: 1}\n",
        "---\nall:\n    hosts:\n            hec:\n    vars:\n            x: 1\n",
    ],
)
def test_the_list_of_hosts_gets_one_more_and_keeps_its_comments(own: Path, before: str) -> None:
    own.mkdir(parents=True)
    (own / "hosts.yml").write_text(before)
    text, values = known()
    own_inventory.add("iceberg", text, values)
    after = (own / "hosts.yml").read_text()
    assert sorted([*before.splitlines(), after.splitlines()[before.splitlines().index(_hosts_line(before)) + 1]]) == (
        sorted(after.splitlines())
    )
    listed = yaml.safe_load(after)["all"]["hosts"]
    assert listed == {"iceberg": None, **yaml.safe_load(before)["all"]["hosts"]}


def _hosts_line(text: str) -> str:
    return next(line for line in text.splitlines() if line.strip() == "hosts:")


@pytest.mark.parametrize("before", ["all: {hosts: {hec: {}}}\n", "all:\n  children:\n    x:\n", "all:\n  hosts: hec\n"])
def test_a_list_of_hosts_that_can_t_be_edited_stays_and_nothing_is_written(own: Path, before: str) -> None:
    own.mkdir(parents=True)
    (own / "hosts.yml").write_text(before)
    text, values = known()
    with pytest.raises(RookeryError, match="can't edit"):
        own_inventory.add("iceberg", text, values)
    assert [file.name for file in own.rglob("*")] == ["hosts.yml"]
    assert (own / "hosts.yml").read_text() == before


def test_a_profile_that_is_there_is_never_replaced(own: Path) -> None:
    text, values = known()
    (own / "host_vars").mkdir(parents=True)
    (own / "host_vars/iceberg.yml").write_text("cluster_title: mine\n")
    with pytest.raises(RookeryError, match="exists already"):
        own_inventory.add("iceberg", text, values)
    assert (own / "host_vars/iceberg.yml").read_text() == "cluster_title: mine\n"
    assert not (own / "hosts.yml").exists()


def test_a_profile_that_would_say_something_else_is_not_written(own: Path) -> None:
    text, values = known()
    with pytest.raises(RookeryError, match="cluster_title"):
        own_inventory.add("iceberg", text, {**values, "cluster_title": "other"})
    assert not own.exists()


@pytest.mark.parametrize("name", ["all", "localhost", "-x", "a b", "a/b", "", "x" * 32, "a.b", "é", "a\n"])
def test_names_that_no_cluster_can_have(name: str) -> None:
    with pytest.raises(RookeryError, match="can't be the name"):
        own_inventory.check_name(name)


def compared(values: dict[str, Any], **facts: list[str]) -> dict[tuple[str | int, ...], tuple[Any, Any]]:
    found = profile_findings.collect(survey(**facts), GIVEN)
    return {
        difference.place: (difference.profile, difference.cluster)
        for difference in differences.compare(values, found, survey(**facts))
        if not difference.is_addition
    }


def test_a_profile_agrees_with_what_it_was_made_from() -> None:
    assert compared(known()[1]) == {}


def test_what_the_cluster_changed_is_listed_value_by_value() -> None:
    values = known()[1] | {"cluster_modules": {"r": ["R/4.3.1", "R"], "gcc": ["gcc/9"]}}
    found = compared(
        values,
        partition=[
            "PartitionName=main Default=YES MaxTime=2-00:00:00 State=UP",
            "PartitionName=new State=UP",
        ],
        module=["R/4.4.0", "gcc/9"],
        os=["Rocky Linux 9.4"],
        nodes=["4 Arch=x86_64 CPUTot=32 RealMemory=187000 Gres=(null) AvailableFeatures=(null) Partitions=main"],
    )
    assert found == {
        ("cluster_os",): ("Rocky Linux 8.9", "Rocky Linux 9.4"),
        ("cluster_partitions", "main", "max_minutes"): (1440, 2880),
        ("cluster_partitions", "new"): (None, {"name": "new", "for": "any"}),
        ("cluster_modules", "r", "R/4.3.1"): ("R/4.3.1", None),
    }


def test_what_was_only_concluded_contradicts_nothing() -> None:
    values = known()[1] | {"cluster_logins": ["password"], "cluster_job_preamble": ["x"]}
    values["cluster_partitions"] = [{**values["cluster_partitions"][0], "for": "parallel", "purpose": "everything"}]
    assert compared(values) == {}


def test_an_update_writes_the_cluster_s_values_and_keeps_the_rest() -> None:
    text, values = known()
    text = text.replace("cluster_title: iceberg", "# mine\ncluster_title: iceberg")
    changed = {
        "partition": ["PartitionName=main Default=YES MaxTime=2-00:00:00 State=UP", "PartitionName=new State=UP"],
        "module": ["R/4.4.0"],
    }
    found = profile_findings.collect(survey(**changed), GIVEN)
    listed = differences.compare(values, found, survey(**changed))
    after, new = updates.applied(text, values, listed, found)
    assert set(new) == {"cluster_partitions", "cluster_modules"}
    assert differences.compare({**values, **new}, found, survey(**changed)) == []
    assert yaml.safe_load(after) == {**values, **new}
    assert [line for line in text.splitlines() if "max_minutes" not in line and line not in after] == []


def test_an_update_of_a_module_that_is_gone() -> None:
    values = {"cluster_modules": {"r": ["R/4.3.1"], "gcc": ["gcc/9", "gcc/10"]}}
    found = tuple(findings(module=["R/4.4.0"]).values())
    gone = [
        ProfileDifference(("cluster_modules", "r", "R/4.3.1"), "R/4.3.1", None),
        ProfileDifference(("cluster_modules", "gcc", "gcc/9"), "gcc/9", None),
    ]
    text = "cluster_modules:\n  r: [R/4.3.1]  # old\n  gcc: [gcc/9, gcc/10]\n"
    after, new = updates.applied(text, values, gone, found)
    assert new == {"cluster_modules": {"r": ["R/4.4.0"], "gcc": ["gcc/10"]}}
    assert after == "cluster_modules:\n  r: [R/4.4.0]  # old\n  gcc: [gcc/10]\n"


def test_a_key_of_rookery_s_own_profile_is_copied_into_the_user_s_file() -> None:
    text, new = updates.applied(
        "---\ncluster_user: ada\n",
        {"cluster_partitions": [{"name": "a", "for": "gpu"}]},
        [ProfileDifference(("cluster_partitions", "a", "max_minutes"), None, 60)],
        (),
    )
    assert yaml.safe_load(text) == {"cluster_user": "ada", **new}
    assert new == {"cluster_partitions": [{"name": "a", "for": "gpu", "max_minutes": 60}]}


def test_a_qos_that_slurm_has_is_not_taken_out_though_the_user_s_jobs_need_not_name_it() -> None:
    profile_says = {"cluster_qos": [{"name": "gpu"}, {"name": "long"}, {"name": "gone"}]}
    partition = ["PartitionName=main Default=YES AllowQos=gpu State=UP"]
    trial = ["plain yes", "in:main no x", "in:main:qos:gpu yes"]
    for qualities, lacking in ((["gpu||", "long||"], ["gone"]), ([], [])):
        asked = survey(partition=partition, trial=trial, assoc=["p||gpu|gpu||"], qos=qualities)
        found = profile_findings.collect(asked, GIVEN)
        assert "cluster_qos" in by_key(found)
        differing = differences.compare(profile_says, found, asked)
        gone = [each.place[1] for each in differing if each.place[0] == "cluster_qos" and each.cluster is None]
        assert gone == lacking


@pytest.mark.parametrize(("seen", "told"), [("lacks", 1), ("sees", 0)])
def test_folders_that_no_job_sees_are_said(seen: str, told: int) -> None:
    asked = survey(job=["1 partition main", "1 type ", f"1 {seen} /home/ada", "1 complete yes"])
    assert summary.left_out(asked, slurm_answers.parse(asked), ["main"]).count(summary.JOBS_SEE_NONE) == told
    surveyed = SurveyedCluster(asked, slurm_answers.parse(asked))
    assert check.ComparedProfile(cluster(), (), surveyed, [], []).code == told
    elsewhere = [{"name": "home", "on_compute_nodes": False}, {"name": "work"}]
    assert check.ComparedProfile(cluster(storage=elsewhere), (), surveyed, [], []).code == 0


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_are_counted_in_characters(mark: str, end: str) -> None:
    text = f"{mark}cluster_title: 'Āж😀'{end}cluster_port: 22  # é{end}cluster_user: x{end}"
    assert profile_edit.with_key(text, "cluster_port", 23) == text.replace("22", "23")
    assert profile_edit.without_key(text, "cluster_port") == text.replace(f"cluster_port: 22  # é{end}", "")
