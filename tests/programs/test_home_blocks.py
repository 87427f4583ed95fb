"""Marked blocks: what the person wrote stays, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from home_helpers import Login, states
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.remote.apply import blocks
from rookery.remote.apply.problem import Problem

MARKS = blocks.markers("shell")
LINES = st.sampled_from(
    [b"#!/bin/sh", b"# -*- coding: utf-8 -*-", b"export A=1", b"", b"\xff\xfe", b"# >>> conda >>>", b"  x \\"]
)
TEXTS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b""]))).map(
        lambda pairs: b"".join(line + end for line, end in pairs)
    ),
)
CONTENTS = st.sampled_from([b"", b". ~/.config/rookery/env.sh\n", b"a\n\nb\n", b"\xff\n"])
POSITIONS = st.sampled_from(["top", "bottom"])


@given(TEXTS, CONTENTS, CONTENTS, POSITIONS)
@settings(max_examples=300, deadline=None)
def test_a_block_put_in_and_taken_out_leaves_every_byte(
    text: bytes, content: bytes, newer: bytes, position: str
) -> None:
    once = blocks.put_in(text, MARKS, content, position)
    assert blocks.put_in(once, MARKS, content, position) == once
    block = blocks.find(once, MARKS)
    assert block is not None
    assert block.content == content
    assert blocks.take_out(once, MARKS) == text
    assert blocks.take_out(blocks.put_in(once, MARKS, newer, position), MARKS) == text


@given(TEXTS, POSITIONS, POSITIONS, st.binary(min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_two_roles_and_lines_written_afterwards(text: bytes, position: str, second_position: str, later: bytes) -> None:
    other = blocks.markers("python")
    both = blocks.put_in(blocks.put_in(text, MARKS, b"a\n", position), other, b"b\n", second_position)
    assert blocks.take_out(blocks.take_out(both, other), MARKS) == text
    if not text or text.endswith(b"\n"):
        assert blocks.take_out(blocks.take_out(both + later, MARKS), other) == text + later


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"#!/bin/bash\nx\n", b"#!/bin/bash\nB\nx\n"),
        (b"#!/usr/bin/python\n# coding: latin-1\nx\n", b"#!/usr/bin/python\n# coding: latin-1\nB\nx\n"),
        (b"# vim: set fileencoding=utf-8 :\nx", b"# vim: set fileencoding=utf-8 :\nB\nx"),
        (b"x\n#!/bin/sh\n", b"B\nx\n#!/bin/sh\n"),
        (b"", b"B\n"),
    ],
)
def test_the_top_is_below_the_lines_that_must_come_first(text: bytes, expected: bytes) -> None:
    block = b"\n".join([MARKS.begin, b"c", MARKS.end])
    assert blocks.put_in(text, MARKS, b"c\n", "top") == expected.replace(b"B", block)


def test_lines_appended_below_a_block_begin_on_a_line_of_their_own(tmp_path: Path) -> None:
    login = Login(tmp_path)
    bashrc = login.home / ".bashrc"
    bashrc.write_bytes(b"no end")
    login.converge({"blocks": [{"path": "~/.bashrc", "content": "ours"}]})
    with bashrc.open("ab") as stream:
        stream.write(b"export MINE=1\n")
    assert bashrc.read_bytes().splitlines()[-1] == b"export MINE=1"
    assert states(login.converge({"blocks": [{"path": "~/.bashrc", "content": "ours"}]})) == ["present"]


def test_lines_edited_inside_the_block_are_kept_and_named(tmp_path: Path) -> None:
    login = Login(tmp_path)
    bashrc = login.home / ".bashrc"
    declaration = {"blocks": [{"path": "~/.bashrc", "content": "ours"}]}
    assert states(login.converge(declaration)) == ["made"]
    bashrc.write_text(bashrc.read_text().replace("ours", "ours and mine"))
    (outcome,) = login.converge(declaration)["outcomes"]
    (kept,) = (login.state / "kept").iterdir()
    assert kept.read_text() == "ours and mine\n"
    assert kept.name in outcome["note"]
    (outcome,) = login.converge({"blocks": [{"path": "~/.bashrc", "content": "newer"}]})["outcomes"]
    assert (outcome["state"], outcome["note"]) == ("changed", "")


def test_a_block_without_its_end_is_refused_and_the_file_left(tmp_path: Path) -> None:
    login = Login(tmp_path)
    text = "a\n# >>> rookery shell >>>\nb\n"
    (login.home / ".bashrc").write_text(text)
    answer = login.converge({"blocks": [{"path": "~/.bashrc", "content": "ours"}]})
    assert answer["failed"]
    assert "~/.bashrc" in answer["msg"]
    assert answer["hint"].startswith("remove that line")
    assert (login.home / ".bashrc").read_text() == text
    with pytest.raises(Problem):
        blocks.take_out(text.encode(), MARKS)


def test_two_names_of_one_file_get_one_block(tmp_path: Path) -> None:
    login = Login(tmp_path)
    (login.home / ".profile").symlink_to(".bashrc")
    items = [{"path": "~/.bashrc", "content": "a"}, {"path": "~/.profile", "content": "b"}]
    foretold = login.converge({"blocks": items}, check=True)
    assert states(foretold) == ["would-change", "present"]
    assert states(login.converge({"blocks": items})) == ["made", "present"]
    assert not login.converge({"blocks": items})["changed"]


def test_no_file_is_made_where_none_is_wanted(tmp_path: Path) -> None:
    login = Login(tmp_path)
    answer = login.converge({"blocks": [{"path": "~/.zshrc", "content": "a", "create": False}]})
    assert not answer["changed"]
    assert not (login.home / ".zshrc").exists()


def test_a_comment_character_of_the_files_own(tmp_path: Path) -> None:
    login = Login(tmp_path)
    login.converge({"blocks": [{"path": "~/.vimrc", "content": "set nu", "comment": '"'}]})
    assert (login.home / ".vimrc").read_text() == '" >>> rookery shell >>>\nset nu\n" <<< rookery shell <<<\n'
