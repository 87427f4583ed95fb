"""Folders, links, files, JSON, ledger and lease: the apply program as a real process in a real home."""

from __future__ import annotations

import fcntl
import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from home_helpers import Login, action, pythons, states, tree
from waiting import wait_for


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


def everything(login: Login) -> dict[str, Any]:
    """A declaration with something of every kind, in a home that has something in every place."""
    (login.home / ".cache/pip").mkdir(parents=True)
    (login.home / ".cache/pip/wheel").write_bytes(b"\0" * 5000)
    (login.home / ".bashrc").write_bytes(b"#!/bin/bash\nalias ll='ls -l'\r\ncase $- in *i*) ;; *) return ;; esac")
    (login.home / "start-pyenv").write_text("# mine\n")
    (login.home / "settings.json").write_text('{\n  "mine": 1\n}')
    (login.home / "tool").write_text("an old tool")
    return {
        "directories": [{"path": "~/lib/R/4.3", "mode": "0700"}],
        "moves": [{"path": "~/.cache", "storage": str(login.storage)}],
        "links": [{"path": "~/tool", "target": "~/lib"}],
        "files": [{"path": "~/start-pyenv", "content": "é\n", "mode": "0644"}],
        "blocks": [{"path": "~/.bashrc", "content": ". ~/env.sh", "position": "top"}],
        "json": [{"path": "~/settings.json", "values": {"mine": 2, "ours": {"deep": True}}}],
        "environment": {"name": "50-python", "variables": {"A": "it's"}, "path": ["/opt/x"]},
        "commands": [{"what": "Make it", "argv": ["touch", "{stage}"], "creates": "~/made", "stage": True}],
    }


@pytest.mark.parametrize("python", pythons())
def test_check_tells_what_a_run_does_and_writes_nothing(tmp_path: Path, python: str) -> None:
    login = Login(tmp_path, python)
    declaration = everything(login)
    before = tree(tmp_path, times=True)

    foretold = login.send(declaration, check=True)
    assert tree(tmp_path, times=True) == before
    assert set(states(foretold)) == {"would-change"}

    done = login.send(declaration)
    assert done["diff"] == foretold["diff"]
    assert [(outcome["kind"], outcome["path"]) for outcome in done["outcomes"]] == [
        (outcome["kind"], outcome["path"]) for outcome in foretold["outcomes"]
    ]
    assert set(states(done)) == {"made", "changed"}

    settled = tree(tmp_path, leave_out="home/.local")
    again = login.send(declaration)
    assert not again["changed"]
    assert again["diff"] == []
    assert set(states(again)) == {"present", "kept"}  # kept: the key in settings.json that the person set
    assert tree(tmp_path, leave_out="home/.local") == settled


def test_a_home_in_a_login_without_utf8_and_with_an_awkward_name(tmp_path: Path) -> None:
    for number, python in enumerate(pythons()[:2]):
        login = Login(tmp_path / f"{number} sam's $(home) \u00e9", python)
        declaration = {
            "files": [{"path": "~/caf\u00e9 'x'/a b", "content": "\u00fc"}],
            "environment": {"name": "10-x", "variables": {"HERE": "~/caf\u00e9"}, "shells": ["sh"]},
        }
        answer = login.send(declaration, environment={"LC_ALL": "C"})
        assert "failed" not in answer
        assert (login.home / "caf\u00e9 'x'/a b").read_text(encoding="utf-8") == "\u00fc"
        text = (login.home / ".config/rookery/env.d/10-x.sh").read_text(encoding="utf-8")
        shell = subprocess.run(["/bin/sh", "-c", text + 'printf %s "$HERE"'], capture_output=True, check=True)
        assert shell.stdout.decode() == str(login.home / "caf\u00e9")
        assert not login.send(declaration, environment={"LC_ALL": "C"})["changed"]


def test_a_declaration_too_large_for_an_argument_goes_by_standard_input(login: Login) -> None:
    content = random.Random(1).randbytes(100_000).hex()  # which packs badly
    packed = action.bundle.pack(action.PROGRAM, login.payload({"files": [{"path": "~/big", "content": content}]}))
    assert action.bundle.command("python3", packed)[1] is not None
    login.send({"files": [{"path": "~/big", "content": content}]})
    assert (login.home / "big").read_text() == content


