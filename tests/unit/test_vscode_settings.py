"""Settings merged into settings.json: every byte that is not rookery's stays, and goes back to what it was."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vscode_home import PLATFORM, cluster, home_with_vscode, settings_file

from rookery.homes.vscode import jsonc, record, settings, workstation
from rookery.homes.vscode.settings import SettingsChange

WISHES = [
    SettingsChange((PLATFORM, "penguins"), "linux"),
    SettingsChange((PLATFORM, "penguins-job"), "linux"),
    SettingsChange(("remote.SSH.connectTimeout",), 600),
    SettingsChange(("remote.SSH.lockfilesInTmp",), True),
]
KEYS = ("a", "b.c", "é", "penguins", PLATFORM, "remote.SSH.connectTimeout")
SCALARS = ('"a//b"', r'"\"}{,\u00e9"', "1", "true", "null", "-1.5e3", '""')


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Settings as people and programs write them."""
    end = draw(st.sampled_from(["\n", "\r\n"]))

    def gap() -> str:
        parts = [" ", "  ", "\t", end, '/* é } " */', f'// "{{,{end}', ""]
        return "".join(draw(st.lists(st.sampled_from(parts), max_size=3)))

    def value(depth: int) -> str:
        kind = draw(st.integers(0, 8 if depth < 2 else 6))
        if kind == 7:
            return thing(depth + 1)
        if kind == 8:
            return f"[{gap()}{f'1{gap()},' if draw(st.booleans()) else ''}{gap()}]"
        return SCALARS[kind]

    def thing(depth: int) -> str:
        count, text = draw(st.integers(0, 3)), "{" + gap()
        for number in range(count):
            key = json.dumps(draw(st.sampled_from(KEYS)), ensure_ascii=False)
            text += f"{key}{gap()}:{gap()}{value(depth)}{gap()}"
            text += f",{gap()}" if number < count - 1 or draw(st.booleans()) else ""
        return text + "}"

    begin = draw(st.sampled_from(["", "\ufeff"]))
    return begin + gap() + (thing(0) if draw(st.integers(0, 9)) else "") + gap()


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(documents())
def test_what_is_not_ours_stays_and_ours_can_go_again(text: str) -> None:
    before = jsonc.read(text)
    merged = settings.merge(text, WISHES, {})
    kept = {setting.path for setting, _ in merged.kept}
    for setting in WISHES:
        now, then = jsonc.find(merged.text, setting.path), jsonc.find(text, setting.path)
        assert setting.path in kept or (now and now.data == setting.value)
        assert setting.path not in kept or then is None or (now and json.dumps(now.data) == json.dumps(then.data))
    letters = iter(merged.text)
    assert all(letter in letters for letter in text)  # nothing of theirs is gone or has changed its place
    again = settings.merge(merged.text, WISHES, {})
    assert (again.text, again.added) == (merged.text, ())
    back, left = settings.without(merged.text, merged.added, merged.made)
    assert left == []
    assert squeezed(back) == squeezed(text if before else text + "{}")
    after = jsonc.read(back)
    assert after
    assert json.dumps(after.data) == json.dumps(before.data if before else {})


@given(documents(), st.integers(0, 10_000), st.sampled_from('{}[]",:/*x\\\x00'))
def test_a_text_that_is_broken_is_never_taken_for_another(text: str, place: int, letter: str) -> None:
    """Whatever is made of a text that somebody's finger slipped in, it is refused or read as JSON reads it."""
    broken = text[: place % (len(text) + 1)] + letter + text[place % (len(text) + 1) :]
    try:
        merged = settings.merge(broken, WISHES, {})
    except jsonc.BrokenError as error:
        assert str(error).startswith("line ")
        return
    letters = iter(merged.text)
    assert all(character in letters for character in broken)
    jsonc.read(merged.text)


CASES = {
    "nothing": ("", '{\n    "K": 1\n}\n'),
    "a comment": ("// mine", '// mine\n{\n    "K": 1\n}\n'),
    "empty": ("{}\n", '{\n    "K": 1\n}\n'),
    "two blanks": ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "K": 1\n}\n'),
    "tabs": ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"K": 1\n}'),
    "a last comma": ('{\n    "a": 1,\n}', '{\n    "a": 1,\n    "K": 1,\n}'),
    "a comment last": ('{\n  "a": 1 // why\n  // end\n}', '{\n  "a": 1, // why\n  // end\n  "K": 1\n}'),
    "one line": ('{"a": 1}', '{"a": 1, "K": 1}'),
    "CRLF and BOM": ('\ufeff{\r\n  "a": 1\r\n}\r\n', '\ufeff{\r\n  "a": 1,\r\n  "K": 1\r\n}\r\n'),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_a_setting_is_added_in_the_form_that_is_there(before: str, after: str) -> None:
    assert jsonc.put(before, ("K",), 1) == after


