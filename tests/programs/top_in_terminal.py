"""`top` in this terminal, over a cluster that asks for a password: a program that tests start in tmux."""

from types import SimpleNamespace
from typing import Any, cast

from top_screens import ARRAY, ONE, FakeTop

from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.options import TopOptions


class AskingTop(FakeTop):
    """The screen over a cluster that answers once a password was typed."""

    def __init__(self) -> None:
        super().__init__({"hec": SshError("denied", "hec asks for your password.")}, TopOptions(cluster="hec"))
        self.targets["hec"].connection.open = self._login  # type: ignore[method-assign]
        self.fakes["hec"].refresh = lambda: self.answers("hec", [ONE, ARRAY])  # type: ignore[method-assign]

    def _login(self, *, batch: bool = False) -> Any:
        assert not batch, "the user is there to type"
        if input("Password: ") != "right":
            raise RookeryError("hec does not accept the password.", hint="invoke login hec")
        return cast("Any", SimpleNamespace())


if __name__ == "__main__":
    raise SystemExit(AskingTop().run())
