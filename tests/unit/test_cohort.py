"""`cohort`: the command, the table on the terminal, as data and as a page."""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cohorts import NOW, STUDENTS, Page, check, document, evil_page, faulty, healthy, put
from user_home import at_home

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.support.cohort import cohort_file, command, html, readiness, reports, wheel
from rookery.support.options import CohortOptions

TODAY = datetime.now(UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = at_home(tmp_path / "home", monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "students.yml").write_text(STUDENTS)
    return home


def everybody_ready(folder: Path) -> None:
    put(folder, "ada-lovelace.txt", healthy("penguins", "hec", now=TODAY))
    put(folder, "grace-o-hopper.json", healthy("hec", now=TODAY))


def test_the_first_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(CohortOptions("students.yml")) == 0
    assert sorted(folder.name for folder in (tmp_path / "students").iterdir()) == ["ada-lovelace", "grace-o-hopper"]
    shown = capsys.readouterr().out
    assert shown.startswith("students: 7 new files (one folder per student)\n")
    assert "rookery cohort students.yml --reports reports --html readiness.html" in shown
    assert "no report" not in shown


def test_the_folder_is_the_lists_unless_said(tmp_path: Path) -> None:
    (tmp_path / "students.yml").rename(tmp_path / "students")
    with pytest.raises(RookeryError, match="the name of students has no ending") as caught:
        command.run(CohortOptions("students"))
    assert caught.value.hint == "rookery cohort students --output students-files"
    assert command.run(CohortOptions("students", output="deep/er")) == 0
    assert (tmp_path / "deep/er/ada-lovelace/checklist.md").is_file()


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "reports"
    put(folder, "ada-lovelace.txt", faulty("hec", check("fault", "the quota", "10G of 10G", "tidy up"), now=TODAY))
    put(folder, "bad.txt", "half")
    put(folder, "grace-o-hoper.txt", healthy("hec", now=TODAY))
    checklist = tmp_path / "students/ada-lovelace/checklist.md"
    checklist.parent.mkdir(parents=True)
    checklist.write_text("mine")
    assert command.run(CohortOptions("students.yml", reports="reports")) == 1
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "Ada Lovelace no report problems: the quota" in lines
    assert "Grace O'Hopper no report" in lines
    assert "Ada Lovelace, hec: the quota: 10G of 10G" in lines
    assert "fix: tidy up" in lines
    assert "2 students, 3 homes: problems 1, no report 2" in lines
    assert "skipped: bad.txt is not a report of doctor, or is incomplete" in lines
    assert "skipped: grace-o-hoper.txt does not have a student's name (did you mean grace-o-hopper?)" in lines
    assert "kept students/ada-lovelace/checklist.md: you changed it" in lines


def test_the_exit_code_tells_whether_everybody_is_ready(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    everybody_ready(folder)
    request = CohortOptions("students.yml", reports="reports", json=True)
    assert command.run(request) == 0
    put(folder, "grace-o-hopper.json", healthy("hec", days=30, now=TODAY))
    assert command.run(request) == 3
    put(folder, "x.json", "")
    assert command.run(request) == 1


def test_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everybody_ready(tmp_path / "reports")
    command.run(CohortOptions("students.yml", reports="reports", json=True))
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"ready": 3, "faults": 0, "unknown": 0, "old": 0, "none": 0}
    ada, grace = document["students"]
    assert (ada["slug"], ada["clusters"]["hec"]["state"], ada["clusters"]["hec"]["file"]) == (
        *("ada-lovelace", "ready"),
        "ada-lovelace.txt",
    )
    assert grace["command"]["hec"].startswith("rookery onboard hec --user hopper --name ")
    assert document["files"]["students/ada-lovelace/checklist.md"] == "made"


def test_a_list_that_is_wrong_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "students.yml").write_text(STUDENTS + "- {name: X}\n")
    with pytest.raises(RookeryError, match=r"students\.yml:3: missing key `email`"):
        command.run(CohortOptions("students.yml", html="page.html"))
    assert not (tmp_path / "students").exists()
    assert not (tmp_path / "page.html").exists()