def test_a_file_in_the_way_is_kept_and_named_and_so_is_a_later_edit(login: Login) -> None:
    target = login.home / "start-pyenv"
    target.write_bytes(b"mine \xff\r\n")
    target.chmod(0o750)
    declaration = {"files": [{"path": "~/start-pyenv", "content": "ours\n"}]}
    kept = login.state / "kept"

    note = login.converge(declaration)["outcomes"][0]["note"]
    assert target.stat().st_mode & 0o777 == 0o750
    (first,) = kept.iterdir()
    assert first.read_bytes() == b"mine \xff\r\n"
    assert first.name in note
    assert login.ledger()[0]["before"]["kept"] == first.name

    target.write_text("edited by hand\n")
    note = login.converge(declaration)["outcomes"][0]["note"]
    (second,) = set(kept.iterdir()) - {first}
    assert second.read_text() == "edited by hand\n"
    assert second.name in note
    assert login.ledger()[0]["before"]["kept"] == first.name, "what stood there at first is never written over"

    declaration["files"][0]["content"] = "ours, newer\n"
    assert login.converge(declaration)["outcomes"][0]["note"] == "", "what rookery wrote itself is not kept"


def test_keep_leaves_a_file_where_one_stands(login: Login) -> None:
    (login.home / "mine").write_text("mine")
    declaration = {"files": [{"path": f"~/{name}", "content": "ours", "keep": True} for name in ("mine", "none")]}
    assert states(login.converge(declaration)) == ["kept", "made"]
    assert (login.home / "mine").read_text() == "mine"
    assert states(login.converge(declaration)) == ["kept", "present"]


def test_a_dotfile_that_is_a_link_is_written_where_it_leads(login: Login) -> None:
    (login.home / "dotfiles").mkdir()
    (login.home / "dotfiles/bashrc").write_text("theirs\n")
    (login.home / ".bashrc").symlink_to("dotfiles/bashrc")
    login.converge({"blocks": [{"path": "~/.bashrc", "content": "ours"}]})
    assert str((login.home / ".bashrc").readlink()) == "dotfiles/bashrc"
    assert (login.home / "dotfiles/bashrc").read_text().startswith("theirs\n# >>> rookery shell >>>\nours\n")


@pytest.mark.parametrize("kind", ["files", "blocks", "json", "directories", "moves", "links"])
def test_no_link_leads_a_write_out_of_home_and_storage(login: Login, kind: str) -> None:
    outside = login.home.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("{}")
    (login.home / "out").symlink_to(outside)
    items = {
        "files": {"path": "~/out/file", "content": "x"},
        "blocks": {"path": "~/out/file", "content": "x"},
        "json": {"path": "~/out/file", "values": {"a": 1}},
        "directories": {"path": "~/out/new"},
        "moves": {"path": "~/.cache", "storage": str(outside)},
        "links": {"path": "~/out/new", "target": "/x"},
    }
    before = tree(outside, times=True)
    answer = login.converge({kind: [items[kind]]})
    assert answer["failed"]
    assert "outside the home and the storage" in answer["msg"]
    assert "\n" not in answer["msg"]
    assert tree(outside, times=True) == before
    assert not (login.home / ".cache").exists()


def test_a_folder_keeps_its_mode_unless_enforced(login: Login) -> None:
    (login.home / "x").mkdir(mode=0o755)
    item = {"path": "~/x", "mode": "0700"}
    assert states(login.converge({"directories": [item]})) == ["present"]
    assert states(login.converge({"directories": [{**item, "enforce": True}]})) == ["changed"]
    assert (login.home / "x").stat().st_mode & 0o777 == 0o700


def test_a_link_replaces_what_the_ledger_can_give_back_and_nothing_else(login: Login) -> None:
    for name in ("full", "empty"):
        (login.home / name).mkdir()
    (login.home / "full/thing").touch()
    (login.home / "elsewhere").symlink_to("/elsewhere")
    (login.home / "file").write_text("content")
    names = ["full", "empty", "elsewhere", "file", "new"]
    answer = login.converge({"links": [{"path": f"~/{name}", "target": "/target"} for name in names]})
    assert states(answer) == ["kept", "changed", "changed", "changed", "made"]
    before = {Path(entry["path"]).name: entry["before"] for entry in login.ledger()}
    assert before["elsewhere"]["target"] == "/elsewhere"
    assert (login.state / "kept" / before["file"]["kept"]).read_text() == "content"
    assert [str((login.home / name).readlink()) for name in names[1:]] == ["/target"] * 4