def test_an_object_is_added_and_one_that_is_there_grows() -> None:
    text = jsonc.put('{\n  "a": 1\n}\n', ("P", "one"), "linux")
    assert text == '{\n  "a": 1,\n  "P": {\n    "one": "linux"\n  }\n}\n'
    text = jsonc.put(text, ("P", "two"), "linux")
    assert text == '{\n  "a": 1,\n  "P": {\n    "one": "linux",\n    "two": "linux"\n  }\n}\n'
    assert jsonc.take_out(jsonc.take_out(text, ("P", "two")), ("P",)) == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize(
    "text", ['{"a": 1', '{"a" 1}', "[1]", '{"a": 01}', "{a: 1}", '{"a": 1}}', "{,}", "{\"a\": 'b'}", "[" * 9999]
)
def test_broken_settings_are_refused_with_the_line(text: str) -> None:
    with pytest.raises(jsonc.BrokenError, match=r"^line \d+: "):
        settings.merge(text, WISHES, {})


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    merged = settings.merge('{"remote.SSH.connectTimeout": 600, "remote.SSH.connectTimeout": 30}', WISHES[2:3], {})
    assert [theirs for _, theirs in merged.kept] == [30]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_with_vscode(tmp_path, monkeypatch)


@pytest.fixture
def file(home: Path) -> Path:
    return settings_file(home)


def test_a_file_is_changed_once_copied_first_and_put_back(file: Path) -> None:
    before = file.read_bytes()
    outcome = settings.apply(file, WISHES)
    assert (outcome.state, len(outcome.added)) == ("changed", 4)
    after = file.read_bytes()
    assert after.startswith(before[:-1])
    assert b"\r\n" in after
    assert b"\n" not in after.replace(b"\r\n", b"")
    assert Path(outcome.note).read_bytes() == before
    assert file.stat().st_mode & 0o777 == 0o640
    stamp = file.stat().st_mtime_ns
    assert settings.apply(file, WISHES).state == "same"
    assert file.stat().st_mtime_ns == stamp
    settings.apply(file, [*WISHES, SettingsChange(("more",), True)])
    assert len(list(file.parent.glob("*before-rookery*"))) == 1
    assert settings.take_back(file).state == "changed"
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]
    assert not record.note().exists()


@given(documents(), st.sampled_from([None, WISHES[:2]]))
def test_any_file_nobody_has_touched_is_the_very_same_again(text: str, first: list[SettingsChange] | None) -> None:
    path = Path.home() / ".config/Code/User/any.json"
    path.write_text(text, encoding="utf-8", newline="")
    before = path.read_bytes()
    if first:
        settings.apply(path, first)
    settings.apply(path, WISHES)
    settings.take_back(path)
    assert path.read_bytes() == before


def test_a_file_that_was_not_there_goes_again(file: Path) -> None:
    file.unlink()
    assert settings.apply(file, WISHES).note == ""
    assert json.loads(file.read_text())[PLATFORM] == {"penguins": "linux", "penguins-job": "linux"}
    settings.take_back(file)
    assert not file.exists()


def test_what_the_person_changes_later_is_theirs(file: Path) -> None:
    settings.apply(file, WISHES)
    changed = file.read_text().replace("600", "20").replace('"editor.fontSize": 15', '"editor.fontSize": 16')
    file.write_text(changed)
    outcome = settings.apply(file, WISHES)
    assert [(setting.path, theirs) for setting, theirs in outcome.kept] == [(("remote.SSH.connectTimeout",), 20)]
    back = settings.take_back(file)
    assert [setting.path for setting, _ in back.kept] == [("remote.SSH.connectTimeout",)]
    assert jsonc.read(file.read_text()).data == {"editor.fontSize": 16, "remote.SSH.connectTimeout": 20}  # type: ignore[union-attr]


def test_what_rookery_wrote_it_may_change(file: Path) -> None:
    settings.apply(file, [SettingsChange(("remote.SSH.connectTimeout",), 60)])
    assert settings.apply(file, WISHES).kept == ()
    assert "600" in file.read_text()


