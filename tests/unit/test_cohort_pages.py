"""What each student gets: requests, instructions, checklist; a person's own files are kept."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import library_profiles
import pytest
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.support.cohort import pages, wheel
from rookery.support.cohort.student import Student

ADA = Student("Ada Lovelace", "ada@example.ac.uk", ("penguins", "hec"), "engines", "python", slug="ada-lovelace")
FILES = ["checklist.md", "instructions.md", "request-hec.txt", "request-penguins.txt"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def clusters() -> Mapping[str, Cluster]:
    return {name: profile.load(name) for name in ("penguins", "hec")}


def states(written: list[pages.Written]) -> dict[str, str]:
    return {file.path.name: file.state for file in written}


def test_a_folder_a_student(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    written = pages.write(tmp_path / "out", [ADA], clusters, wheel.Wheel(wheel.NAME))
    folder = tmp_path / "out/ada-lovelace"
    assert sorted(file.name for file in folder.iterdir()) == FILES
    assert set(states(written).values()) == {"made"}
    assert (folder / "request-penguins.txt").read_text().startswith("To: Mariusz or Cyrus\n")
    assert "https://portal.lancaster.ac.uk/ask/hec" in (folder / "request-hec.txt").read_text()
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    text = (folder / "instructions.md").read_text()
    assert f"\n{pages.onboard(ADA, profile.load('penguins'))}\n" in text
    assert f"\n{pages.onboard(ADA, profile.load('hec'))}\n" in text
    assert "\nrookery doctor penguins hec --report ada-lovelace.txt\n" in text
    assert f"\nuv tool install ./{wheel.NAME}\n" in text
    assert "Needs a VPN when you are off campus: Lancaster University VPN." in text
    assert "The first login asks for your password (not verified)." in text
    assert "\n\n\n" not in text
    assert "request-hec.txt" in (folder / "checklist.md").read_text()
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_the_one_command_says_what_was_said_of_the_student() -> None:
    student = replace(ADA, name='Siân "$(reboot)" O\'Brien; `x`', user="obrien")
    hec, bede = profile.load("hec"), profile.load("bede")
    assert shlex.split(pages.onboard(student, hec)) == [
        *("rookery", "onboard", "hec", "--user", "obrien", "--name", student.name),
        *("--email", "ada@example.ac.uk", "--project", "engines", "--language", "python"),
    ]
    assert "\n" not in pages.onboard(replace(student, name="Ada\nrm -rf ~"), hec)
    charged = replace(student, account="bdlan09")
    assert pages.onboard(charged, hec) == pages.onboard(student, hec)  # which asks for none
    assert " --user obrien --account bdlan09 --name " in pages.onboard(charged, bede)


def test_again_nothing_changes(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    pages.write(tmp_path / "out", [ADA], clusters, wheel.Wheel(wheel.NAME))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert set(states(pages.write(tmp_path / "out", [ADA], clusters, wheel.Wheel(wheel.NAME))).values()) == {"present"}
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_what_somebody_edited_is_kept_and_the_rest_brought_up_to_date(
    tmp_path: Path, clusters: Mapping[str, Cluster]
) -> None:
    pages.write(tmp_path, [ADA], clusters, wheel.Wheel(wheel.NAME))
    checklist = tmp_path / "ada-lovelace/checklist.md"
    checklist.write_text(checklist.read_text().replace("[ ]", "[x]", 1))
    ticked = checklist.read_text()
    written = pages.write(tmp_path, [replace(ADA, user="lovelaca")], clusters, wheel.Wheel(wheel.NAME))
    assert states(written) == dict.fromkeys(FILES, "changed") | {"checklist.md": "kept"}
    assert checklist.read_text() == ticked
    assert "lovelaca" in (tmp_path / "ada-lovelace/instructions.md").read_text()


def test_a_file_that_was_there_before_is_kept(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    instructions = tmp_path / "ada-lovelace/instructions.md"
    instructions.parent.mkdir()
    instructions.write_text("mine")
    assert states(pages.write(tmp_path, [ADA], clusters, wheel.Wheel(wheel.NAME)))["instructions.md"] == "kept"
    assert instructions.read_text() == "mine"


def test_nothing_is_written_through_a_link(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / "ada-lovelace").symlink_to(elsewhere)
    assert set(states(pages.write(out, [ADA], clusters, wheel.Wheel(wheel.NAME))).values()) == {"kept"}
    assert not list(elsewhere.iterdir())
    (out / "ada-lovelace").unlink()
    (out / "ada-lovelace").mkdir()
    (out / "ada-lovelace/checklist.md").symlink_to(elsewhere / "target")
    (out / "ada-lovelace/instructions.md").mkdir()
    state_of = states(pages.write(out, [ADA], clusters, wheel.Wheel(wheel.NAME)))
    assert (state_of["checklist.md"], state_of["instructions.md"], state_of["request-hec.txt"]) == (
        "kept",
        "kept",
        "made",
    )
    assert not list(elsewhere.iterdir())


def test_a_folder_that_is_a_file(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RookeryError, match="out is not a folder"):
        pages.write(tmp_path / "out", [ADA], clusters, wheel.Wheel(wheel.NAME))
    assert (tmp_path / "out").read_text() == "mine"


def test_a_name_is_no_markup_and_ends_no_line(tmp_path: Path, clusters: Mapping[str, Cluster]) -> None:
    student = replace(ADA, name="Ada</h1>\n\n# <b>[x](javascript:alert(1))\n```", supervisor="*_<img src=x>_*")
    pages.write(tmp_path, [student], clusters, wheel.Wheel(wheel.NAME))
    for name in ("instructions.md", "checklist.md"):
        text = (tmp_path / "ada-lovelace" / name).read_text()
        plain = "\n".join(part for n, part in enumerate(text.split("\n```\n")) if n % 2 == 0)
        assert not [line for line in plain.splitlines() if line.startswith(("# <", "[x]"))]
        for markup in ("</h1>", "<b>", "<img", "[x](", "*_"):
            assert markup not in plain.replace(f"\\{markup[0]}", "")
    assert text.splitlines()[0].startswith("# Ada")


def test_a_profile_that_says_little_makes_a_page_all_the_same(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "data/profiles"
    clusters = {"hex-metal": profile.load("hex-metal", [folder]), "bede": profile.load("bede")}
    clusters |= {name: library_profiles.load(name) for name in library_profiles.NAMES}
    for name in clusters:
        pages.write(tmp_path, [replace(ADA, clusters=(name,), slug=name)], clusters, wheel.Wheel(wheel.NAME))
        assert f"rookery onboard {name} " in (tmp_path / name / "instructions.md").read_text()
    assert "Ask the people who run a " in (tmp_path / "hex-metal/instructions.md").read_text()
    text = (tmp_path / "bede/instructions.md").read_text()
    assert "then the code from your app" in text
    assert (
        "Your jobs are charged to an account (the code of your project, such as bdlan09): rookery asks for its name."
        in text
    )