@pytest.mark.parametrize(
    "text",
    ["", "  \n", '{"a": 1}', '{\n\t"a": {"x": [1, 2.5, "\u00e9"]}\n}\n', '{\r\n  "a": 1\r\n}\r\n'],
)
def test_json_gets_keys_and_keeps_those_of_the_person(login: Login, text: str) -> None:
    path = login.home / "s.json"
    path.write_bytes(text.encode())
    had = json.loads(text) if text.strip() else {}
    wanted = {"a": "ours", "new": {"k": "v"}}
    login.converge({"json": [{"path": "~/s.json", "values": wanted}]})
    assert json.loads(path.read_bytes()) == {**wanted, **had}
    assert (b"\r\n" in path.read_bytes()) == ("\r\n" in text)


def test_json_that_rookery_wrote_is_updated_until_the_person_sets_it(login: Login) -> None:
    path = login.home / "s.json"

    def converge(value: Any) -> list[str]:
        return states(login.converge({"json": [{"path": "~/s.json", "values": {"a": {"b": value, "c": True}}}]}))

    assert converge(1) == ["made"]
    assert converge(2) == ["changed"]
    assert json.loads(path.read_text()) == {"a": {"b": 2, "c": True}}
    path.write_text('{"a": {"b": "mine", "c": true}}')
    assert converge(3) == ["kept"]
    assert path.read_text() == '{"a": {"b": "mine", "c": true}}'


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, // why\n}',
        b'{"a": 1,}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": ',
        b"[1]",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff",
    ],
)
def test_json_of_any_other_sort_is_left_alone_and_named(login: Login, data: bytes) -> None:
    (login.home / "s.json").write_bytes(data)
    (outcome,) = login.converge({"json": [{"path": "~/s.json", "values": {"k": "v"}}]})["outcomes"]
    assert (login.home / "s.json").read_bytes() == data
    assert outcome["state"] == "kept"
    assert '"k": "v"' in outcome["note"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version": 1, "entr', "is damaged"),
        ('{"version": 1, "entries": [{"order": 1}]}', "is damaged"),
        ('{"version": 4, "entries": []}', "newer rookery"),
        ('{"version": 2, "entries": []}', "is damaged"),
        ('{"version": "one", "entries": []}', "is damaged"),
        ("[]", "is damaged"),
    ],
)
def test_a_ledger_that_cannot_be_read_stops_everything(login: Login, text: str, says: str) -> None:
    login.state.mkdir(parents=True)
    (login.state / "ledger.json").write_text(text)
    declaration = everything(login)
    before = tree(login.home, leave_out=".local/state/rookery")
    for check in (True, False):
        answer = login.converge(declaration, check=check)
        assert says in answer["msg"]
        assert answer["hint"]
        assert tree(login.home, leave_out=".local/state/rookery") == before
    assert (login.state / "ledger.json").read_text() == text


def test_the_ledger_survives_a_new_role_on_the_same_path(login: Login) -> None:
    (login.home / ".bashrc").write_text("theirs\n")
    for role in ("shell", "python"):
        login.converge({"blocks": [{"path": "~/.bashrc", "content": role}]}, role=role)
    shell, python = login.ledger()
    assert (shell["order"], python["order"]) == (1, 2)
    assert (login.state / "kept" / shell["before"]["kept"]).read_text() == "theirs\n"
    assert {shell["state"], python["state"]} == {"done"}


def test_another_laptop_is_refused_and_told_who(login: Login) -> None:
    other = {"id": "run-2", "who": "alex", "laptop": "kettle"}
    folder = {"directories": [{"path": "~/x"}]}
    login.converge(folder)
    before = tree(login.home)
    answer = login.converge({"directories": [{"path": "~/y"}]}, run=other)
    assert answer["failed"]
    assert "another rookery command is running in this home (sam, on the laptop teapot" in answer["msg"]
    assert tree(login.home) == before

    login.converge({**folder, "release": True}, run={"id": "run-3", "who": "sam", "laptop": "teapot"})
    assert states(login.converge({"directories": [{"path": "~/y"}]}, run=other, role="r")) == ["made"]


