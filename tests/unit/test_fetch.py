"""Which cluster's results come, and what a miniature's never replace; over a real SSH connection."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ssh_server import cluster, fingerprint, sshd
from user_home import at_home

from rookery.clusters import connect
from rookery.clusters.ssh.connection import Connection
from rookery.jobs import options
from rookery.jobs.results import fetch, fetch_report


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A project on this side."""
    root = tmp_path / "demo"
    (root / "runs").mkdir(parents=True)
    (root / "rookery.yml").write_text("name: demo\nclusters: [penguins]\noutputs: [results]\njobs: {}\n")
    return root


def fetched(root: Path, capsys: pytest.CaptureFixture[str], **flags: Any) -> dict[str, Any]:
    fetch.run(options.FetchOptions(project=str(root), json=True, **flags))
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_limit_is_understood_in_all_its_spellings() -> None:
    assert {fetch._bytes(text) for text in ("1G", "1 GB", "1GiB", "1g")} == {1 << 30}


def test_a_miniature_s_results_do_not_replace_the_cluster_s(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_home(tmp_path / "home", monkeypatch)
    there = tmp_path / "there"
    results = there / "projects/demo/current/results"
    results.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(there))
    with sshd(tmp_path) as (_, reach):
        connections = {miniature: Connection(cluster("hec", sandbox=miniature, **reach)) for miniature in (False, True)}
        monkeypatch.setattr(connect, "connect", lambda _, *, sandbox: connections[sandbox])
        shown = fingerprint((tmp_path / "host_key.pub").read_text())
        connections[False].open(batch=True, accept_host_key=shown)
        (results / "1.csv").write_text("real")
        assert fetched(demo, capsys)["brought"] == ["results/1.csv"]
        (results / "1.csv").write_text("of the miniature")
        document = fetched(demo, capsys, sandbox=True)
        assert (document["kept"], document["brought"]) == ([], ["results/hec-sandbox/1.csv"])
        assert (demo / "results/hec-sandbox/1.csv").read_text() == "of the miniature"
        assert (demo / "results/1.csv").read_text() == "real"
        os.utime(results / "1.csv")
        assert fetched(demo, capsys)["brought"] == ["results/1.csv"]
        connections[False].close()


def test_a_run_s_outputs_come_from_its_release_though_rookery_yml_no_longer_names_them(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_home(tmp_path / "home", monkeypatch)
    there = tmp_path / "there"
    release = there / "projects/demo/releases" / ("1" * 40)
    for folder in (release / "tables", release / "results", there / "projects/demo/current/results"):
        folder.mkdir(parents=True)
        (folder / "41.csv").write_text(folder.name)
    (demo / "rookery.yml").write_text("name: demo\nclusters: [hec]\noutputs: [results, logs]\njobs: {}\n")
    record = {"job": "fit", "id": "41", "cluster": "hec", "release": str(release), "outputs": ["tables", "results/x"]}
    (demo / "runs/41.json").write_text(json.dumps(record))
    monkeypatch.setenv("HOME", str(there))
    with sshd(tmp_path) as (_, reach):
        connection = Connection(cluster("hec", **reach))
        monkeypatch.setattr(connect, "connect", lambda *_, **__: connection)
        connection.open(batch=True, accept_host_key=fingerprint((tmp_path / "host_key.pub").read_text()))
        assert fetched(demo, capsys)["brought"] == ["results/41.csv"]
        document = fetched(demo, capsys, job="41")
        assert (document["brought"], document["not_there"]) == (["tables/41.csv"], ["logs"])
        shutil.rmtree(release)
        fetch.run(options.FetchOptions(project=str(demo), job="41"))
        assert "  tables: an output of run 41 alone, whose release was removed" in capsys.readouterr().out
        connection.close()


def test_a_run_s_record_tells_the_cluster_or_the_one_whose_miniature_it_was(demo: Path) -> None:
    for number, label, day in ((7, "hec", 1), (7, "penguins-sandbox", 2), (8, "penguins-sandbox", 3)):
        record = {"job": "simulate", "id": str(number), "cluster": label, "when": f"2026-01-0{day}T00:00:00+00:00"}
        (demo / f"runs/{number}.{label}.json").write_text(json.dumps(record))
    clusters = [fetch.ran_on(demo, job, sandbox=sandbox) for job in ("7", "8", "9") for sandbox in (False, True)]
    assert clusters == ["hec", "penguins", "", "penguins", "", ""]


@pytest.mark.parametrize(
    ("new", "updated", "says"),
    [
        (0, 0, "No new files"),
        (1, 0, "1 new file"),
        (2000, 1, "2,000 new files, 1 updated"),
        (0, 1, "1 updated file"),
        (0, 2, "2 updated files"),
    ],
)
def test_files_that_replace_older_ones_are_counted_apart(new: int, updated: int, says: str) -> None:
    assert fetch_report._count(new, updated) == says


def test_advice_on_several_files_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    advice = "delete or rename {} to fetch the cluster's"
    fetch_report._print_named("kept your version", [("a.csv", "changed here")], advice=advice)
    fetch_report._print_named("kept your version", [(f"{n}.csv", "changed here") for n in range(7)], advice=advice)
    fetch_report._print_named("skipped", [("x", "a link"), ("y", "a link")])
    fetch_report._print_named("not fetched", [])
    assert capsys.readouterr().out.splitlines() == [
        "  kept your version: a.csv (changed here); delete or rename it to fetch the cluster's",
        "  kept your version of 7 files; delete or rename them to fetch the cluster's:",
        *(f"    {n}.csv (changed here)" for n in range(5)),
        "    … and 2 more",
        "  skipped, 2 files:",
        "    x (a link)",
        "    y (a link)",
    ]
