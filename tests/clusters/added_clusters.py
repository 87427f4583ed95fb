"""Somebody whose laptop knows nothing of a cluster but its address, for tests that add it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from laptops import Laptop, laptop
from live import Live

NAME = "iceberg"
"""What they call the cluster, whichever miniature it is."""


@dataclass(frozen=True)
class Newcomer(Laptop):
    """A laptop with a key that the cluster knows, and no inventory.

    Attributes:
        live: The miniature.
    """

    live: Live

    @property
    def profile_file(self) -> Path:
        return self.inventory / f"host_vars/{NAME}.yml"

    @property
    def profile(self) -> dict[str, Any]:
        """What the profile says that was written."""
        loaded = yaml.safe_load(self.profile_file.read_text())
        assert isinstance(loaded, dict)
        return loaded

    @property
    def address(self) -> tuple[str, ...]:
        """The options that say where the cluster is, and that its host key was checked."""
        miniature = self.live.miniature
        return (
            f"--host={miniature.address}",
            f"--port={miniature.port}",
            f"--accept-host-key={miniature.fingerprint}",
        )

    def add(self, *options: str) -> str:
        """What `clusters.add` prints; it must succeed."""
        completed = self.rookery("clusters.add", NAME, *self.address, f"--user={self.user}", *options)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout + completed.stderr

    def refused(self, *options: str) -> str:
        """What `clusters.add` says where it fails; nothing may be written."""
        before = sorted(self.inventory.rglob("*"))
        completed = self.rookery("clusters.add", NAME, *self.address, f"--user={self.user}", *options)
        assert completed.returncode == 1, completed.stdout + completed.stderr
        assert sorted(self.inventory.rglob("*")) == before
        return completed.stdout + completed.stderr

    def forgets(self) -> None:
        """Remove the cluster from the laptop again."""
        self.profile_file.unlink(missing_ok=True)
        (self.inventory / "hosts.yml").unlink(missing_ok=True)

    def uses_mirrors(self) -> None:
        """Say in the profile where downloads come from, as the internet is not to be reached from everywhere."""
        inventory = self.live.state / "inventory/host_vars" / f"{self.live.miniature.name}.yml"
        mirrors = yaml.safe_load(inventory.read_text())["cluster_mirrors"]
        with self.profile_file.open("a") as stream:
            stream.write(yaml.safe_dump({"cluster_mirrors": mirrors}))


def newcomer(live: Live, user: str) -> Newcomer:
    """A new account on a miniature, and a laptop that knows only its key."""
    plain = laptop(live, user)
    (plain.inventory / f"host_vars/{plain.cluster}.yml").unlink()
    (plain.inventory / "hosts.yml").unlink()
    made = Newcomer(plain.home, NAME, user, live)
    key = Path(live.state) / "id_ed25519"
    (made.home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    (made.home / ".ssh/config").write_text(f"Host *\n    IdentityFile {key}\n")
    return made
