"""Which Debian, and so which Slurm, a miniature has; and what its image says of its packages."""

import shutil
from pathlib import Path

import pytest

from rookery.core.errors import RookeryError
from rookery.sandbox import image, releases


@pytest.mark.parametrize(
    ("version", "slurm"),
    [
        ("", "22.05"),
        ("20.11.9", "22.05"),
        ("22.05", "22.05"),
        ("23.02.7", "22.05"),
        ("23.11", "24.11"),
        ("24.11.5", "24.11"),
        ("26.05", "24.11"),
        ("unknown", "22.05"),
        ("1234567.1", "22.05"),
    ],
)
def test_a_miniature_has_the_slurm_closest_to_the_cluster_s(version: str, slurm: str) -> None:
    assert releases.nearest(version).slurm == slurm


@pytest.mark.parametrize("version", ["24.11", "24.11.5"])
def test_a_version_can_be_asked_for(version: str) -> None:
    assert releases.named(version).suite == "trixie"


@pytest.mark.parametrize("version", ["23.11", "24.1", "24.110", "trixie", "24.11;x"])
def test_a_version_that_no_miniature_has_is_refused(version: str) -> None:
    with pytest.raises(RookeryError) as refused:
        releases.named(version)
    assert refused.value.message == f"No miniature has Slurm {version!r}: they have 22.05 or 24.11."


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs Debian's dpkg")
def test_the_packages_of_an_image_are_written_down_beside_it(tmp_path: Path) -> None:
    base = tmp_path / "base-trixie-0a1b2c3d-20260601"
    (base / "var/lib/dpkg").mkdir(parents=True)
    entry = "Package: slurmctld\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n"
    (base / "var/lib/dpkg/status").write_text(entry.format("24.11.5-4+deb13u1"))
    assert image.slurm_version(base) == "24.11.5"
    note = tmp_path / f"{base.name}.packages"
    assert note.read_text() == "slurmctld\t24.11.5-4+deb13u1\n"
    note.write_text("slurmctld:amd64\t22.05.8-4+deb12u3\n")  # it is read again, and the image is not asked
    assert image.slurm_version(base) == "22.05.8"
