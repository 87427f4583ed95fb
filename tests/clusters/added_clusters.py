"""Somebody whose laptop knows nothing of a cluster but its address, for tests that add it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from laptops import Laptop, laptop
from live import Live

from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.differences import compare
from rookery.clusters.survey.finding import FOUND, ProfileFinding
from rookery.core import paths
from rookery.core.places import Place

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


DIFFERENT: dict[str, set[tuple[str, ...]]] = {
    "penguins": {
        ("cluster_system_python",),  # Debian's own
        ("cluster_system_r",),
        ("cluster_python_provider",),  # rookery chooses uv; the profile has the pyenv of the training page
    },
    "hec": {
        ("cluster_module_system",),  # every miniature has Lmod
        ("cluster_module_verb",),  # both work
        *(("cluster_gpus", kind, "nodes") for kind in ("tesla_v100-pcie-32gb", "nvidia_l40s")),  # two machines at most
    },
}
"""Where what is written of a miniature need not agree with the profile that made it, and why."""

OF_THE_MINIATURE = {"cluster_os", "cluster_host", "cluster_port", "cluster_user", "cluster_proxy_jump"}
"""Keys that say another thing of a miniature than of the cluster."""


def shipped(cluster: str) -> dict[str, Any]:
    """The profile that the miniature was made from."""
    loaded = yaml.safe_load((paths.root() / f"inventory/host_vars/{cluster}.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def differing(written: dict[str, Any], own: dict[str, Any]) -> set[Place]:
    """Where a profile that was written contradicts the one that made the miniature; its storage must be the same."""
    where = {entry["name"]: entry["expression"] for entry in own["cluster_storage"] if entry["name"] != "tmp"}
    assert {entry["name"]: entry["expression"] for entry in written["cluster_storage"]} == where
    as_found = [ProfileFinding(key, value, FOUND, "") for key, value in written.items() if key not in OF_THE_MINIATURE]
    return {difference.place[:3] for difference in compare(own, as_found, Survey({})) if not difference.is_addition}


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
