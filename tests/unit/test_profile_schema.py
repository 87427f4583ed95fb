"""The schema: what it carries, and how it says no."""

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from user_home import at_home

from rookery.clusters.config import profile, roles, schema
from rookery.core import paths, secret_values
from rookery.core.errors import RookeryError

OTHER_SITES = Path(__file__).parents[1] / "data" / "profiles"
MINIMAL: dict[str, Any] = {
    "cluster_host": "login.example.org",
    "cluster_scheduler": "slurm",
    "cluster_storage": [
        {"name": "home", "expression": "$HOME"},
        {"name": "scratch", "expression": "$S", "purge_days": 9},
    ],
    "cluster_roomy_storage": "home",
    "cluster_source_url": "https://example.org",
    "cluster_verified_on": "2026-05",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


def site(folder: Path, text: str) -> list[Path]:
    """An inventory with one cluster, called one."""
    (folder / "host_vars").mkdir(parents=True)
    (folder / "hosts.yml").write_text("all: {hosts: {one: }}\n")
    (folder / "host_vars" / "one.yml").write_text(text)
    return [folder]


def refused(tmp_path: Path, change: Mapping[str, Any] | str, without: tuple[str, ...] = ()) -> RookeryError:
    """What is said of the minimal profile with this changed; a text is added to its file as it stands."""
    kept = {key: value for key, value in MINIMAL.items() if key not in without}
    text = (
        yaml.safe_dump(kept, sort_keys=False) + change
        if isinstance(change, str)
        else yaml.safe_dump({**kept, **change})
    )
    folders = site(tmp_path / "site", text)
    with pytest.raises(RookeryError) as caught:
        profile.load("one", folders)
    assert "\n" not in caught.value.message
    return caught.value


def test_every_key_is_described_and_begins_with_cluster() -> None:
    def walk(options: Mapping[str, Any], nested: bool) -> None:
        for key, spec in options.items():
            assert nested or key.startswith("cluster_"), key
            assert spec["type"] in {"str", "int", "float", "bool", "list", "dict"}, key
            assert len(spec["description"]) > 1, key
            assert spec["type"] != "list" or "elements" in spec, key
            # a default would hold in Ansible alone, not where rookery reads the same file
            assert "default" not in spec, key
            if spec["type"] == "dict" or spec.get("elements") == "dict":
                assert spec["options"], key
            walk(spec.get("options", {}), nested=True)

    walk(schema.options(), nested=False)


def test_nothing_in_it_looks_like_a_secret_so_that_it_is_parsed_once() -> None:
    for name in roles.TAGS:
        text = (paths.root() / f"roles/{name}/meta/argument_specs.yml").read_text(encoding="utf-8")
        assert not secret_values.NAMED.search(text), name


@pytest.mark.parametrize("name", ["penguins", "hec", "hex", "bede"])
def test_the_houses_profiles_are_valid(name: str) -> None:
    cluster = profile.load(name)
    assert cluster.scheduler == "slurm"
    assert {area.name for area in cluster.storage} >= {"home", "persistent", "scratch"}


@pytest.mark.parametrize("name", profile.names([OTHER_SITES]))
def test_other_sites_can_be_carried(name: str) -> None:
    cluster = profile.load(name, [OTHER_SITES])
    assert ArgumentSpecValidator(schema.options()).validate(dict(cluster.data)).error_messages == []


def test_what_is_special_of_other_sites_survives() -> None:
    bede, hex_ = profile.load("bede"), profile.load("hex")
    metal = profile.load("hex-metal", [OTHER_SITES])
    assert [architecture["name"] for architecture in bede.data["cluster_architectures"]] == ["ppc64le", "aarch64"]
    assert bede.data["cluster_architectures"][1]["submit"] == "ghbatch"
    assert bede.data["cluster_account"]["required"] is True
    assert (hex_.port, hex_.data["cluster_vpn"]["jump"]) == (6767, "scc-apex-dept.lancs.ac.uk:6767")
    assert metal.scheduler == "none"


WRONG = [
    ({"cluster_hosts": "x"}, "unknown key `cluster_hosts` (did you mean `cluster_host`?)"),
    ({"cluster_zzz": "x"}, "unknown key `cluster_zzz`"),
    ({"cluster_cpus": "two"}, "unknown key `cluster_cpus` (did you mean `cluster_gpus`?)"),
    ({"cluster_nodes": {"cors": "two"}}, "unknown key `cors` (did you mean `cores`?)"),
    ({"cluster_scheduler": "pbs"}, "`cluster_scheduler` must be one of slurm, none, not 'pbs'"),
    ({"cluster_port": "22a"}, "`cluster_port` must be a whole number, not '22a'"),
    ({"cluster_port": True}, "`cluster_port` must be a whole number, not true"),
    ({"cluster_port": None}, "`cluster_port` has no value (expected a whole number)"),
    (
        {"cluster_system_python": 3.10},
        '`cluster_system_python` must be text, not 3.1 (write it in quotes: "3.1")',
    ),
    ({"cluster_user": 123}, "`cluster_user` must be text, not 123 (write it in quotes"),
    ({"cluster_title": ["a"]}, "`cluster_title` must be text, not a list"),
    ({"cluster_logins": "key"}, "`cluster_logins` must be a list, not 'key' (write [key])"),
    ({"cluster_logins": ["keys"]}, "`cluster_logins[0]` must be one of key, password, "),
    (
        {"cluster_internet": {"login": True}},
        "`login` must be text, not true (write it in quotes",
    ),
    ({"cluster_vpn": {}}, "missing key `needed` (when it is needed)"),
    ({"cluster_vpn": "no"}, "`cluster_vpn` must be lines of `key: value`, not 'no'"),
    ({"cluster_host": "{{ here }}"}, "`cluster_host` must be a plain value, not a template"),
    (
        {"cluster_modules": {"r": "R/4.3.1"}},
        "`r` must be a list, not 'R/4.3.1' (write [R/4.3.1])",
    ),
    ({"cluster_modules": {"rr": ["R"]}}, "unknown key `rr` (did you mean `r`?)"),
    (
        {"cluster_partitions": [{"name": "a"}, {"nam": "b"}]},
        "unknown key `nam` (did you mean `name`?)",
    ),
    ({"cluster_partitions": [{"name": "a"}, {"for": "gpu"}]}, "missing key `name`"),
    ({"cluster_partitions": ["a"]}, "`cluster_partitions[0]` must be lines of `key: value`, not 'a'"),
]


@pytest.mark.parametrize(("change", "expected"), WRONG, ids=[expected[:40] for _, expected in WRONG])
def test_what_the_schema_refuses(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    error = refused(tmp_path, change)
    assert expected in error.message
    assert error.message.startswith(f"{tmp_path}/site/host_vars/one.yml:")
    assert error.hint is not None
    assert re.fullmatch(rf"edit line \d+ of {tmp_path}/site/host_vars/one.yml, then run the command again", error.hint)


SENSELESS = [
    (
        {"cluster_host": "-oProxyCommand=id"},
        "`cluster_host` must be a host name or an address, not '-oProxyCommand=id'",
    ),
    ({"cluster_host": "a b"}, "`cluster_host` must be a host name"),
    ({"cluster_host": ""}, "`cluster_host` must be a host name"),
    ({"cluster_host": "a\nb"}, "`cluster_host` must be a host name"),
    ({"cluster_port": 0}, "`cluster_port` must be between 1 and 65535, not 0"),
    ({"cluster_port": 65536}, "`cluster_port` must be between 1 and 65535, not 65536"),
    ({"cluster_user": "my name"}, "`cluster_user` must be a username, not 'my name'"),
    ({"cluster_user": "-l"}, "`cluster_user` must be a username, not '-l'"),
    ({"cluster_user": "o'neil"}, "`cluster_user` must be a username, not 'o'neil'"),
    ({"cluster_user": "$(id)"}, "`cluster_user` must be a username, not '$(id)'"),
    ({"cluster_user": "me\n"}, "`cluster_user` must be a username, not 'me\\n'"),
    ({"cluster_proxy_jump": "a -oX=y"}, "`cluster_proxy_jump` must be [USER@]HOST[:PORT]"),
    ({"cluster_proxy_jump": "good,-bad"}, "`cluster_proxy_jump` must be [USER@]HOST[:PORT]"),
    ({"cluster_identity_file": "id_ed25519"}, "`cluster_identity_file` must be a path that starts with / or ~/"),
    ({"cluster_known_hosts_file": "/a\nb"}, "`cluster_known_hosts_file` must be a path"),
    ({"cluster_verified_on": "May 2026"}, "`cluster_verified_on` must be a date"),
    (
        {"cluster_roomy_storage": "persistent"},
        "`cluster_roomy_storage` must be a name in `cluster_storage` (home, scratch), not 'persistent'",
    ),
    ({"cluster_moved_folders": ["~/../x"]}, "`cluster_moved_folders[0]` must be a folder of the home"),
    ({"cluster_moved_folders": ["~/.cache", "/tmp"]}, "`cluster_moved_folders[1]` must be a folder of the home"),
    (
        {"cluster_default_partition": "p"},
        "`cluster_default_partition` must be a name in `cluster_partitions`, which has none, not 'p'",
    ),
    ({"cluster_default_qos": "q"}, "`cluster_default_qos` must be a name in `cluster_qos`, which has none, not 'q'"),
    ({"cluster_qos": "standard"}, "must be a list, not 'standard' (write [{name: standard}])"),
    ({"cluster_qos": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}, "duplicate name 'a' in `cluster_qos`"),
    ({"cluster_partitions": [{"name": "a"}, {"name": "a"}]}, "duplicate name 'a' in `cluster_partitions`"),
    ({"cluster_gpus": [{"type": "a"}, {"type": "a"}]}, "duplicate type 'a' in `cluster_gpus`"),
    ({"cluster_qos": [{"name": "a", "partitions": ["p"]}]}, "`partitions[0]` must be a name in `cluster_partitions`"),
    ({"cluster_sbatch": ["--qos=x"]}, "`cluster_sbatch[0]` can't have '--qos=x': use `cluster_qos`"),
    ({"cluster_sbatch": ["--time=1"]}, "`cluster_sbatch[0]` can't have '--time=1': each job has its own"),
    ({"cluster_sbatch": ["-C gpu"]}, "`cluster_sbatch[0]` must be one option of sbatch, not '-C gpu'"),
    ({"cluster_sbatch": ["--comment=a\n#SBATCH --x"]}, "`cluster_sbatch[0]` must be one option of sbatch"),
    (
        {"cluster_partitions": [{"name": "a", "options": ["--gres=gpu:N"]}]},
        "`options[0]` can't have '--gres=gpu:N': use `min_gpus`",
    ),
    (
        {"cluster_partitions": [{"name": "a", "account": "{account} x"}]},
        "`account` must be the name of an account, not '{account} x'",
    ),
    (
        {"cluster_gpus": [{"type": "v100", "partitions": ["gpu"]}]},
        "`partitions[0]` must be a name in `cluster_partitions`",
    ),
    (
        {"cluster_storage": [{"name": "tmp", "expression": "/tmp"}]},
        "`cluster_storage` needs an entry with the name home",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "$HOME", "purge_days": 28}]},
        "`cluster_roomy_storage` must be permanent storage: home is purged, or exists only on a node",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "$HOME", "on_compute_nodes": False}]},
        "`cluster_storage` needs an entry that compute nodes see",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "a"}, {"name": "home", "expression": "b"}]},
        "duplicate name 'home'",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "$HOME"}, {"name": "a b", "expression": "/a"}]},
        "`name` must be a name, not 'a b'",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "$HOME", "role": "scratch"}]},
        "`role` must be home for the storage with the name home",
    ),
    (
        {
            "cluster_storage": [
                {"name": "home", "expression": "$HOME"},
                {"name": "local", "expression": "$TMPDIR", "role": "node"},
            ]
        },
        "`role: node` and `scope: node` belong together",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": "$HOME", "variable": "$HOME"}]},
        "`variable` must be the name of a variable, not '$HOME'",
    ),
    (
        {"cluster_storage": [{"name": "home", "expression": '$HOME"; rm -rf ~; "'}]},
        '`expression` must be a path without ", \\ and line breaks',
    ),
]


