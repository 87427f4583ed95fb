"""The command `clusters.keys`: every key of the schema, and what it says of each."""

import json

import pytest

from rookery.clusters.config import profile, schema
from rookery.core.errors import RookeryError
from rookery.homes import profile_keys
from rookery.homes.options import ClustersKeysOptions


def listed(capsys: pytest.CaptureFixture[str], key: str = "") -> dict[str, dict[str, object]]:
    assert profile_keys.run(ClustersKeysOptions(key=key, json=True)) == 0
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_every_key_of_the_schema_is_listed_with_those_inside_it(capsys: pytest.CaptureFixture[str]) -> None:
    keys = listed(capsys)
    assert {name.partition(".")[0].removesuffix("[]") for name in keys} == set(schema.options())
    assert {"cluster_account.name", "cluster_qos[].max_minutes", "cluster_policies.vscode_compute"} <= set(keys)
    assert keys["cluster_storage[].expression"]["required"]
    assert keys["cluster_qos[].partitions"]["kind"] == "list of text"
    assert keys["cluster_quota.format"]["choices"] == ["gpfsquota", "quota-s", "lfs", "df", "json"]
    assert not any("C(" in str(entry["meaning"]) for entry in keys.values())


def test_each_key_of_the_shipped_profiles_is_among_them(capsys: pytest.CaptureFixture[str]) -> None:
    keys = listed(capsys)
    for name in profile.names():
        assert set(profile.load(name).data) <= set(keys)


def test_a_word_picks_keys_and_those_inside(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(listed(capsys, "Quota")) == {
        "cluster_storage[].quota_mb", "cluster_storage[].quota_files", "cluster_quota", "cluster_quota.command",
        "cluster_quota.format",
    }  # fmt: skip
    profile_keys.run(ClustersKeysOptions(key="quota"))
    assert "cluster_quota.format" in capsys.readouterr().out


def test_without_a_word_the_outer_keys_are_shown_in_their_groups(capsys: pytest.CaptureFixture[str]) -> None:
    profile_keys.run(ClustersKeysOptions())
    shown = capsys.readouterr().out
    assert (
        shown.index("Which cluster") < shown.index("cluster_title") < shown.index("Jobs") < shown.index("cluster_qos")
    )
    assert "cluster_qos[].name" not in shown


def test_a_word_that_is_in_no_key() -> None:
    with pytest.raises(RookeryError, match=r"No key of a profile has 'stroage' in its name \(did you mean storage\?\)"):
        profile_keys.run(ClustersKeysOptions(key="stroage"))
