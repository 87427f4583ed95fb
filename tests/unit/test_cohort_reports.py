"""Reports that come back: read as what strangers wrote."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cohorts import NOW, check, document, faulty, healthy, put, text

from rookery.core.errors import RookeryError
from rookery.support import received_files
from rookery.support.cohort import readiness, reports
from rookery.support.cohort.reports import Report
from rookery.support.cohort.student import Student
from rookery.support.doctor import checks
from rookery.support.doctor import report as doctor
from rookery.support.received_files import DamagedError

ADA = Student("Ada", "ada@x.org", ("penguins", "hec"), "p", "python", slug="ada")


def read(folder: Path) -> tuple[list[Report], dict[str, str]]:
    received, unread = reports.read(folder)
    return received, {file.file: file.why for file in unread}


def states(*received: Report) -> list[str]:
    return [status.state for status in readiness.rows([ADA], received, NOW)[0].statuses]


def parsed(data: dict[str, Any], name: str = "ada.json") -> Report:
    return reports.parsed(name, json.dumps(data))


def test_text_and_json_are_read(tmp_path: Path) -> None:
    put(tmp_path, "ada.txt", faulty("hec", check("fault", "the quota", "10G of 10G", "tidy up")))
    put(tmp_path, "grace.json", healthy("hec"))
    put(tmp_path, "notes.md", "not mine to read")
    put(tmp_path, ".hidden.json", "nor this")
    (ada, grace), unread = read(tmp_path)
    assert not unread
    assert (ada.stem, ada.when, ada.rookery) == ("ada", NOW, "0.1.0")
    state, (only,) = ada.clusters["hec"]
    assert (state, only.title, only.state, only.found, only.fix) == (
        "faults",
        "the quota",
        "fault",
        "10G of 10G",
        "tidy up",
    )
    assert (grace.stem, grace.clusters["hec"][0]) == ("grace", "healthy")


@pytest.mark.parametrize(
    "encoded",
    [
        text(healthy("hec")).replace("\n", "\r\n").encode(),
        text(healthy("hec")).encode("utf-8-sig"),
        text(healthy("hec")).encode("utf-16"),
        (text(healthy("hec")).rstrip() + "\n\n-- \nsent from my phone {").encode(),
        text(healthy("hec")).replace(reports.MARKER, f"  {reports.MARKER} ").encode(),
        b"caf\xe9\n" + text(healthy("hec")).encode(),
    ],
)
def test_what_mail_and_windows_do_to_a_report(tmp_path: Path, encoded: bytes) -> None:
    (tmp_path / "ada.txt").write_bytes(encoded)
    (ada,), unread = read(tmp_path)
    assert (ada.clusters["hec"][0], unread) == ("healthy", {})


@pytest.mark.parametrize(
    ("name", "stem"),
    [("ada.txt", "ada"), ("Ada.TXT", "ada"), ("ada (1).txt", "ada"), ("ada.hec.json", "ada"), ("ada(12).json", "ada")],
)
def test_a_report_is_its_students_by_its_name(name: str, stem: str) -> None:
    assert reports.parsed(name, json.dumps(healthy("hec"))).stem == stem


DAMAGED: dict[str, Any] = {
    "": "or is incomplete",
    "hello": "or is incomplete",
    text(healthy("hec"))[:-20]: "^is incomplete",
    "{": "^is incomplete",
    "[]": "or is incomplete",
    '{"version": ' + "9" * 6000 + "}": "^is incomplete",
    '{"a":' * 100_000: "nested too deep",
    f"{reports.MARKER}\n[1]": "is not an object",
    "{}": "is not a report of doctor",
    json.dumps(healthy("hec") | {"version": 2}): "from a newer rookery",
    json.dumps(healthy("hec") | {"version": True}): "is not a report",
    json.dumps(healthy("hec") | {"version": "1"}): "is not a report",
    json.dumps(healthy("hec") | {"when": "yesterday"}): "has no date",
    json.dumps(healthy("hec") | {"when": 5}): "has no date",
    json.dumps(healthy("hec") | {"when": "2026-11-22T21:00:00Z\n"}): "has no date",
    json.dumps(healthy("hec") | {"clusters": []}): "clusters is not an object",
    json.dumps(healthy("hec") | {"clusters": {"hec": "healthy"}}): "a cluster is not an object",
    json.dumps(healthy("hec") | {"clusters": {"hec": {"state": ["healthy"], "checks": []}}}): "an unknown state",
    json.dumps(healthy("hec") | {"clusters": {"hec": {"state": "healthy"}}}): "entries for checks",
    json.dumps(healthy("hec") | {"clusters": {str(n): {} for n in range(300)}}): "more than 200 clusters",
    json.dumps(healthy("hec") | {"laptop": {}}): "entries for laptop",
    json.dumps(healthy("hec") | {"laptop": [5]}): "a check is not an object",
    json.dumps(healthy("hec") | {"laptop": [check("ok")] * 300}): "at most 200",
    json.dumps(healthy("hec") | {"laptop": [check("ok") | {"state": {}}]}): "a check that doctor does not make",
    json.dumps(healthy("hec") | {"laptop": [check("ok") | {"fix": ["rm"]}]}): "a check that doctor does not make",
}


@pytest.mark.parametrize(("content", "why"), DAMAGED.items(), ids=range(len(DAMAGED)))
def test_what_is_damaged_is_said(content: str, why: str) -> None:
    with pytest.raises(DamagedError, match=why) as caught:
        reports.parsed("x.json", content)
    assert str(caught.value).isprintable()


def test_one_damaged_report_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, "ada.txt", healthy("hec"))
    put(tmp_path, "bad.txt", "half")
    put(tmp_path, "zoe.txt", healthy("hec"))
    received, unread = read(tmp_path)
    assert [report.stem for report in received] == ["ada", "zoe"]
    assert set(unread) == {"bad.txt"}


def test_no_link_device_or_large_file_is_read(tmp_path: Path) -> None:
    secret = put(tmp_path / "other", "secret.json", healthy("hec"))
    folder = tmp_path / "reports"
    put(folder, "large.json", " " * received_files.LARGEST + "{}")
    (folder / "link.json").symlink_to(secret)
    (folder / "dangling.json").symlink_to("nowhere")
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.txt").mkdir()
    received, unread = read(folder)
    assert not received
    link = "is a link: copy the file itself into the folder"
    assert unread == {
        "large.json": "is larger than 1 MB",
        **dict.fromkeys(("link.json", "dangling.json", "loop.json", "zero.json"), link),
        "pipe.json": "is not a file",
        "folder.txt": "is not a file",
    }


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RookeryError, match=r"Can't read .*nowhere: No such file"):
        reports.read(tmp_path / "nowhere")


def test_what_a_report_says_is_one_plain_line(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\r\n\u202eetirw\u2028\x9b2J \ud800 <b> =1+1" + "x" * 100_000
    put(tmp_path, "ada.json", faulty("hec", check("fault", evil, evil, evil), rookery=evil))
    (tmp_path / "ada.json").rename(tmp_path / os.fsdecode(b"ad\xff\x1b[2Ja.json"))
    (report,), _ = read(tmp_path)
    (only,) = report.clusters["hec"][1]
    for line in (report.file, report.rookery, only.title, only.found, only.fix):
        assert line.isprintable()
        assert len(line) <= 300
        line.encode()
    assert "<b> =1+1" in only.fix  # as it was written: each way of showing it escapes what it must


def test_how_a_student_stands() -> None:
    assert states() == ["none", "none"]
    assert states(parsed(healthy("penguins", "hec"))) == ["ready", "ready"]
    assert states(parsed(healthy("penguins")), parsed(faulty("hec", check("fault")))) == ["ready", "faults"]
    assert states(parsed(document({"hec": {"state": "unknown", "checks": [check("skipped")]}}))) == ["none", "unknown"]
    assert states(parsed(healthy("hec", laptop=[check("warning")]))) == ["none", "ready"]
    # what the checks say, and the laptop's, counts for more than the word above them
    assert states(parsed(healthy("hec", laptop=[check("fault")]))) == ["none", "faults"]
    assert states(parsed(document({"hec": {"state": "healthy", "checks": [check("fault")]}}))) == ["none", "faults"]
    assert states(parsed(faulty("hec", check("ok")))) == ["none", "faults"]
    assert states(parsed(healthy("hec"), "somebody.json")) == ["none", "none"]
    # doctor did not get as far as to a cluster
    assert states(parsed(document({}, laptop=[check("fault")]))) == ["faults", "faults"]
    assert states(parsed(document({}, laptop=[check("ok")])), parsed(healthy("hec", days=1))) == ["unknown", "unknown"]
    assert states(parsed(document({}, days=2)), parsed(healthy("hec"))) == ["unknown", "ready"]


def test_the_latest_report_counts_and_an_old_one_is_told() -> None:
    older, newer = parsed(faulty("hec", check("fault"), days=3)), parsed(healthy("hec", days=2))
    assert states(newer, older) == states(older, newer) == ["none", "ready"]
    (_none, old) = readiness.rows([ADA], [parsed(faulty("hec", check("fault"), days=15))], NOW)[0].statuses
    assert (old.state, old.note) == ("old", "15 days old; its result: problems")
    assert states(parsed(healthy("hec", days=13.9))) == ["none", "ready"]
    assert states(parsed(healthy("hec", days=-0.5))) == ["none", "ready"]
    assert states(parsed(healthy("hec", days=-2))) == ["none", "old"]


def test_faults_come_first_the_laptops_before_all() -> None:
    document = faulty(
        "hec", check("warning", "w"), check("fault", "there"), laptop=[check("ok"), check("fault", "here")]
    )
    (_none, hec) = readiness.rows([ADA], [parsed(document)], NOW)[0].statuses
    assert [faulty_check.title for faulty_check in hec.checks] == ["here", "there", "w"]
    assert [faulty_check.title for faulty_check in hec.faults] == ["here", "there"]


def test_what_could_not_be_looked_at_says_what_to_do_first() -> None:
    content = document(
        {"hec": {"state": "unknown", "checks": [check("skipped", "port"), check("skipped", "login", fix="do")]}}
    )
    (_none, hec) = readiness.rows([ADA], [parsed(content)], NOW)[0].statuses
    assert [skipped.title for skipped in hec.checks] == ["login"]
    assert hec.first == hec.checks[0]


def test_doctors_own_writer_is_understood() -> None:
    results = checks.CheckResults({"port": "an ssh server that answers", "quota": "room in your storage"})
    results.fault("quota", "10G of 10G", "invoke setup --cluster hec --tags storage")
    results.ok("port", "22")
    document = doctor.document(checks.CheckResults({}), {"hec": results}, 3)
    for name, content in (("ada.txt", doctor.text(document)), ("ada.json", json.dumps(document))):
        report = reports.parsed(name, content)
        state, (port, quota) = report.clusters["hec"]
        assert (state, port.state, quota.state, quota.title) == ("faults", "ok", "fault", "room in your storage")
        assert quota.fix.endswith(" setup --cluster hec --tags storage")
        assert report.rookery == document["rookery"]


def test_reports_that_are_nobodys() -> None:
    mine, other, elsewhere = (
        parsed(healthy("hec")),
        parsed(healthy("hec"), "eve.json"),
        parsed(healthy("bede"), "ada.bede.json"),
    )
    assert readiness.unmatched([ADA], [mine, other, elsewhere]) == [other, elsewhere]
    assert readiness.unmatched([ADA], [parsed(document({}))]) == []
    table = readiness.rows([ADA], [mine], datetime.now(UTC))
    assert sum(readiness.counts(table).values()) == 2
