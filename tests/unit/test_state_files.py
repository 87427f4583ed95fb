"""What rookery keeps on a computer between commands."""

from pathlib import Path

import pytest

from rookery.core import cache, state_files, written_files
from rookery.core.shapes import struct, text


def test_nothing_else_is_kept_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_files.place("clusters", "hec.json") == tmp_path / "rookery/clusters/hec.json"
    assert state_files.place("clusters", "hec.json", sandbox=True) == tmp_path / "rookery/sandbox/clusters/hec.json"
    with pytest.raises(KeyError):
        state_files.place("cluster")


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"a": 1}', b'{"a": "b", "a": "c"}'])
def test_what_is_saved_is_loaded_and_damage_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes
) -> None:
    file, shape = tmp_path / "inner/x.json", struct({"a": text()})
    assert state_files.load(file, shape) is None
    state_files.save(file, {"a": "b"})
    assert state_files.load(file, shape) == {"a": "b"}
    file.write_bytes(damage)
    assert state_files.load(file, shape) is None
    assert state_files.load(file, shape) is None
    assert capsys.readouterr().err.count("Skipped ") == 1
    assert file.read_bytes() == damage


def test_a_file_that_the_user_changed_is_known_as_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "table.csv"
    file.write_text("1\n")
    assert not written_files.is_known("combined", file)
    assert not written_files.is_unchanged("combined", file)
    written_files.remember("combined", file)
    assert written_files.is_known("combined", file)
    assert written_files.is_unchanged("combined", file)
    assert not written_files.is_unchanged("rendered", file)
    file.write_text("2\n")
    assert not written_files.is_unchanged("combined", file)
    file.unlink()
    assert not written_files.is_unchanged("combined", file)


def test_a_cache_keeps_the_newest_and_needs_no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.entry("yaml", "a", "bc") != cache.entry("yaml", "ab", "c")
    for number in range(5):
        cache.keep(cache.entry("yaml", str(number)), str(number), most=2)
    assert len(list((tmp_path / "rookery/yaml").iterdir())) == 2
    assert cache.entry("yaml", "4").read_text() == "4"
    (tmp_path / "rookery/profiles").write_text("no folder")
    cache.keep(cache.entry("profiles", "a"))
