"""The library of profiles: each is usable as it is, can be found, and becomes a profile of the user's own."""

import json
import subprocess
from pathlib import Path

import library_profiles
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import library, own_inventory, profile, schema
from rookery.clusters.ssh import config_file
from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.support.cluster_profiles import add, publish, questions, search
from rookery.support.options import ClustersAddOptions, ClustersSearchOptions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


def added(name: str, **options: str) -> Cluster:
    """The cluster that `clusters.add NAME` makes."""
    assert add.run(ClustersAddOptions(name=name, **options)) == 0
    return profile.load(name, own_ssh=False)


@pytest.mark.parametrize("name", library.names())
def test_each_profile_is_valid_and_says_where_it_is_from(name: str) -> None:
    own_inventory.check_name(name)
    assert name not in profile.names()
    data = library_profiles.data(name)
    assert ArgumentSpecValidator(schema.options()).validate(data).error_messages == []
    for key in ("title", "site", "country", "docs_url", "source_url", "verified_on", "access", "logins", "unverified"):
        assert data[f"cluster_{key}"], key
    assert not (publish.PERSONAL & set(data))
    assert "name" not in data.get("cluster_account", {})
    assert "@" not in data.get("cluster_proxy_jump", "")
    doubtful = {key.split(".")[0].split("[")[0] for key in data["cluster_unverified"]}
    assert doubtful <= set(data), "what could not be verified and is not there"
    for key in ("cluster_internet", "cluster_policies"):
        assert (
            key in doubtful
            or "unknown" not in data.get(key, {}).values()
            or any(place.startswith(f"{key}.") for place in data["cluster_unverified"])
        )


@pytest.mark.parametrize("name", library.names())
def test_each_profile_is_what_the_user_gets_and_ssh_reads(name: str) -> None:
    cluster = added(name, user="ada", account="t01")
    own = {"cluster_user", "cluster_account", "cluster_proxy_jump"}
    said = library_profiles.data(name)
    assert {key: value for key, value in cluster.data.items() if key not in own} == {
        key: value for key, value in said.items() if key not in own
    }
    assert cluster.data["cluster_account"]["name"] == "t01"
    read = subprocess.run(
        ["ssh", "-G", "-F", str(config_file.write(cluster)), name], capture_output=True, text=True, check=True
    )
    there = dict(line.split(" ", 1) for line in read.stdout.splitlines() if " " in line)
    assert (there["hostname"], there["user"]) == (said["cluster_host"], "ada")
    jump = said.get("cluster_proxy_jump")
    assert there.get("proxyjump") == (f"ada@{jump}" if jump else None)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("archer", ["archer2"]),
        ("Sheffield", ["stanage"]),
        ("edinburgh", ["archer2", "cirrus"]),
        ("finland", ["lumi", "roihu"]),
        ("csc finland", ["lumi", "roihu"]),
        ("", library.names()),
    ],
)
def test_a_search_looks_in_name_title_site_and_country(
    word: str, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert search.run(ClustersSearchOptions(word, json=True)) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == found
    assert search.run(ClustersSearchOptions(word)) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[2:-1]] == found
    assert said.splitlines()[-1].endswith(f"clusters.add {found[0]}")


def test_a_search_without_a_result_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RookeryError, match=r"did you mean `sheffield`") as refused:
        search.run(ClustersSearchOptions("sheffeild"))
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("invoke clusters.search sheffield ")
    with pytest.raises(
        RookeryError, match=r"no cluster with 'Lancaster' .*, but you have penguins, hec.* already"
    ) as known:
        search.run(ClustersSearchOptions("Lancaster"))
    assert known.value.hint == "invoke clusters.show penguins"
    with pytest.raises(RookeryError, match="no cluster with 'zzzz'"):
        search.run(ClustersSearchOptions("zzzz"))
    assert search.run(ClustersSearchOptions("zzzz", json=True)) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_a_search_says_what_the_user_has_already(capsys: pytest.CaptureFixture[str]) -> None:
    added("lumi", user="ada")
    capsys.readouterr()
    search.run(ClustersSearchOptions("finland", json=True))
    assert [each["added"] for each in json.loads(capsys.readouterr().out)] == [True, False]
    search.run(ClustersSearchOptions("finland"))
    assert capsys.readouterr().out.splitlines()[-1].endswith("clusters.add roihu")


