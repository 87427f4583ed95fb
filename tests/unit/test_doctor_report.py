"""What `doctor` prints, and the report that it writes."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from user_home import at_home, own_inventory

from rookery.core import failure_log, invocation
from rookery.core.errors import RookeryError
from rookery.support import options
from rookery.support.doctor import command, report

pytestmark = pytest.mark.usefixtures("home_of_its_own")


TOLD: dict[str, Any] = {
    "version": 1, "rookery": "0.1.0", "when": "2026-11-22T21:00:00Z", "exit": 3,
    "laptop": [{"name": "ssh", "title": "ssh", "state": "ok", "found": "9.2", "fix": ""}],
    "clusters": {"hec": {"state": "faults", "checks": [
        {"name": "dns", "title": "the name", "state": "fault", "found": "no such host", "fix": "look"},
        {"name": "port", "title": "port", "state": "skipped", "found": "the name comes first", "fix": ""},
        {"name": "clock", "title": "clocks", "state": "warning", "found": "late", "fix": ""},
    ]}},
}  # fmt: skip


def test_a_line_for_what_is_not_well() -> None:
    assert report.lines(TOLD) == [
        ("", "this computer: 1 check passed"),
        ("", "hec: 0 checks passed; 1 problem, 1 warning, 1 skipped"),
        ("fault", "the name: no such host"),
        ("fix", "look"),
        ("warning", "clocks: late"),
    ]
    assert len(report.lines(TOLD, all_of_them=True)) == 7


def test_each_problem_of_a_file_has_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, monkeypatch)
    text = "cluster_user: ada\ncluster_prot: 1\npython_versions: 3.13\n"
    own_inventory(tmp_path, "host_vars/hec.yml", text)
    command.run(options.DoctorOptions(cluster="hec", report=str(tmp_path / "ada.txt")))
    place = "~/.config/rookery/inventory/host_vars/hec.yml"
    shown = capsys.readouterr().out
    assert f"the cluster's profile:\n    {place}:2: unknown key `cluster_prot` " in shown
    assert f"\n    {place}:3: `python_versions` must be a list, " in shown
    assert shown.count(f"\n    fix: edit lines 2 and 3 of {place}, then run") == 1
    written = (tmp_path / "ada.txt").read_text()
    assert re.search(r"\n  problem +the cluster's profile:\n +\S+:2: unknown .*\n +\S+:3: ", written)


def test_the_report_is_text_and_then_the_same_as_data(tmp_path: Path) -> None:
    path = tmp_path / "ada.txt"
    report.writable(path)
    report.write(path, TOLD, str)
    text = path.read_text()
    assert text.startswith(f"{report.HEAD}\n")
    assert json.loads(text.partition(f"{report.RULE}\n")[2]) == TOLD
    report.writable(path)  # a report may take the place of a report
    (tmp_path / "thesis.tex").write_text("mine")
    for wrong in (tmp_path / "thesis.tex", tmp_path, tmp_path / "none/x.txt"):
        with pytest.raises(RookeryError):
            report.writable(wrong)


def test_a_cluster_that_is_not_known() -> None:
    with pytest.raises(RookeryError, match="Unknown cluster 'penguin'"):
        command.run(options.DoctorOptions(cluster="penguin"))


def test_without_a_cluster_it_looks_at_this_computer(capsys: pytest.CaptureFixture[str]) -> None:
    code = command.run(options.DoctorOptions())
    output = capsys.readouterr().out
    assert output.startswith("this computer: ")
    assert code == 0
    assert "next: invoke clusters   # lists the clusters; `invoke doctor NAME` checks one" in output


def test_what_rookery_itself_failed_at_goes_into_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(
        sys, "argv", ["/opt/bin/rookery", "submit", "WANDB_TOKEN=hush", "https://ada:hush@index.example/"]
    )
    for number in range(failure_log.KEPT + 5):
        file = failure_log.write(KeyError(number))
    assert file is not None
    assert len(list(file.parent.iterdir())) == failure_log.KEPT
    assert "hush" not in file.read_text()
    report.write(tmp_path / "report.txt", TOLD, lambda text: text.replace(str(failure_log.KEPT + 4), "REDACTED"))
    content = (tmp_path / "report.txt").read_text()
    assert content.count("---- Error in rookery itself:") == 3
    assert "KeyError: REDACTED" in content
    assert content.index("KeyError") < content.index(report.RULE)


def test_a_log_that_can_t_be_read_is_left_out_of_the_report() -> None:
    file = failure_log.write(KeyError("first"))
    assert file is not None
    (file.parent / "2999.txt").symlink_to("nowhere")
    assert [text.count("KeyError") for text in failure_log.latest()] == [1]


def test_a_state_folder_that_cannot_be_written_to_hides_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rookery").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert failure_log.write(KeyError("x")) is None
    assert "ROOKERY_DEBUG=1" in invocation.explain(KeyError("x"))
