"""Commands as they are sent: the same to every shell. fish and tcsh are tried on the miniatures."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.errors import RookeryError
from rookery.marks import new_mark
from rookery.remote import marked, remote_command

SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "tcsh") if shutil.which(shell)]
WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30), max_size=4)


def outcome(shell: str, line: str, given_input: bytes = b"") -> bytes:
    return subprocess.run([shell, "-c", line], input=given_input, capture_output=True, check=True).stdout


@settings(max_examples=60, deadline=None)
@given(words=WORDS)
def test_arguments_arrive_as_they_were(words):
    line = remote_command('for word; do printf "%s\\0" "$word"; done', words)
    expected = "".join(f"{word}\0" for word in words).encode()
    for shell in SHELLS:
        assert outcome(shell, line) == expected


def test_only_characters_that_all_shells_read_alike():
    line = remote_command("echo 'it'\"'\"'s'\n\\!$x é", ["a'b\nc!\\"])
    inner = re.fullmatch(r"""exec sh -c 'eval "\$\(printf %b "\$1"\)"' sh '([^']*)'""", line)
    assert inner
    assert not re.search(r"[^ -~]|!", inner[1])
    assert all(re.match(r"\\0[0-3][0-7]{2}", inner[1][at:]) for at, char in enumerate(inner[1]) if char == "\\")


def test_the_script_has_standard_input():
    assert outcome("sh", remote_command('cat; echo "$1"', ["end"]), b"given\n") == b"given\nend\n"


def test_bytes_that_are_not_utf8_arrive():
    word = b"\xff\xfe".decode(errors="surrogateescape")
    assert outcome("sh", remote_command('printf %s "$1"', [word])) == b"\xff\xfe"


def test_nul_is_refused():
    with pytest.raises(RookeryError):
        remote_command("echo", ["a\0b"])


def test_marks_come_first_on_both_streams():
    mark = new_mark()
    done = subprocess.run(
        ["sh", "-c", remote_command(marked("echo out; echo err >&2", mark))], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (f"{mark}\nout\n", f"{mark}\nerr\n")
    assert new_mark() != mark
