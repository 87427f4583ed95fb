"""What `--list` and each command's `--help` say changes only where that is meant."""

import contextlib
import io

import pytest
import snapshots

from rookery.cli import program as cli
from rookery.cli.lean_invoke import Program


def test_every_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rookery"])
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("invoke.program.pty_size", lambda: (100, 40))
    monkeypatch.setattr("invoke.util.pty_size", lambda: (100, 40), raising=False)
    namespace = cli.namespace()
    program = Program(name="rookery", binary="rookery", namespace=namespace)
    lines = [["--list"], *([name, "--help"] for name in sorted(namespace.task_names))]
    assert len(lines) > 25
    text = io.StringIO()
    for line in lines:
        print(f"$ rookery {' '.join(line)}", file=text)
        with contextlib.redirect_stdout(text):
            program.run(["rookery", *line], exit=False)
    snapshots.same("help.txt", text.getvalue())
