"""HeX: keys alone, a port of its own, partitions called TYPE-DURATION, no storage but the home."""

from collections.abc import Iterator

import pytest
from laptop_projects import submitted
from laptops import NO_TOOLS, Laptop, laptop
from live import alone

pytestmark = pytest.mark.cluster

TRAIN = """\
  train:
    command: 'printf "%s " "$SLURM_JOB_PARTITION" "$CUDA_VISIBLE_DEVICES" "$global_storage"'
    gpus: 2
    gpu_type: nvidia_rtx_a5000
    time: 00:04:00
"""


@pytest.fixture(scope="module")
def ada() -> Iterator[Laptop]:
    """Somebody whose key HeX knows, as HeX is where it is sent to somebody first."""
    with alone("hex") as live:
        assert live.port == 6767
        person = laptop(live, "ada", settings=NO_TOOLS)
        yield person
        person.rookery("logout")


def test_from_nothing_to_a_first_result(ada: Laptop) -> None:
    flags = ("--project", "study", "--language", "python", "--name", "Ada", "--email", "ada@example.ac.uk")
    completed = ada.rookery("onboard", "--cluster", "hex", "--yes", *flags)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "Done: your home on hex is ready, and study has its first result." in completed.stdout
    assert (ada.home / "study/combined.csv").read_text().count("\n") == 1001
    assert ada.says("bash -lc 'python3.13 --version; readlink -f $global_storage'").startswith("Python 3.13")


def test_gpus_are_asked_for_by_their_partition(ada: Laptop) -> None:
    rules = ada.home / "study/rookery.yml"
    rules.write_text(rules.read_text() + TRAIN)
    project = ("--cluster", "hex", "--project", str(rules.parent))
    for command in (("deploy", "--dirty"), ("submit", "train", "--wait")):
        completed = ada.rookery(*command, *project)
        assert completed.returncode == 0, completed.stdout + completed.stderr
    number = submitted(completed.stdout)
    shown = ada.rookery("logs", number, "--cluster", "hex").stdout
    assert shown.split()[-3:] == ["a5000-6h", "0,1", "/home/ada/storage"]