def test_comments_are_copied_and_commands_are_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    added("csd3", user="ada", account="MYLAB-SL3")
    text = (home / ".config/rookery/inventory/host_vars/csd3.yml").read_text()
    assert text.startswith((library.folder() / "csd3.yml").read_text()[:200])
    said = capsys.readouterr().out
    for line in ("in jobs, module load rhel8/default-icl", "in jobs, module load rhel8/default-amp"):
        assert line in said
    assert said.splitlines()[-1].endswith("setup csd3")


def test_another_name_and_values_of_the_user_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    options = ClustersAddOptions(name="mine", from_="jasmin", user="ada", jump="eve@hop", host="sci-vm-02.jasmin.ac.uk")
    assert add.run(options) == 0
    cluster = profile.load("mine", own_ssh=False)
    assert (cluster.host, cluster.user, cluster.proxy_jump) == ("sci-vm-02.jasmin.ac.uk", "ada", "eve@hop")
    capsys.readouterr()
    printed = ClustersAddOptions(name="other", from_="jasmin", user="bob", print=True)
    assert add.run(printed) == 0
    assert yaml.safe_load(capsys.readouterr().out)["cluster_proxy_jump"] == "bob@login.jasmin.ac.uk"
    assert "other" not in profile.names()


def test_an_alias_of_the_user_s_goes_before_the_library_s_host_and_jump_host(home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh/config").write_text("Host lab.aip2\n  HostName ai.example.org\n  ProxyJump gate\n  User ada.lab\n")
    assert add.run(ClustersAddOptions(name="ai", from_="isambard-ai", host="lab.aip2", user="ada.lab")) == 0
    cluster = profile.load("ai")
    assert (cluster.host, cluster.proxy_jump) == ("ai.example.org", "gate")
    assert cluster.data["cluster_ssh_host"] == "lab.aip2"
    assert "cluster_proxy_jump" not in cluster.data


def test_a_profile_that_is_there_stays_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    added("lumi", user="ada")
    file = home / ".config/rookery/inventory/host_vars/lumi.yml"
    before = file.read_bytes()
    assert add.run(ClustersAddOptions(name="lumi", from_="lumi", user="bob")) == 1
    assert "has a profile already, and it stays as it is. Other values: cluster_user" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_a_name_that_the_library_does_not_have() -> None:
    with pytest.raises(RookeryError, match=r"did you mean `archer2`") as refused:
        add.run(ClustersAddOptions(name="archer"))
    assert (refused.value.hint or "").startswith("invoke clusters.add archer2 ")
    with pytest.raises(RookeryError, match="Missing option --host"):
        add.run(ClustersAddOptions(name="zebra"))
    for name in ("../archer2", "archer2.yml", ""):
        assert library.file(name) is None


def test_only_what_is_the_user_s_own_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str, *_: object, **__: object) -> str:
        asked.append(question)
        return ["ada", "t01"][len(asked) - 1]

    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    monkeypatch.setattr(prompts, "ask", answer)
    cluster = added("archer2")
    assert [question.split(" (")[0] for question in asked] == [
        "Your username on login.archer2.ac.uk",
        "The account",
    ]
    assert "your budget code, listed in SAFE, such as t01" in asked[1]
    assert (cluster.user, cluster.data["cluster_account"]["name"]) == ("ada", "t01")
    asked.clear()
    added("daint")  # whose jobs need no account
    assert len(asked) == 1
    asked.clear()
    added("lumi", user="ada", account="project_1")
    assert asked == []
    assert questions.user("h", "USER.PROJECT") == "ada"
    assert asked == ["Your username on h (such as USER.PROJECT)"]


def test_nothing_is_asked_without_a_terminal_or_with_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "ask", lambda *_, **__: pytest.fail("it was asked"))
    assert added("archer2").user == ""
    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    assert add.run(ClustersAddOptions(name="lumi", yes=True)) == 0