def test_the_page_writes_over_no_file_but_a_page(tmp_path: Path) -> None:
    everybody_ready(tmp_path / "reports")
    for name in ("students.yml", "link.html", "folder.html"):
        (tmp_path / "link.html").symlink_to("students.yml") if name == "link.html" else None
        (tmp_path / "folder.html").mkdir() if name == "folder.html" else None
        with pytest.raises(RookeryError, match=f"{name}.* is not a (file|page)"):
            command.run(CohortOptions("students.yml", html=name))
    assert (tmp_path / "students.yml").read_text() == STUDENTS
    assert not (tmp_path / "students").exists()
    assert command.run(CohortOptions("students.yml", html="page.html")) == 0
    before = (tmp_path / "page.html").read_text()
    assert command.run(CohortOptions("students.yml", reports="reports", html="page.html")) == 0
    assert (tmp_path / "page.html").read_text() != before


def test_hostile_text_stays_text() -> None:
    page = Page(evil_page())
    assert not page.foreign()
    for _tag, attributes in page.elements:
        assert not set((attributes.get("class") or "").split()) - {
            *("soft", "counts", "zero", "badge", "checks", "inside", "ready", "faults", "unknown", "old", "none")
        }
    assert "{{ 7*7 }}" in "".join(page.texts)
    assert "49" not in "".join(page.texts)


def test_the_page_forbids_all_but_its_own_style_and_asks_for_nothing() -> None:
    page = Page(text := evil_page())
    policy = next(
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in style
    # the policy stands above everything that it is to rule
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_the_page_has_a_row_for_everybody_and_can_be_read_out(tmp_path: Path) -> None:
    students = cohort_file.load("students.yml", ("penguins", "hec"))
    put(
        tmp_path / "r", "ada-lovelace.json", document({"hec": {"state": "faults", "checks": [check("fault", "quota")]}})
    )
    received, unread = reports.read(tmp_path / "r")
    clusters: Mapping[str, Any] = {name: profile.load(name) for name in ("penguins", "hec")}
    page = Page(html.page("students", readiness.picture(students, received, unread, NOW), clusters, NOW))
    scopes = [attributes.get("scope") for tag, attributes in page.elements if tag == "th"]
    assert scopes == ["col", "col", "col", "row", "row"]
    assert [tag for tag, _ in page.elements].count("details") == 2
    assert [tag for tag, _ in page.elements].count("caption") == 1
    assert ("html", {"lang": "en"}) in page.elements
    text = " ".join("".join(page.texts).split())
    assert "2 students, 3 homes" in text
    assert "HEC problems quota" not in text
    assert "problems quota" in text
    assert "rookery doctor penguins hec --report ada-lovelace.txt" in text


def test_the_wheels_checksum_is_in_the_instructions_and_checks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        wheel, "NAME", "rookery_hpc-0.0.1-py3-none-any.whl"
    )  # none of that version can be anywhere else
    assert command.run(CohortOptions("students.yml")) == 0
    assert f"{wheel.NAME} was not found" in capsys.readouterr().out
    (tmp_path / wheel.NAME).write_bytes(b"the wheel")
    assert command.run(CohortOptions("students.yml")) == 0
    assert "was not found" not in capsys.readouterr().out
    text = (tmp_path / "students/ada-lovelace/instructions.md").read_text()
    (line,) = re.findall(r"^(echo '.*) +# on a Mac", text, re.MULTILINE)
    completed = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout) == (0, f"{wheel.NAME}: OK\n")
    (tmp_path / wheel.NAME).write_bytes(b"another wheel")
    assert subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_wheel_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "rookery_hpc-9.9.9-py3-none-any.whl").write_bytes(b"x")
    assert command.run(CohortOptions("students.yml", wheel="rookery_hpc-9.9.9-py3-none-any.whl")) == 0
    text = (tmp_path / "students/ada-lovelace/instructions.md").read_text()
    assert f"{hashlib.sha256(b'x').hexdigest()}  rookery_hpc-9.9.9-py3-none-any.whl" in text
    assert "uv tool install ./rookery_hpc-9.9.9-py3-none-any.whl" in text
    with pytest.raises(RookeryError, match=r"missing\.whl is not a wheel of rookery"):
        command.run(CohortOptions("students.yml", wheel="missing.whl"))