def test_a_lease_that_ran_out_or_is_damaged_binds_nobody(login: Login) -> None:
    login.state.mkdir(parents=True)
    lease = '{"run": "r", "who": "alex", "laptop": "kettle", "since": 0, "until": %s}'
    weeks_ahead = str(int(time.time()) + 3_000_000)
    for until in ("1", weeks_ahead, "1e300", "1e999", "NaN", "true", "null", "9" * 400):
        (login.state / "lease.json").write_text(lease % until)
        assert "failed" not in login.converge({"directories": [{"path": "~/x"}]}), until
    for text in ("{", "[]", '{"until": "x"}', "[" * 100_000, "\xff"):
        (login.state / "lease.json").write_bytes(text.encode("latin-1"))
        assert "failed" not in login.converge({"directories": [{"path": "~/x"}]}), text[:20]


@pytest.mark.parametrize("since", ["1e300", '"x"', "null", "-1e20"])
def test_a_lease_with_a_beginning_that_cannot_be_told_still_binds(login: Login, since: str) -> None:
    login.state.mkdir(parents=True)
    until = int(time.time()) + 100
    lease = f'{{"run": "r", "who": "alex", "laptop": "kettle", "since": {since}, "until": {until}}}'
    (login.state / "lease.json").write_text(lease)
    answer = login.converge({"directories": [{"path": "~/x"}]})
    assert "is running in this home (alex, on the laptop kettle, since an unknown time)" in answer["msg"]


def test_who_waited_for_an_undo_that_removed_the_lock_begins_anew(login: Login) -> None:
    """It waits for a lock in a folder that is gone when it gets it."""
    login.converge({"directories": [{"path": "~/x"}]})
    with (login.state / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = login.start(login.payload({"directories": [{"path": "~/y"}]}))
        wait_for(lambda: is_waiting_for_a_lock(waiting.pid))
        login.state.rename(login.state.with_name(".rookery-gone-rookery"))
    output, _ = waiting.communicate(timeout=120)
    answer = action.frame.last(output.decode(), action.answers.apply_program)
    assert answer is not None
    assert states(answer) == ["made"], answer
    assert (login.state / "ledger.json").exists()


def is_waiting_for_a_lock(pid: int) -> bool:
    """Whether a process has the lock's file open: from then on it only waits for its turn."""
    try:
        return any(str(fd.readlink()).endswith("/rookery/lock") for fd in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@pytest.mark.parametrize(
    ("name", "declaration"),
    [
        ("settings.json", {"json": [{"path": "~/settings.json", "values": {"a": 1}}]}),
        (".bashrc", {"blocks": [{"path": "~/.bashrc", "content": "ours"}]}),
        ("start-pyenv", {"files": [{"path": "~/start-pyenv", "content": "ours"}]}),
        (".local/state/rookery/ledger.json", {"files": [{"path": "~/start-pyenv", "content": "ours"}]}),
        (".local/state/rookery/made", {"files": [{"path": "~/start-pyenv", "content": "ours"}]}),
    ],
)
def test_a_fifo_where_a_file_is_read_is_named_and_not_waited_for(
    login: Login, name: str, declaration: dict[str, Any]
) -> None:
    login.state.mkdir(parents=True)
    os.mkfifo(login.home / name)
    answer = login.send(declaration)
    assert f"{name} is not a file" in answer["msg"]
    assert (login.home / name).is_fifo()


def test_a_lease_that_is_a_fifo_binds_nobody(login: Login) -> None:
    login.state.mkdir(parents=True)
    os.mkfifo(login.state / "lease.json")
    assert "failed" not in login.send({"directories": [{"path": "~/x"}]})


def test_a_folder_that_cannot_be_written_to_is_named(login: Login) -> None:
    (login.home / "file").touch()
    answer = login.converge({"files": [{"path": "~/file/inner", "content": "x"}]})
    assert answer["failed"]
    assert "part of the path" in answer["msg"]
    assert "file/inner" in answer["msg"]


@pytest.mark.skipif(os.getuid() != 0 or not Path("/dev/full").exists(), reason="mounting needs root")
def test_a_full_disk_is_named_with_its_filesystem_and_nothing_is_half_written(login: Login) -> None:
    small = login.storage / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        (small / "f").write_text("mine")
        answer = login.converge({"files": [{"path": str(small / "f"), "content": "x" * 200_000}]})
        assert f"no space is left on {small}" in answer["msg"]
        assert tree(small) == {"f": ("-rw-r--r--", b"mine", None)}
    finally:
        subprocess.run(["umount", small], check=True)