@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe{}", b"[]"])
def test_what_can_not_be_read_is_left_alone_and_the_lines_told(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    outcome = settings.apply(file, WISHES)
    assert outcome.state == "broken"
    assert file.read_bytes() == content
    output = list(workstation.lines([outcome]))
    assert "Nothing was changed" in output[0]
    lines = "\n".join(output[1:])
    assert json.loads("{" + lines + "}")["remote.SSH.connectTimeout"] == 600
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]


def test_a_link_stays_a_link_and_a_read_only_file_as_it_is(file: Path, tmp_path: Path) -> None:
    dotfile = tmp_path / "dotfiles.json"
    file.rename(dotfile)
    file.symlink_to(dotfile)
    settings.apply(file, WISHES)
    assert file.is_symlink()
    assert "600" in dotfile.read_text()
    before = dotfile.read_bytes()
    dotfile.chmod(0o440)
    outcome = settings.apply(file, [SettingsChange(("more",), 1)])
    assert (outcome.state, outcome.note) == ("unwritable", "it is read-only")
    assert dotfile.read_bytes() == before
    file.unlink()
    file.symlink_to(file)
    assert settings.apply(file, WISHES).state == "unwritable"


def test_check_writes_nothing(file: Path) -> None:
    before = file.read_bytes()
    assert settings.apply(file, WISHES, check=True).state == "would-change"
    assert file.read_bytes() == before
    assert not record.note().exists()


def test_what_the_editor_writes_at_the_same_moment_is_not_lost(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = settings.atomic_files.write

    def meanwhile(path: Path, text: str | bytes, **options: Any) -> None:
        if path.name.startswith(f"{file.name}{settings.atomic_files.KEPT}"):
            file.write_text('{"newer": true}')
        real(path, text, **options)

    monkeypatch.setattr(settings.atomic_files, "write", meanwhile)
    assert settings.apply(file, WISHES).state == "unwritable"
    assert file.read_text() == '{"newer": true}'


class Killed(BaseException):
    """What ends the program at once."""


def ended(monkeypatch: pytest.MonkeyPatch, file: Path, moment: int) -> None:
    """Settings applied by a program that is ended before it writes its nth file."""
    real, moments = settings.atomic_files.write, iter(range(1, 99))

    def write(path: Path, text: str | bytes, **options: Any) -> None:
        if next(moments) == moment:
            raise Killed
        real(path, text, **options)

    with monkeypatch.context() as patched, suppress(Killed):
        patched.setattr(settings.atomic_files, "write", write)
        settings.apply(file, WISHES, gone=[("old",)])


OLD = [SettingsChange(("remote.SSH.connectTimeout",), 60), SettingsChange(("old",), 1)]


@pytest.mark.parametrize("there", [True, False], ids=["a file", "no file"])
@pytest.mark.parametrize("again", [True, False], ids=["again", "undo"])
@pytest.mark.parametrize("first", [[], OLD], ids=["first change", "later change"])
@pytest.mark.parametrize("moment", range(1, 5))
def test_whenever_it_is_ended_what_it_wrote_is_still_known(
    file: Path, monkeypatch: pytest.MonkeyPatch, moment: int, first: list[SettingsChange], *, again: bool, there: bool
) -> None:
    if not there:
        file.unlink()
    before = file.read_bytes() if there else None
    settings.apply(file, first)
    ended(monkeypatch, file, moment)
    if again:
        assert settings.apply(file, WISHES, gone=[("old",)]).kept == ()
        document = jsonc.read(file.read_text())
        assert document
        assert (document.data["remote.SSH.connectTimeout"], "old" in document.data) == (600, False)
    settings.take_back(file)
    assert not record.note().exists()
    assert (file.read_bytes() if file.exists() else None) == before
    assert [path.name for path in file.parent.iterdir()] == (["settings.json"] if there else [])


@pytest.mark.parametrize("moment", range(1, 5))
def test_undo_finds_what_was_written_and_leaves_what_the_person_wrote_since(
    file: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    ended(monkeypatch, file, moment)
    file.write_bytes(file.read_bytes().replace(b"15", b"16"))
    for path in workstation.files(cluster()):
        workstation.take_back(cluster(), path)
    assert file.read_bytes() == b'{\r\n\t// mine\r\n\t"editor.fontSize": 16,\r\n}'
    assert not record.note().exists()