@pytest.mark.parametrize(("change", "expected"), SENSELESS, ids=[expected[:40] for _, expected in SENSELESS])
def test_what_makes_no_sense(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    error = refused(tmp_path, change)
    assert expected in error.message
    assert error.message.startswith(f"{tmp_path}/site/host_vars/one.yml:")


@pytest.mark.parametrize(
    "change",
    [
        {"cluster_user": "ab12345.brics"},
        {"cluster_user": "a_b-c.9"},
        {"cluster_host": "2001:db8::1"},
        {"cluster_host": "127.8.0.1"},
        {"cluster_proxy_jump": "me@a.example.org:6767,[::1]:22"},
        {"cluster_identity_file": '~/my keys/it\'s "mine"'},
        {"cluster_port": 65535},
    ],
    ids=str,
)
def test_what_is_unusual_and_right(tmp_path: Path, change: dict[str, Any], home: Path) -> None:
    cluster = profile.load("one", site(tmp_path / "site", yaml.safe_dump({**MINIMAL, **change})))
    if "cluster_identity_file" in change:
        assert cluster.identity_file == f'{home}/my keys/it\'s "mine"'


@pytest.mark.parametrize("key", list(MINIMAL))
def test_a_missing_key_is_named_with_the_file_to_say_it_in(tmp_path: Path, key: str) -> None:
    error = refused(tmp_path, {}, without=(key,))
    file = tmp_path / "site/host_vars/one.yml"
    assert error.message.startswith(f"{file}:1: missing key `{key}` (")
    assert error.hint == f"edit line 1 of {file}, then run the command again"


def test_the_line_is_that_of_the_value_inside(tmp_path: Path) -> None:
    text = "cluster_partitions:\n- name: a\n- name: b\n  for: gpu\n  max_minutes: 5h\n"
    error = refused(tmp_path, text)
    lines = (tmp_path / "site" / "host_vars" / "one.yml").read_text().splitlines()
    place, rest = error.message.split(": ", 1)
    assert lines[int(place.rsplit(":", 1)[1]) - 1] == "  max_minutes: 5h"
    assert rest == "`max_minutes` must be a whole number, not '5h'"


def test_ansible_refuses_too_what_no_reading_could_mend() -> None:
    """What Ansible would turn into something (22 as text, a list for a lone name) is refused by rookery alone."""
    mended = {"not 3.1", "not 123", "text, not a list", "(write [", "a template", "not true", "no value"}
    for change, message in WRONG:
        if not any(part in message for part in mended):
            values = copy.deepcopy({**MINIMAL, **change})
            assert ArgumentSpecValidator(schema.options()).validate(values).error_messages, message


def test_a_profile_that_passed_is_not_asked_about_again_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = site(tmp_path / "site", yaml.safe_dump(MINIMAL))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    receipts = tmp_path / "cache/rookery/profiles"
    profile.load("one", folders)
    profile.load("one", folders)
    assert len(list(receipts.iterdir())) == 1
    file = tmp_path / "site" / "host_vars" / "one.yml"
    file.write_text(file.read_text().replace("purge_days: 9", "purge_days: nine"))
    with pytest.raises(RookeryError, match="`purge_days` must be a whole number"):
        profile.load("one", folders)
    assert len(list(receipts.iterdir())) == 1


def test_a_cache_that_cant_be_written_stops_nothing(tmp_path: Path, home: Path) -> None:
    (home / ".cache").write_text("not a folder")
    assert profile.load("one", site(tmp_path / "site", yaml.safe_dump(MINIMAL))).host == "login.example.org"


def test_the_schemas_file_is_where_ansible_looks_for_it() -> None:
    assert schema.file() == paths.root() / "roles" / "cluster" / "meta" / "argument_specs.yml"
    assert schema.file().is_file()
