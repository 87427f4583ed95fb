"""From a table of parameters to a table of results; and that what runs stays what it was when it was submitted."""

import csv
import json
from collections.abc import Iterator

import pytest
from laptop_projects import Project, project
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

VALUES = [
    "plain", "two words", " both ends ", "it's", 'say "so"', "$HOME", "`id`", "$(id)", "-x", "--help", "*", "~", "a;b",
    "a|b", "a&b", "back\\slash", "new\nline", "tab\there", "comma,", "%s", "{task}", "#", "!", "é", "日本語", "",
    "0.10", "007", "1e5", "NA", "(a)", "[a]", "a=b", "<a>", "\\n", "'", '"', "a'b\"c", "--", "end",
]  # fmt: skip

FILES = {
    "rookery.yml": """
        name: krill
        clusters: [penguins]
        environment: {python: none}
        outputs: [slurm_logs, "results/{run}"]
        jobs:
          fit:
            template: sweep
            command: python3 fit.py results/{run}/{task}.csv {row}
            params: params.csv
            max_running: 8
            time: 00:05:00
          flaky:
            command: sh flaky.sh {level} results/{run}/{level}.csv {commit}
            params: flaky.yaml
            chunk: 2
            time: 00:05:00
          wait:
            template: python-array
            command: bash wait.sh {task}
            array: 1-3
            max_running: 1
            time: 00:05:00
        """,
    "fit.py": """
        import csv, sys
        given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
        with open(sys.argv[1], "w", newline="") as stream:
            csv.writer(stream).writerows([["got", "size"], [given["--value"], len(given["--value"])]])
        """,
    "flaky.yaml": "level: [0.10, 1e-3, no]\n",
    "flaky.sh": 'test $1 != no && printf "made,level\\n%s,%s\\n" $3 $1 >$2\n',
    "wait.sh": """
        until [ -e ~/go-on ]; do sleep 0.1; done
        echo "of the first release" >results/wait_$1.txt
        """,
}


@pytest.fixture(scope="module")
def krill(penguins: Live) -> Iterator[Project]:
    person = laptop(penguins, "kai")
    person.setup("--tags", "shell,storage")
    yield project(person, "krill", {**FILES, "params.csv": table()})
    person.says("touch go-on")


def table() -> str:
    """The parameters: forty rows."""
    assert len(VALUES) == 40
    quoted = [value.replace('"', '""') for value in VALUES]
    return "number,value\n" + "".join(f'{number},"{value}"\n' for number, value in enumerate(quoted, start=1))


def test_forty_rows_of_awkward_values_to_one_table(krill: Project) -> None:
    submitted = krill.json("submit", "fit", "--wait")
    assert submitted["jobs"][0]["tasks"] == {"COMPLETED": "1-40"}
    assert [row["value"] for row in submitted["record"]["rows"]] == VALUES
    krill.run("fetch", submitted["id"])
    answer = json.loads(krill.run_here("combine", submitted["id"], "--json"))
    assert (answer["rows"], answer["files"], answer["missing"]) == (40, 40, [])
    with (krill.root / "combined.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 41)]
    assert [row["value"] for row in rows] == VALUES
    assert [row["got"] for row in rows] == VALUES


def test_a_deploy_changes_nothing_under_an_array_that_runs(krill: Project) -> None:
    """Neither the task that runs nor those that wait: they are of the release that they were submitted from."""
    number = krill.submit("wait")
    wait_for(lambda: "RUNNING" in krill.job(number)["tasks"])
    krill.commit({"wait.sh": 'echo "of the second release" >results/wait_$1.txt\n'})
    krill.run("deploy")
    assert "second" in krill.read_there("current/wait.sh")
    krill.laptop.says("touch go-on")
    wait_for(lambda: set(krill.job(number)["tasks"]) == {"COMPLETED"})
    assert (
        krill.laptop.says("cat storage/projects/krill/results/wait_*.txt").splitlines() == ["of the first release"] * 3
    )


def test_a_rerun_completes_its_run_and_a_second_run_is_kept_apart(krill: Project) -> None:
    """Of parameters in YAML; the rerun is of another commit. Nothing that came home keeps the next deploy back."""
    first = krill.json("submit", "flaky", "--wait", code=1)
    number, commit = first["id"], first["record"]["commit"][:7]
    assert first["jobs"][0]["tasks"] == {"COMPLETED": "1", "FAILED": "2"}
    mended = krill.commit({"flaky.sh": 'printf "made,level\\n%s,%s\\n" $3 $1 >$2\n'})[:7]
    krill.run("deploy")
    rerun = krill.submit("--failed", number, "--wait")
    again = krill.submit("flaky", "--wait")
    krill.run("fetch", rerun)
    table = {"0.10": commit, "1e-3": commit, "no": mended}
    assert combined(krill, rerun) == [[number, *row] for row in zip(table.values(), "123", table, strict=True)]
    krill.run("fetch")
    both = combined(krill, number, again)
    assert both[:3] == combined(krill, number)
    assert both[3:] == [[again, mended, task, level] for task, level in zip("123", table, strict=True)]
    assert f"results/{number}/no.csv" in files(krill)
    assert "is up to date" in krill.run("deploy")


def combined(krill: Project, *runs: str) -> list[list[str]]:
    """Run, commit, task and level of each row of the table of runs."""
    answer = json.loads(krill.run_here("combine", *runs, "--json"))
    assert answer["missing"] == []
    with (krill.root / "combined.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["made"] == row["commit"] for row in rows)
    return [[row[name] for name in ("run", "commit", "task", "level")] for row in rows]


def files(krill: Project) -> list[str]:
    """The results that are here."""
    return [str(path.relative_to(krill.root)) for path in krill.root.glob("results/**/*.csv")]
