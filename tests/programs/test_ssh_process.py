"""A command and its input, as a shell on this machine reads it."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from rookery.clusters.ssh.process import Call, Completed, RunningCommand
from rookery.clusters.ssh.remote_command import greeting, marked, new_mark, remote_command
from rookery.core.errors import RookeryError

Listener = Callable[[str], object] | None
both = pytest.mark.parametrize("on_line", [None, lambda _: None], ids=["plain", "followed"])


def begin(script: str, on_line: Listener) -> RunningCommand:
    """Start a script as `Connection.begin` does, without ssh."""
    mark = new_mark()

    def completed(done: "subprocess.CompletedProcess[bytes]") -> Completed:
        _, _, stdout = done.stdout.decode().partition(f"{mark}\n")
        return Completed(done.returncode, stdout, "", "")

    call = Call(mark, greeting(mark), b"", completed=completed, hangs=lambda: AssertionError("it has not begun"))
    return RunningCommand(["sh", "-c", remote_command(marked(script, mark), stdin=mark)], call, on_line)


@both
def test_an_input_comes_piece_by_piece(on_line: Listener) -> None:
    pieces = (b"%d\n" % number for number in range(1000))
    assert begin("wc -l", on_line).finish(pieces).stdout.strip() == "1000"


@both
def test_what_ends_the_input_is_raised(on_line: Listener) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RookeryError("git failed")

    with pytest.raises(RookeryError, match="git failed"):
        begin("cat >/dev/null", on_line).finish(pieces())


@both
def test_a_command_need_not_read_all_of_its_input(on_line: Listener) -> None:
    pieces = (b"x" * 1_000_000 for _ in range(20))
    done = begin("head -c 3; exit 7", on_line).finish(pieces)
    assert (done.exit, done.stdout) == (7, "xxx")
