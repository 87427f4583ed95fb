"""tmux on login nodes: attached again, and a session whose node is gone."""

import os
import pty
import re
import select
import sys
import textwrap
import time

import pytest

from rookery.clusters.cluster import Cluster

pytestmark = pytest.mark.cluster


class TmuxTerminal:
    """A terminal in which a user runs `tmux`."""

    def __init__(self, cluster: Cluster, session: str) -> None:
        program = f"""
            from rookery.clusters.config import profile
            from rookery.clusters.login_node import tmux
            from rookery.clusters.ssh.connection import Connection
            from dataclasses import replace
            one = replace(profile.load({cluster.name!r}, profile.sources(sandbox=True)), user={cluster.user!r})
            print("ended", tmux.tmux(Connection(one), {session!r}))
        """
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(sys.executable, [sys.executable, "-c", textwrap.dedent(program)])
        self.seen = ""

    def shows(self, pattern: str, seconds: float = 120) -> None:
        """Wait until the terminal has shown it."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen, re.DOTALL):
            assert time.monotonic() < end, self.seen
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError as error:  # the program on it has ended
                    raise AssertionError(self.seen) from error

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def ends(self) -> None:
        self.shows(r"ended 0")
        os.waitpid(self.pid, 0)
        os.close(self.screen)


def test_tmux_attach_detach_attach(account, penguins, opened):
    connection = opened(account(penguins, "tom"))
    connection.run(script="tmux kill-server 2>/dev/null; rm -rf ~/.local/state/rookery/tmux")
    detach = ["tmux", "detach-client", "-s", "work"]
    first = TmuxTerminal(connection.cluster, "work")
    first.shows(r"\[work\]")
    first.types("echo mark-$((6*7))\n")
    first.shows("mark-42")
    connection.run(detach)
    first.ends()
    node = connection.run(["uname", "-n"]).stdout
    assert connection.run(["cat", ".local/state/rookery/tmux/work"]).stdout == node
    second = TmuxTerminal(connection.cluster, "work")
    second.shows("mark-42")
    connection.run(detach)
    second.ends()
    assert connection.run(["tmux", "list-sessions", "-F", "#S"]).stdout == "work\n"
    connection.run(["tmux", "kill-server"])


def test_tmux_on_a_node_that_is_gone(account, penguins, opened):
    connection = opened(account(penguins, "tom"))
    connection.run(script="tmux kill-server 2>/dev/null; cd; mkdir -p .local/state/rookery/tmux")
    connection.run(script="echo gone.invalid >~/.local/state/rookery/tmux/work")
    terminal = TmuxTerminal(connection.cluster, "work")
    terminal.shows(r"gone\.invalid.*Starting a new session work on .*\[work\]")
    connection.run(["tmux", "kill-session", "-t", "work"])
    terminal.ends()
