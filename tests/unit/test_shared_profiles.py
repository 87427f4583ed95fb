"""Profiles that are shared: published without what is the user's own, and copied from somebody else."""

from pathlib import Path

import pytest
from surveys import GIVEN, survey

from rookery.clusters.config import profile
from rookery.clusters.survey import profile_findings, profile_text
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblemsError
from rookery.support.cluster_profiles import add, copied, publish
from rookery.support.options import ClustersAddOptions


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an own inventory that is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "rookery/inventory"


def test_what_is_published_has_nothing_of_its_user() -> None:
    data = {
        "cluster_title": "Iceberg",
        "cluster_user": "ada",
        "cluster_identity_file": "~/.ssh/id_ada",
        "cluster_known_hosts_file": "/home/ada/known",
        "cluster_ssh_host": "cold",
        "cluster_partitions": [{"name": "a", "account": "proj1-gpu"}, {"name": "b", "account": "{account}-gpu"}],
        "cluster_proxy_jump": "ada@jump.example.org:22,ada@second",
        "cluster_account": {"required": True, "name": "proj1", "example": "abc"},
        "cluster_storage": [{"name": "home", "expression": "/work/proj1/ada", "note": "adaptive"}],
        "cluster_mirrors": {"pypi": "https://x:secret@y/"},
        "cluster_notes": ["token=abcdef"],
    }
    shared = publish.shared(data, "ada")
    assert shared == {
        "cluster_title": "Iceberg",
        "cluster_partitions": [{"name": "a"}, {"name": "b", "account": "{account}-gpu"}],
        "cluster_proxy_jump": "jump.example.org:22,second",
        "cluster_account": {"required": True, "example": "abc"},
        "cluster_storage": [{"name": "home", "expression": "/work/{account}/$USER", "note": "adaptive"}],
    }


def test_a_profile_is_copied_without_what_is_its_author_s(own: Path, tmp_path: Path) -> None:
    text = profile_text.text(GIVEN.name, profile_findings.collect(survey(), GIVEN), GIVEN.today)
    source = tmp_path / "iceberg.yml"
    source.write_text(text + "cluster_identity_file: ~/.ssh/id_ada\n")
    options = ClustersAddOptions(name="berg", from_=str(source), user="bob", account="p1", jump="bob@jump")
    assert copied.run(options, None) == 0
    data = profile.load("berg", own_ssh=False).data
    assert (data["cluster_user"], data["cluster_proxy_jump"]) == ("bob", "bob@jump")
    assert data["cluster_account"] == {"required": False, "name": "p1"}
    assert "cluster_identity_file" not in data
    assert "# found: the cluster said so." in (own / "host_vars/berg.yml").read_text()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ansible_host: x\n", "ansible_host"),
        ("cluster_title: '{{ lookup(1) }}'\n", "template"),
        ("cluster_titel: x\n", "cluster_title"),
        ("[1, 2]\n", "key: value"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("x" * 1_000_001, "large"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(own: Path, tmp_path: Path, text: str, problem: str) -> None:
    source = tmp_path / "x.yml"
    source.write_text(text)
    with pytest.raises(RookeryError, match=problem):
        copied.run(ClustersAddOptions(name="berg", from_=str(source)), None)
    assert not own.exists()


@pytest.mark.parametrize("source", ["http://example.org/x.yml", "file:///etc/passwd", "nosuch"])
def test_a_profile_is_fetched_over_https_alone(own: Path, source: str) -> None:
    with pytest.raises(RookeryError, match=r"https|Can't read"):
        copied.run(ClustersAddOptions(name="berg", from_=source), None)
    assert not own.exists()


WRONG = """
cluster_user: eve # a key that is not taken over
cluster_title: Berg
cluster_source_url: https://example.org/berg
cluster_verified_on: "2026-11"
cluster_host: berg.example.org
cluster_scheduler: slurm
cluster_partitions: [{name: main, for: anyone}]
cluster_storage: [{name: home, expression: $HOME, variable: HOME}]
cluster_roomy_storage: home
"""


def test_what_is_wrong_with_somebody_else_s_profile_is_told_by_the_lines_of_their_file(
    own: Path, tmp_path: Path
) -> None:
    source = tmp_path / "berg.yml"
    source.write_text(WRONG)
    with pytest.raises(FileProblemsError, match=rf"^{source}:8: .*`for`.*anyone") as refused:
        copied.run(ClustersAddOptions(name="berg", from_=str(source), yes=True), None)
    assert (refused.value.hint or "").startswith(f"edit line 8 of {source}")
    source.write_text(WRONG.replace("anyone", "any"))
    with pytest.raises(FileProblemsError, match=r"^command line: `cluster_host`"):
        copied.run(ClustersAddOptions(name="berg", from_=str(source), yes=True, host="-x"), None)
    assert not own.exists()


def test_an_account_that_is_none_is_refused_before_a_cluster_is_asked(own: Path) -> None:
    with pytest.raises(RookeryError, match="--account must be the name of an account, not 'x;y'"):
        add.run(ClustersAddOptions(name="berg", host="berg.example.org", user="ada", account="x;y"))
    assert not own.exists()


def test_what_the_author_of_a_profile_is_trusted_with_is_shown(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "berg.yml"
    text = WRONG.replace("anyone", "any").replace("expression: $HOME,", "expression: $(mine)/x,")
    source.write_text(
        f"{text}cluster_ssh_host: theirs\ncluster_forward_agent: true\n"
        "cluster_mirrors: {pypi: https://pypi.example.org/simple}\n"
        "cluster_login_command: get-certificate\n"
        "cluster_architectures: [{name: x86_64}, {name: aarch64, submit: theirbatch}]\n"
    )
    assert copied.run(ClustersAddOptions(name="berg", from_=str(source), yes=True), None) == 0
    said = " ".join(capsys.readouterr().out.split())
    for sentence in (
        "It runs on the cluster, as you: to find storage, $(mine)/x",
        "It runs on the cluster, as you: to submit jobs, theirbatch",
        "To log in, you run on your own computer: get-certificate",
        "It forwards your ssh agent to the cluster",
        "Downloads come from, or through: https://pypi.example.org/simple",
    ):
        assert sentence in said
    assert (own / "host_vars/berg.yml").exists()
    assert not {"cluster_ssh_host", "cluster_user"} & profile.load("berg", own_ssh=False).data.keys()


def test_an_alias_of_the_user_s_own_is_not_published() -> None:
    assert "cluster_ssh_host" not in publish.shared({"cluster_ssh_host": "mine", "cluster_host": "h"}, "")
