"""Tables that fit the terminal: what is wide goes below, no word is broken; a row is a line in a pipe."""

import sys
from pathlib import Path

import pytest
from test_wrapping import on_terminal
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.clusters.login_node.quota_formats import Area
from rookery.core import console, tables
from rookery.homes import listing
from rookery.homes.options import ClustersListOptions
from rookery.jobs.monitor import queue, quota
from rookery.jobs.monitor.queue import Partition

PATH = "/gpfs/storage/of/the/whole/university/users/a/ada"
AREAS = (
    Area("home", 9900, 10_240, files=109, path="/home/ada", source="quota", note="109 files take at least 3M of it"),
    Area("persistent", 553, 204_800, files=10_153, path=PATH, source="quota", note="files are deleted after 28 days"),
)
PARTITIONS = (
    Partition("serial", "one core", nodes=8, free_nodes=7, cores=496, free_cores=484, limits=["at most 1 core a job"]),
    Partition("parallel", "several cores, or whole nodes", default=True, nodes=8, cores=496, max_minutes=2880),
    Partition(
        "gpu-short", "GPUs for half a day", max_minutes=720, nodes=2, free_nodes=2, cores=80, free_cores=80,
        gpus={"tesla_v100-pcie-32gb": 3, "nvidia_h200_nvl": 2},
        free_gpus={"tesla_v100-pcie-32gb": 1, "nvidia_h200_nvl": 0},
    ),
    Partition("astro", state="absent"),
)  # fmt: skip


def words(text: str) -> str:
    """Return a text without what wrapping has put into it."""
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_queue(monkeypatch: pytest.MonkeyPatch, columns: int, hec: Cluster) -> None:
    terminal = on_terminal(monkeypatch, columns)
    queue._show(hec, PARTITIONS)
    text = console.clean(terminal.getvalue())
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    whole = (
        "484 of 496",
        "2 days",
        "1 of 3 tesla_v100-pcie-32gb",
        "one core; at most 1 core a job",
        "Slurm does not show it",
    )
    assert all(part in words(text) for part in whole)
    assert ("\n  serial " in text) == (columns < 200), "what it is for stands below where there is no room"


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_quota(monkeypatch: pytest.MonkeyPatch, columns: int, hec: Cluster) -> None:
    terminal = on_terminal(monkeypatch, columns)
    quota._show(hec, quota.StorageUse(AREAS))
    text = console.clean(terminal.getvalue())
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    for part in ("10,153", "200 GB", "97 %", PATH, "files are deleted after 28 days"):
        assert part in words(text)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_clusters(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal = on_terminal(monkeypatch, columns)
    assert listing.show_all(ClustersListOptions()) == 0
    text = console.clean(terminal.getvalue())
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    for part in ("wayland-2022.hec.lancaster.ac.uk", "NVIDIA H200, NVIDIA L40, NVIDIA L40S", "not yet"):
        assert part in words(text)


def test_a_row_is_a_line_in_a_pipe(capsys: pytest.CaptureFixture[str], hec: Cluster) -> None:
    queue._show(hec, PARTITIONS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["partition", "nodes", "free", "cores", "free", "GPUs", "free", "time", "limit", "use"]
    (line,) = (line for line in lines if line.startswith("gpu-short"))
    assert "1 of 3 tesla_v100-pcie-32gb, 0 of 2 nvidia_h200_nvl" in line
    assert line.rstrip().endswith("GPUs for half a day")


def test_names_are_cut_before_text_is_wrapped_and_numbers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch, 34)
    tables.show(["<name", "text", ">number"], [["a_name_without_end", "some words of text", "1,234,567"]])
    assert [line.rstrip() for line in console.clean(terminal.getvalue()).splitlines()][2:] == [
        "a_name_…  some words of  1,234,567",
        "          text",
    ]


@pytest.mark.parametrize(
    ("measured", "asked", "cell"),
    [("1.2G", "8.0G", "1.2G/8.0G"), ("", "8.0G", "-/8.0G"), ("1.2G", "", "1.2G/-"), ("", "", "-")],
)
def test_used_and_asked(measured: str, asked: str, cell: str) -> None:
    assert tables.used(measured, asked) == cell


def test_output_that_is_no_terminal_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert not sys.stdout.isatty()
    assert tables.console().width == 1000


@pytest.mark.parametrize(("columns", "heading"), [(80, "job  time used/asked"), (16, "asked")])
def test_headings_have_several_lines_only_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch, columns: int, heading: str
) -> None:
    terminal = on_terminal(monkeypatch, columns)
    tables.show(("job", ">time\nused/\nasked"), [("4711", "0:02/10:00")])
    lines = [line.strip() for line in console.clean(terminal.getvalue()).splitlines()]
    rule = next(place for place, line in enumerate(lines) if line.startswith("─"))
    assert lines[rule - 1].replace("job   ", "job  ").endswith(heading)
    assert rule == (1 if columns == 80 else 3)
