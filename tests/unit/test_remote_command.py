"""Commands as they are sent: the same to every shell. fish and tcsh are tried on the miniatures."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.clusters.ssh.remote_command import INPUT_LOST, greeting, marked, new_mark, remote_command
from rookery.core.errors import RookeryError

SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "tcsh") if shutil.which(shell)]
WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30), max_size=4)


def outcome(shell: str, line: str, given_input: bytes = b"") -> bytes:
    return subprocess.run([shell, "-c", line], input=given_input, capture_output=True, check=True).stdout


@settings(max_examples=15)
@given(words=WORDS)
def test_arguments_arrive_as_they_were(words):
    line = remote_command('for word; do printf "%s\\0" "$word"; done', words)
    expected = "".join(f"{word}\0" for word in words).encode()
    for shell in SHELLS:
        assert outcome(shell, line) == expected


def test_only_characters_that_all_shells_read_alike():
    line = remote_command("echo 'it'\"'\"'s'\n\\!$x é", ["a'b\nc!\\"])
    inner = re.fullmatch(
        r"""exec /usr/bin/env -u SHELLOPTS -u BASHOPTS /bin/sh -c 'eval "\$\(printf %b "\$1"\)"' sh '([^']*)'""", line
    )
    assert inner
    assert not re.search(r"[^ -~]|!", inner[1])
    assert all(re.match(r"\\0[0-3][0-7]{2}", inner[1][at:]) for at, char in enumerate(inner[1]) if char == "\\")


def test_the_script_has_standard_input():
    assert outcome("sh", remote_command('cat; echo "$1"', ["end"], stdin=""), b"given\n") == b"given\nend\n"


def test_bytes_that_are_not_utf8_arrive():
    word = b"\xff\xfe".decode(errors="surrogateescape")
    assert outcome("sh", remote_command('printf %s "$1"', [word])) == b"\xff\xfe"


def test_nul_is_refused():
    with pytest.raises(RookeryError):
        remote_command("echo", ["a\0b"])


def test_marks_come_first_on_both_streams():
    mark = new_mark()
    completed = subprocess.run(
        ["sh", "-c", remote_command(marked("echo out; echo err >&2", mark))], capture_output=True, text=True, check=True
    )
    assert (completed.stdout, completed.stderr) == (f"{mark}\nout\n", f"{mark}\nerr\n")
    assert new_mark() != mark


NASTY = {
    "CDPATH": "/tmp",
    "TAR_OPTIONS": "--verbose",
    "POSIXLY_CORRECT": "1",
    "GREP_OPTIONS": "--color=always",
    "LS_COLORS": "x",
    "GIT_DIR": "/nowhere",
    "SBATCH_ARRAY_INX": "1-2",
    "SQUEUE_FORMAT": "%i",
    "PYTHONPATH": "/x",
    "PIP_TARGET": "/x",
    "CONDA_PREFIX": "/x",
    "R_LIBS": "/x",
    "GREP_COLORS": "two\nlines 'and quotes'",
    "SHELLOPTS": "nounset",
    "BASH_ENV": "/nowhere",
    "BASH_FUNC_cat%%": "() { echo eaten; }",
}
KEPT = {
    "SLURM_CONF": "/etc/slurm.conf",
    "PIP_INDEX_URL": "https://example.org",
    "global_storage": "/s",
    "DISPLAY": ":0",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_start_up_files_export_is_gone(shell: str, tmp_path):
    line = remote_command('echo "$unset"; cat; /usr/bin/env; umask; pwd', stdin="")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **NASTY, **KEPT}
    argv = ["bash" if shell == "sh" else shell, "-c", f"umask 002; cd /; {line}"]
    if shell in {"fish", "tcsh"}:
        argv[2] = line
    completed = subprocess.run(argv, env=environment, input=b"given\n", capture_output=True, check=True, cwd="/tmp")
    first, given_, *rest = completed.stdout.decode().splitlines()
    variables = dict(text.partition("=")[::2] for text in rest if "=" in text)
    assert (first, given_) == ("", "given")
    assert not NASTY.keys() & variables.keys()
    assert KEPT.items() <= variables.items()
    assert rest[-1] == str(tmp_path)
    if shell in {"sh", "bash"}:
        assert rest[-2] == "0022"


def test_of_the_libraries_only_the_user_s_own_folders_go(tmp_path):
    """Modules put folders of the site there, which programs need."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LD_LIBRARY_PATH": f"{tmp_path}:/nowhere/lib:"}
    line = remote_command('echo "$LD_LIBRARY_PATH"')
    assert (
        subprocess.run(["sh", "-c", line], env=environment, capture_output=True, check=True).stdout == b"/nowhere/lib\n"
    )


def test_a_script_whose_input_was_read_by_a_start_up_file_does_not_begin():
    mark = new_mark()
    line = remote_command(marked("cat", mark), stdin=mark)
    sent = greeting(mark) + b"data\n"
    assert outcome("bash", line, sent) == f"{mark}\ndata\n".encode()
    for eats in ("read -r -n 1", "cat", "head -c 3 >/dev/null"):
        completed = subprocess.run(["bash", "-c", f"{eats}; {line}"], input=sent, capture_output=True, check=False)
        assert completed.returncode == 97
        assert f"{mark}\n".encode() not in completed.stdout
        assert completed.stdout.endswith(f"{INPUT_LOST}\n".encode())
