"""`jobs --fit`, `submit --fit` and `report` on a real Slurm: what runs used, and what the next one requests."""

import json
from pathlib import Path

import pytest
from laptop_projects import Project, project, submitted
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: plover
        clusters: [hec]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          fly:
            template: python-array
            command: sh -c 'sleep {task}; mkdir -p results/{run}; echo {task} >results/{run}/{task}.txt'
            array: 1-3
            memory: 1G
            time: 04:00:00
        """
}


@pytest.fixture(scope="module")
def plover(hec: Live) -> Project:
    student = laptop(hec, "dunlin")
    student.setup("--tags", "shell,storage")
    return project(student, "plover", FILES)


def test_what_runs_used_becomes_what_the_next_one_requests(plover: Project) -> None:
    assert "No run of this project on hec" in plover.run("jobs", "--fit")
    said = plover.run("submit", "fly", "--fit", "--unchecked", "--yes")
    assert "No run of fly is known on hec." in said
    number = submitted(said)
    wait_for(lambda: plover.job(number)["counts"] == {"COMPLETED": 3})
    wait_for(lambda: plover.json("jobs", "--fit")["jobs"].get("fly", {}).get("tasks") == 3)
    fly = plover.json("jobs", "fly", "--fit")["jobs"]["fly"]
    assert fly["time"]["asked"] == 14400
    assert 3 <= fly["time"]["used"]["100"]["value"] < 60
    assert fly["time"]["proposal"] == 600
    assert "--time=00:10:00" in fly["options"]
    shown = plover.run("jobs", "--fit")
    assert "time: 00:10:00" in shown
    assert "rookery submit fly --fit" in shown

    refused = plover.run("submit", "fly", "--fit", "--unchecked", code=1)  # without a terminal, nobody agrees
    assert "Nothing was submitted" in refused
    assert "next: rookery submit fly --fit --unchecked --cluster hec --yes" in refused
    fitted = submitted(plover.run("submit", "fly", "--fit", "--unchecked", "--yes"))
    wait_for(lambda: set(plover.laptop.says(f"sacct -X -n -P -j {fitted} -o TimelimitRaw").split()) == {"10"})
    record = json.loads((plover.root / f"runs/{fitted}.json").read_text())
    assert "--time=00:10:00" in record["options"]
    wait_for(lambda: plover.job(fitted)["counts"] == {"COMPLETED": 3})
    again = plover.json("reproduce", fitted)["submitted"]
    assert set(plover.laptop.says(f"sacct -X -n -P -j {again} -o TimelimitRaw").split()) == {"10"}


def test_an_unknown_job_and_options_that_say_nothing_are_refused(plover: Project) -> None:
    assert "No run of 'walk' is known on hec" in plover.run("jobs", "walk", "--fit", code=1)
    assert "Use --fit without --watch" in plover.run("jobs", "--fit", "--watch", code=1)


def test_a_report_sums_up_what_sacct_says(plover: Project, tmp_path: Path) -> None:
    plover.submit("fly")
    wait_for(lambda: plover.laptop.says("squeue --noheader --me") == "")
    question = "sacct -X -n -P -o ElapsedRaw,AllocCPUS,State -S now-1days"
    wait_for(lambda: plover.laptop.says(f"{question} | cut -d'|' -f3").split() == ["COMPLETED"] * 12)
    seconds = [line.split("|") for line in plover.laptop.says(question).splitlines()]
    document = plover.json("report", "--days", "2")
    usage = document["usage"]
    assert {(used["cluster"], used["project"].partition("-")[0]) for used in usage} == {("hec", "plover")}
    assert sum(used["counts"]["COMPLETED"] for used in usage) == len(seconds)
    core_seconds = sum(int(line[0]) * int(line[1]) for line in seconds)
    assert sum(used["core_hours"] for used in usage) == pytest.approx(core_seconds / 3600)
    assert all(used["kilograms"] == pytest.approx(0.177 * used["kilowatt_hours"]) for used in usage)
    assert "177 g CO2e a kWh" in document["assumptions"]["hec"]

    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/wren.json").write_text(json.dumps(document))
    page = tmp_path / "group.html"
    shown = plover.run_here("report", "--from", str(tmp_path / "sent"), "--html", str(page))
    assert "hec" in shown
    assert "plover" in page.read_text()
