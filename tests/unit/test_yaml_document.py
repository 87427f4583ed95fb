"""YAML files read: what a text says is kept, and is what reading it anew would say."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import in_time
from hypothesis import given
from hypothesis import strategies as st

from rookery.core import paths, yaml_document
from rookery.core.errors import RookeryError
from rookery.core.yaml_document import ANSIBLE, Dialect, Document
from rookery.projects import config as project_read


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
        patch.setattr(yaml_document, "_parsed", never)
        try:
            return yaml_document.read(file, dialect)
        except LookupError:
            return None


def test_a_text_is_parsed_once(tmp_path: Path, cache: Path) -> None:
    file = written(tmp_path, "a: [1, 'x', null]\nb: {c: 0.5}\n")
    first = yaml_document.read(file)
    assert only_kept(file) == first
    assert first.line(("b", "c")) == 2
    assert only_kept(file, project_read.DIALECT) is None, "which reads it otherwise"
    assert yaml_document.read(file, project_read.DIALECT).data["b"] == {"c": "0.5"}
    assert {entry.stat().st_mode & 0o777 for entry in cache.iterdir()} == {0o600}
    written(tmp_path, "a: 2\n")
    assert only_kept(file) is None


def test_a_reader_may_change_what_it_reads(tmp_path: Path, cache: Path) -> None:
    file = written(tmp_path, "a: [1]\nb: {c: [2]}\n")
    for _ in range(4):  # parsed, from the cache, and as this process knows it
        data = yaml_document.read(file).data
        assert data == {"a": [1], "b": {"c": [2]}}
        data["a"].append(3)
        data["b"]["c"].clear()
    for entry in cache.iterdir():
        entry.unlink()
    assert only_kept(file) is not None


@pytest.mark.parametrize("text", ["day: 2026-11-27\n", "1: a\n", "a: &x [1]\nb: *x\n"])
def test_what_json_would_change_is_not_kept(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    first = yaml_document.read(file)
    assert only_kept(file) is None
    assert yaml_document.read(file) == first


@pytest.mark.parametrize(
    "line", ["password: x", "MY_TOKEN=1", "'api_key' : 1", "- client_secret: s", "wandb_api_key: 1"]
)
def test_what_may_hold_a_secret_is_not_kept(tmp_path: Path, cache: Path, line: str) -> None:
    file = written(tmp_path, f"jobs:\n  - |\n    {line}\n")
    yaml_document.read(file)
    assert not cache.exists()
    logins = written(tmp_path, "cluster_logins: [password, key]\n")
    yaml_document.read(logins)
    assert only_kept(logins)


@pytest.mark.parametrize("text", ["", "[]", "{", "[1, 2, 3]", "[{}, [[1, 2]]]", "[" * 100_000, "\0"])
def test_a_cache_that_is_damaged_costs_time_alone(tmp_path: Path, cache: Path, text: str) -> None:
    file = written(tmp_path, "a: 1\n")
    yaml_document.read(file)
    for entry in cache.iterdir():
        entry.write_text(text)
    assert yaml_document.read(file).data == {"a": 1}


def test_a_cache_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert yaml_document.read(written(tmp_path, "a: 1\n")).data == {"a": 1}


def test_the_oldest_go(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_document, "KEPT", 5)
    for number in range(yaml_document.KEPT + 5):
        yaml_document.read(written(tmp_path, f"a: {number}\n"))
    assert len(list(cache.iterdir())) == yaml_document.KEPT
    assert paths.cache_dir() in cache.parents


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\nb: !!int x\n", 2, "the tag !!int is not allowed (write the value itself)"),
        ("a: !!int 5\n", 1, "the tag !!int is not allowed"),
        ("a: [x,\n  !!python/name:os.system y]\n", 2, "the tag !!python/name:os.system is not allowed"),
        ("a: !!binary aGk=\n", 1, "the tag !!binary is not allowed"),
        ("a: !!timestamp x\n", 1, "the tag !!timestamp is not allowed"),
        ("a: !!set {x}\n", 1, "the tag !!set is not allowed"),
        ("a: !!omap [x: 1]\n", 1, "the tag !!omap is not allowed"),
        ("!!map {}\n", 1, "the tag !!map is not allowed"),
        ("? !!null x\n: 1\n", 1, "the tag !!null is not allowed"),
        ("a: !unsafe '{{ x }}'\n", 1, "the tag !unsafe is not allowed"),
        ("a: !vault |\n  $ANSIBLE_VAULT\n", 1, "the tag !vault is not allowed"),
        ("# x\n%TAG ! tag:yaml.org,2002:\n---\na: !binary aGk=\n", 2, "%TAG is not allowed"),
        ("a: !<%1b[31m> x\n", 1, "the tag ?[31m is not allowed"),
        ("a: 1\nb: 2026-02-30\n", 2, "this is not YAML: day is out of range for month"),
        ("a: [1,\n 0x_]\n", 2, "this is not YAML: invalid literal"),
        ("a: 0b_\n", 1, "this is not YAML: invalid literal"),
        (f"a: {'9' * 5000}\n", 1, "this is not YAML: the number is too large"),
        (f"a: 0x{'9' * 5000}\n", 1, "this is not YAML: the number is too large"),
        ("a: 9223372036854775808\n", 1, "this is not YAML: the number is too large"),
        (f"a: 1{':59' * 300_000}\n", 1, "this is not YAML: the number is too large"),
        ("a: .inf\n", 1, "this is not YAML: the number is infinite or not a number"),
        ("a: &x [1]\nb: &y {x: [*y]}\n", 2, "*y is inside the value that it repeats"),
        ("a: &x {<<: *x}\n", 1, "*x is inside the value that it repeats"),
        ("a:\n" + " [" * 101, 2, "nested too deeply (more than 100 levels)"),
        (
            "".join(f"a{n}: &a{n} [{'*a' if n else 'x'}{n - 1 if n else ''}]\n" for n in range(200)),
            98,
            "nested too deeply",
        ),
        (f"a: &a [{'x, ' * 1000}]\nb: [{'*a, ' * 101}]\n", 2, "the aliases repeat more than 100,000 values"),
        (f"a: &a {{k: 1}}\nb: {{<<: [{'*a, ' * 60_000}]}}\n", 2, "the aliases repeat more"),
    ],
)
@pytest.mark.parametrize("dialect", [ANSIBLE, project_read.DIALECT], ids=lambda dialect: dialect.name)
def test_what_would_be_something_else_or_too_much_is_refused(
    tmp_path: Path, dialect: Dialect, text: str, line: int, expected: str
) -> None:
    file = written(tmp_path, text)
    if dialect is not ANSIBLE and "not YAML" in expected:
        assert yaml_document.read(file, dialect).data["a"], "text as it was written"
        return
    with pytest.raises(RookeryError) as caught:
        yaml_document.read(file, dialect)
    assert caught.value.message.startswith(f"{file}:{line}: {expected}")
    assert caught.value.hint == f"edit line {line} of {file}, then run the command again"


@pytest.mark.parametrize("key", ["cluster_host", "jobs", "anything", "a: {b: [c"])
def test_ten_lines_that_repeat_a_thousand_million_are_refused_at_once(tmp_path: Path, key: str) -> None:
    closing = "}" * key.count("{") + "]" * key.count("[")
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with in_time(), pytest.raises(RookeryError, match="the aliases repeat more than 100,000 values"):
        yaml_document.read(written(tmp_path, f"a0: &a0 [x]\n{levels}{key}: *a9{closing}\n"))


def test_a_value_may_be_repeated_and_be_called_text(tmp_path: Path) -> None:
    file = written(tmp_path, "a: &a {x: 1}\nb: {<<: *a, y: [*a, *a]}\nc: !!str 12\n")
    expected = {"a": {"x": 1}, "b": {"x": 1, "y": [{"x": 1}, {"x": 1}]}, "c": "12"}
    assert yaml_document.read(file).data == expected


def test_what_is_no_file_or_a_very_large_one_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    with pytest.raises(RookeryError, match=r"Can't read .*pipe.yml: it is not a file"):
        yaml_document.read(tmp_path / "pipe.yml")
    with pytest.raises(RookeryError, match=r"one.yml is larger than 1 MB"):
        yaml_document.read(written(tmp_path, "#" * 1_000_001))


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers(-9, 9), inner, max_size=3).filter(
            lambda made: len({str(key) for key in made}) == len(made)  # 2 and "2" are refused as the same key
        )
    ),
    max_leaves=8,
)


@given(data=st.dictionaries(st.text(max_size=4), VALUES, max_size=4), ours=st.booleans())
def test_what_is_kept_is_what_is_read(tmp_path: Path, data: dict[str, Any], ours: bool) -> None:
    file = written(tmp_path, yaml.safe_dump(data, allow_unicode=True))
    dialect = project_read.DIALECT if ours else ANSIBLE
    first = yaml_document.read(file, dialect)
    again = yaml_document.read(file, dialect)
    assert (repr(again.data), again.lines) == (repr(first.data), first.lines)
