"""Commands through every login shell, whatever its start-up files do."""

import pytest

from rookery.clusters.ssh import fabric_connection, startup_files
from rookery.clusters.ssh.errors import SshError
from rookery.clusters.ssh.fabric_connection import FabricConnection

pytestmark = pytest.mark.cluster


SHELLS = {"bina": "/bin/bash", "zoe": "/usr/bin/zsh", "fin": "/usr/bin/fish", "tess": "/bin/tcsh"}


ODD = ["a  b", "it's", 'say "hi"!', "$HOME `id` $(id)", "two\nlines", "back\\slash \\n %s", "é ✓", "-n", "*", "~", ""]


@pytest.mark.parametrize("name", SHELLS)
def test_every_login_shell(account, hec, opened, name):
    connection = opened(account(hec, name, SHELLS[name]))
    script = "for word; do printf '%s\\0' \"$word\"; done; cat"
    assert connection.run(ODD, script=script, input=b"in").stdout == "".join(f"{word}\0" for word in ODD) + "in"
    assert connection.run(["printf", "%s|", *ODD]).stdout == "".join(f"{word}|" for word in ODD)
    assert connection.run(["echo", "x" * 100_000]).stdout == "x" * 100_000 + "\n"
    assert connection.run(["é" * 100_000], script='echo "$1"; cat', input=b"in").stdout == "é" * 100_000 + "\nin"
    result = FabricConnection(connection).run('for x in \'a b\' "it\'s"; do echo "$x"; done', hide=True)
    assert result.stdout == "a b\nit's\n"


def test_start_up_files_that_keep_sftp_waiting(account, hec, opened, monkeypatch, tmp_path):
    connection = opened(account(hec, "idle"))
    connection.run(script="echo 'sleep 20' >~/.bashrc.new && mv ~/.bashrc.new ~/.bashrc")
    monkeypatch.setattr(fabric_connection, "FIRST_ANSWER", 1)
    monkeypatch.setattr(startup_files, "PATIENCE", 1)
    with pytest.raises(SshError, match="commands do not start"):
        FabricConnection(connection).get(".profile", str(tmp_path / "it"))


def test_start_up_files_that_print_and_that_exit(account, penguins, opened, tmp_path):
    connection = opened(account(penguins, "nuno"))
    home = connection.run(["pwd"]).stdout.strip()
    write = f"printf '%s\\n' 'echo welcome' 'echo warning >&2' >{home}/.bashrc"
    penguins.root_run(["sh", "-c", write])
    completed = connection.run(["echo", "hello"])
    assert (completed.stdout, completed.stderr) == ("hello\n", "")
    assert set(completed.noise.split()) == {"welcome", "warning"}
    fabric = FabricConnection(connection)
    (tmp_path / "up").write_text("content")
    fabric.put(str(tmp_path / "up"), "there")
    fabric.get("there", str(tmp_path / "down"))
    assert (tmp_path / "down").read_text() == "content"
    fabric.close()
    penguins.root_run(["sh", "-c", f"echo exit >{home}/.bashrc"])
    with pytest.raises(SshError) as caught:
        connection.run(["true"])
    assert caught.value.reason == "startup"


START_UP = {
    "bina": (
        ".bashrc",
        "cd /tmp; umask 000; export TAR_OPTIONS=-z GIT_DIR=/x CDPATH=/ PYTHONPATH=/x HOME=/tmp; set -u",
    ),
    "zoe": (".zshenv", "cd /tmp; umask 000; export TAR_OPTIONS=-z GIT_DIR=/x CDPATH=/ PYTHONPATH=/x HOME=/tmp; set -u"),
    "fin": (
        ".config/fish/config.fish",
        "cd /tmp; umask 000; set -gx TAR_OPTIONS -z; set -gx GIT_DIR /x; set -gx CDPATH /; set -gx PYTHONPATH /x; "
        "set -gx HOME /tmp",
    ),
    "tess": (
        ".cshrc",
        "cd /tmp; umask 000; setenv TAR_OPTIONS -z; setenv GIT_DIR /x; setenv CDPATH /; setenv PYTHONPATH /x; "
        "setenv HOME /tmp",
    ),
}


@pytest.mark.parametrize("name", SHELLS)
def test_start_up_files_of_every_shell_leave_commands_alone(account, penguins, opened, name):
    """One command each way: from the home, with none of their variables, and its input whole."""
    connection = opened(account(penguins, name, SHELLS[name]))
    file, text = START_UP[name]
    write = 'cd && mkdir -p "$(dirname "$1")" && { [ ! -e "$1" ] || cp -p "$1" kept; } && printf "%s\\n" "$2" >"$1"'
    connection.run([file, text], script=write)
    try:
        script = 'pwd; echo "$HOME"; umask; env | grep -cE "^(TAR_OPTIONS|GIT_DIR|CDPATH|PYTHONPATH)="; cat'
        words = connection.run(script=script, input=b"whole\n").stdout.split()
    finally:
        connection.run([file], script='cd && rm "$1" && { [ ! -e kept ] || mv kept "$1"; }')
    assert words == [f"/home/{name}", f"/home/{name}", "0022", "0", "whole"]
