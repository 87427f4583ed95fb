"""`clusters` and `clusters.show`."""

import json
from pathlib import Path

import pytest
from user_home import at_home, own_inventory

from rookery.clusters.config import schema
from rookery.core import paths, secret_values
from rookery.core.errors import RookeryError
from rookery.homes import listing
from rookery.homes.options import ClustersListOptions, ClustersShowOptions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def test_the_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noted = home / ".local" / "state" / "rookery" / "clusters" / "hec.json"
    noted.parent.mkdir(parents=True)
    noted.write_text('{"name": "hec", "set_up": "2026-11-22T10:00:00+0000"}')
    rows = {row.name: row for row in listing.table()}
    assert list(rows) == ["penguins", "hec", "hex", "bede"]
    assert rows["hec"].gpus == ("NVIDIA V100", "NVIDIA H200", "NVIDIA L40", "NVIDIA L40S")
    assert (rows["hec"].set_up_at, rows["penguins"].set_up_at) == ("2026-11-22T10:00:00+0000", None)
    assert listing.show_all(ClustersListOptions()) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.lstrip().startswith("penguins"))
    assert line.split()[:5] == ["penguins", "icefloe-fe.lancs.ac.uk", "slurm", "none", "not"]


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert listing.show_all(ClustersListOptions(json=True)) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["scheduler"], row["set_up_at"]) for row in rows] == [
        ("penguins", "slurm", None),
        ("hec", "slurm", None),
        ("hex", "slurm", None),
        ("bede", "slurm", None),
    ]


def test_a_note_that_is_half_written_counts_as_none(home: Path) -> None:
    noted = home / ".local" / "state" / "rookery" / "clusters" / "hec.json"
    noted.parent.mkdir(parents=True)
    for text in ("", "{", "[]", "{}"):
        noted.write_text(text)
        assert {row.set_up_at for row in listing.table()} == {None}


def test_one_malformed_profile_does_not_hide_the_others(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own_inventory(home, "host_vars/hec.yml", "cluster_prot: 22\n")
    assert listing.show_all(ClustersListOptions()) == 1
    shown = capsys.readouterr().out
    assert f"{paths.shown(file)}:1: unknown key `cluster_prot` (did you mean `cluster_port`?)" in shown
    assert "icefloe-fe.lancs.ac.uk" in shown


SECRETS = """\
cluster_notes: ["Log in with PASSWORD=hunter-1 first"]
cluster_job_preamble: ["export WANDB_API_KEY=hunter-2", "curl https://ada:hunter-3@x.example/y", "echo $HOME"]
wandb_token: hunter-4
registry: {user: ada, password: hunter-5, deeper: [{client_secret: [hunter-6]}]}
proxy: http://ada:hunter-7@proxy.example:3128
mirror_passphrase: hunter-8
"""


def test_show_hides_what_looks_like_a_secret(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_inventory(home, "host_vars/hec.yml", SECRETS)
    assert listing.show(ClustersShowOptions("hec")) == 0
    printed = capsys.readouterr().out
    assert listing.show(ClustersShowOptions("hec", json=True)) == 0
    json_text = capsys.readouterr().out
    assert "hunter" not in printed + json_text
    for kept in ("http://ada:(hidden)@proxy.example:3128", "export WANDB_API_KEY=(hidden)", "echo $HOME"):
        assert kept in printed
        assert kept in json_text
    values = json.loads(json_text)["values"]
    assert values["wandb_token"]["value"] == "(hidden)"
    hidden = {"user": "ada", "password": "(hidden)", "deeper": [{"client_secret": "(hidden)"}]}
    assert values["registry"]["value"] == hidden


def test_a_refusal_does_not_show_them_either(home: Path) -> None:
    own_inventory(home, "host_vars/hec.yml", "cluster_notes: export API_TOKEN=hunter-1\n")
    with pytest.raises(RookeryError, match=r"API_TOKEN=\(hidden\)") as caught:
        listing.show(ClustersShowOptions("hec"))
    assert "hunter" not in caught.value.message


@pytest.mark.parametrize("name", ["penguins", "hec", "hex", "bede"])
def test_show_hides_nothing_of_rookerys_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert listing.show(ClustersShowOptions(name)) == 0
    assert "(hidden)" not in capsys.readouterr().out
    assert not [key for key in schema.options() if secret_values.hidden(key, "x") != "x"]


def test_show_names_each_value_and_its_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own_inventory(home, "host_vars/hec.yml", "# mine\ncluster_user: a.student\nr_packages: [foreach]\n")
    assert listing.show(ClustersShowOptions("hec")) == 0
    shown = capsys.readouterr().out
    for text in ("Logging in", "max 12 h", "quota 200 GB", "memory 2 TB", "logins?", "? = not verified"):
        assert text in shown
    letters = {line[0]: line[4:] for line in shown.splitlines() if line[1:4] == " = "}
    user = next(line for line in shown.splitlines() if line.strip().startswith("user "))
    letter, number = user.split()[-1].split(":")
    assert (letters[letter], number) == (str(file), "2")
    assert f"{paths.root()}/inventory/host_vars/hec.yml" in letters.values()
    assert "r_packages" in shown.split(listing.REST)[1]


def test_show_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own_inventory(home, "host_vars/hec.yml", "cluster_user: a.student\n")
    assert listing.show(ClustersShowOptions("hec", json=True)) == 0
    values = json.loads(capsys.readouterr().out)["values"]
    assert values["cluster_user"] == {
        "key": "cluster_user",
        "value": "a.student",
        "where": f"{file}:1",
        "unverified": False,
    }
    assert values["cluster_logins"]["unverified"] is True
    assert values["cluster_storage"]["value"][2]["purge_days"] == 28


@pytest.mark.parametrize(("roomy", "place"), [("persistent", "$global_storage"), ("home", "$HOME/storage")])
def test_show_says_where_outputs_are(home: Path, capsys: pytest.CaptureFixture[str], roomy: str, place: str) -> None:
    own_inventory(home, "host_vars/hec.yml", f"cluster_roomy_storage: {roomy}\n")
    assert listing.show(ClustersShowOptions("hec")) == 0
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines() if "ROOKERY_STORAGE" in line] == [["ROOKERY_STORAGE", place]]


def test_show_refuses_an_unknown_cluster() -> None:
    with pytest.raises(RookeryError, match=r"Unknown cluster 'pengiuns' \(did you mean penguins"):
        listing.show(ClustersShowOptions("pengiuns"))


def test_every_key_of_the_schema_has_a_group() -> None:
    grouped = [f"cluster_{key}" for keys in listing.GROUPS.values() for key in keys.split()]
    assert sorted(grouped) == sorted(schema.options())


def test_text_from_a_profile_is_no_markup(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_inventory(home, "host_vars/hec.yml", "cluster_title: '[red]HEC[/red] [/]'\n")
    listing.show_all(ClustersListOptions())
    listing.show(ClustersShowOptions("hec"))
    assert capsys.readouterr().out.count("[red]HEC[/red] [/]") == 2
