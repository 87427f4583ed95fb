"""YAML files read: what a text says is kept, and is what reading it anew would say."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rookery import house, yaml_file
from rookery.project import read as project_read
from rookery.yaml_file import ANSIBLE, Dialect, Document


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/rookery/yaml"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "one.yml"
    file.write_text(text, encoding="utf-8")
    return file


def only_kept(file: Path, dialect: Dialect = ANSIBLE) -> Document | None:
    """What is kept of a file; None where nothing is."""

    def never(*_: Any) -> Any:
        raise LookupError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_file, "_parsed", never)
        try:
            return yaml_file.read(file, dialect)
        except LookupError:
            return None


def test_a_text_is_parsed_once(tmp_path: Path, cache: Path) -> None:
    file = written(tmp_path, "a: [1, 'x', null]\nb: {c: 0.5}\n")
    first = yaml_file.read(file)
    assert only_kept(file) == first
    assert first.line(("b", "c")) == 2
    assert only_kept(file, project_read.DIALECT) is None, "which reads it otherwise"
    assert yaml_file.read(file, project_read.DIALECT).data["b"] == {"c": "0.5"}
    assert {entry.stat().st_mode & 0o777 for entry in cache.iterdir()} == {0o600}
    written(tmp_path, "a: 2\n")
    assert only_kept(file) is None


@pytest.mark.parametrize(
    "text", ["day: 2026-11-27\n", "1: a\n", "a: &x [1]\nb: *x\n", "x: !!set {a}\n", "x: !!binary aGk=\n"]
)
def test_what_json_would_change_is_not_kept(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    first = yaml_file.read(file)
    assert only_kept(file) is None
    assert yaml_file.read(file) == first


@pytest.mark.parametrize(
    "line", ["password: x", "MY_TOKEN=1", "'api_key' : 1", "- client_secret: s", "wandb_api_key: 1"]
)
def test_what_may_hold_a_secret_is_not_kept(tmp_path: Path, cache: Path, line: str) -> None:
    file = written(tmp_path, f"jobs:\n  - |\n    {line}\n")
    yaml_file.read(file)
    assert not cache.exists()
    logins = written(tmp_path, "cluster_logins: [password, key]\n")
    yaml_file.read(logins)
    assert only_kept(logins)


@pytest.mark.parametrize("text", ["", "[]", "{", "[1, 2, 3]", "[{}, [[1, 2]]]", "\0"])
def test_a_cache_that_is_damaged_costs_time_alone(tmp_path: Path, cache: Path, text: str) -> None:
    file = written(tmp_path, "a: 1\n")
    yaml_file.read(file)
    for entry in cache.iterdir():
        entry.write_text(text)
    assert yaml_file.read(file).data == {"a": 1}


def test_a_cache_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert yaml_file.read(written(tmp_path, "a: 1\n")).data == {"a": 1}


def test_the_oldest_go(tmp_path: Path, cache: Path) -> None:
    for number in range(yaml_file.KEPT + 5):
        yaml_file.read(written(tmp_path, f"a: {number}\n"))
    assert len(list(cache.iterdir())) == yaml_file.KEPT
    assert house.cache_dir() in cache.parents


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(st.text(max_size=4), VALUES, max_size=4), ours=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_is_what_is_read(tmp_path: Path, data: dict[str, Any], ours: bool) -> None:
    file = written(tmp_path, yaml.safe_dump(data, allow_unicode=True))
    dialect = project_read.DIALECT if ours else ANSIBLE
    first = yaml_file.read(file, dialect)
    again = yaml_file.read(file, dialect)
    assert (repr(again.data), again.lines) == (repr(first.data), first.lines)
