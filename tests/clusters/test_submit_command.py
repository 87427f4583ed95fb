"""`submit`: a job from a release that is deployed, recorded; what is refused, and in which words."""

import csv
import json
import os
import re
import shlex
import signal
from collections.abc import Iterator

import pytest
from frames import framed
from laptop_projects import Project, project, submitted
from laptops import laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: seals
        clusters: [hec, penguins]
        environment: {python: none}
        outputs: [slurm_logs, results]
        jobs:
          simulate:
            template: python-array
            command: python3 simulate.py {task}
            array: 1-8
            max_running: 4
            memory: 100M
            time: 00:05:00
          total:
            command: cat results/*.txt
            memory: 100M
            time: 00:05:00
            after: [simulate]
          elsewhere:
            command: hostname
            only: [penguins]
          sweep:
            template: sweep
            command: python3 -c 'import sys; print(sys.argv[1:])'
            params: params.csv
            chunk: 2
            mail: ada@example.org
            memory: 100M
            time: 00:05:00
        """,
    "simulate.py": """
        import random, sys
        task = int(sys.argv[1])
        random.seed(task)
        if random.random() < 0.3:
            sys.exit(f"task {task} went wrong")
        open(f"results/{task}.txt", "w").write(f"{task}\\n")
        """,
    "params.csv": 'name,n\n"a b; $HOME",1\n"it\'s ""so""",2\n-x,3\n',
    "own script.sh": """\
        #!/bin/bash
        #SBATCH --job-name="my own"
        #SBATCH --output=deep/%x/own_%j.out
        #SBATCH --time=00:02:00
        source /etc/profile
        module add R/4.3.1
        echo "in $PWD with $LOADEDMODULES"
        """,
    "bad.sh": "#!/bin/bash\n#SBATCH --partition=nix\n#SBATCH --time=00:02:00\nsource /etc/profile\nhostname\n",
}

FAILS = "1,3-4,8"
"""The tasks of simulate that go wrong: random.seed is the same everywhere."""


@pytest.fixture(scope="module")
def seals(hec: Live) -> Project:
    student = laptop(hec, "sue")
    student.setup("--tags", "shell,storage")
    return project(student, "seals", FILES)


@pytest.fixture(scope="module")
def ended(seals: Project) -> dict[str, object]:
    """What came of the array: submitted, waited for."""
    return dict(seals.json("submit", "simulate", "--wait", code=1))


def test_an_array_is_run_and_recorded_on_both_sides(seals: Project, ended: dict[str, object]) -> None:
    number, record = str(ended["id"]), ended["record"]
    assert json.loads(seals.read_there(f"runs/{number}.json")) == record
    assert json.loads((seals.root / f"runs/{number}.json").read_text()) == record
    assert isinstance(record, dict)
    assert record["commit"] == seals.git("rev-parse", "HEAD")
    assert (record["job"], record["array"], record["who"], record["dirty"]) == ("simulate", "1-8%4", "sue", False)
    assert record["script"] == seals.read_there("current/slurm/simulate.sh") + "\n"
    assert record["release"].endswith(f"releases/{record['commit']}")
    [job] = ended["jobs"]  # type: ignore[misc]
    assert job["tasks"] == {"COMPLETED": "2,5-7", "FAILED": FAILS}
    assert seals.laptop.says("cat projects/seals/current/results/*.txt").split() == ["2", "5", "6", "7"]
    assert seals.git("status", "--porcelain", "--", ".", ":!runs") == ""


def test_just_the_tasks_that_failed_run_again(seals: Project, ended: dict[str, object]) -> None:
    again = seals.json("submit", "--failed", str(ended["id"]), "--wait", code=1)
    assert again["record"]["array"] == f"{FAILS}%4"
    assert again["record"]["failed_of"] == ended["id"]
    [job] = again["jobs"]
    assert (job["array"], job["tasks"]) == (True, {"FAILED": FAILS})
    output = seals.run("submit", "total", "--failed", str(ended["id"]), code=1)
    assert f"Run {ended['id']} is a run of simulate, not of total." in output
    output = seals.run("submit", "total", code=1)
    assert f"Job {again['id']} failed (FAILED), so total would never start" in output


def test_failed_tasks_of_a_later_release_and_of_another_table(seals: Project) -> None:
    """Four rows, two an element; the second element fails, is mended, and runs again from the new release."""
    command = 'import sys; print(sys.argv[1:]); sys.exit("-x" in sys.argv)'
    text = FILES["rookery.yml"].replace("import sys; print(sys.argv[1:])", command)
    seals.commit({"rookery.yml": text})
    seals.run("deploy", "--yes")
    first = seals.json("submit", "sweep", "--wait", code=1)
    assert first["record"]["rows"] == list(csv.DictReader(FILES["params.csv"].splitlines()))
    assert (first["record"]["chunk"], first["jobs"][0]["tasks"]) == (2, {"COMPLETED": "1", "FAILED": "2"})
    table = seals.laptop.says(f"cat {first['record']['table']}")
    assert list(csv.DictReader(table.splitlines())) == first["record"]["rows"]
    assert "/results/sweep_" in first["record"]["table"]
    assert re.fullmatch(r"\d+", first["record"]["mail_job"])
    seals.commit({"rookery.yml": FILES["rookery.yml"], "params.csv": "name,n\nother,1\n"})
    seals.run("deploy", "--yes")
    output = seals.run("submit", "--failed", first["id"], code=1)
    assert "The rows of sweep changed since run" in output
    seals.commit({"params.csv": FILES["params.csv"]})
    seals.run("deploy", "--yes")
    again = seals.json("submit", "--failed", first["id"], "--wait")
    assert again["record"]["commit"] != first["record"]["commit"]
    assert again["jobs"][0]["tasks"] == {"COMPLETED": "2"}
    output = seals.run("submit", "--failed", first["id"], code=1)
    assert f"Job {first['id']} has no failed tasks left: they succeeded in job {again['id']}." in output
    assert f"submit --failed {first['id']}" not in seals.run("jobs", first["id"])
    (seals.root / f"runs/{again['id']}.json").unlink()  # submitted from another computer
    output = seals.run("submit", "--failed", first["id"], code=1)
    assert f"they succeeded in job {again['id']}." in output
    [job] = seals.json("jobs", first["id"])["jobs"]
    assert (job["failed_left"], job["tasks"]["FAILED"]) == ("", "2")
    assert f"submit --failed {first['id']}" not in seals.run("jobs", first["id"])
    record = seals.json("submit", "own script.sh", "--after", first["id"])["record"]
    assert record["after"] == [first["id"]]
    assert "--dependency" not in " ".join(record["options"]), "there is nothing to wait for"


def test_a_script_of_the_project_s_own_runs_in_the_release_with_its_log_folder_made(seals: Project) -> None:
    answer = seals.json("submit", "own script.sh", "--wait", "--tag", "run-1")
    release = answer["record"]["release"]
    assert answer["record"]["log"] == f"{release}/deep/%x/own_%j.out"
    assert answer["record"]["modules"] == ["R/4.3.1"]
    assert seals.run("logs", answer["id"]).splitlines()[-1] == f"in {release} with R/4.3.1"
    assert seals.run("logs") == seals.run("logs", answer["id"])
    assert f"job {answer['id']} on hec" in seals.git("tag", "-n9", "-l", "run-1")
    assert seals.git("cat-file", "-t", "run-1") == "tag"
    output = seals.run("submit", "own script.sh", "--tag", "run-1", code=1)
    assert "tag run-1 already exists" in output
    assert "'a..b' is not a valid git tag" in seals.run("submit", "own script.sh", "--tag", "a..b", code=1)


def test_what_runs_is_said_where_it_is_not_what_stands_here(seals: Project) -> None:
    (seals.root / "params.csv").write_text("changed")
    try:
        output = seals.run("submit", "own script.sh", "--check")
    finally:
        seals.git("checkout", "-q", "params.csv")
    assert re.search(r"hec would accept own script.sh: it could start at \d\d:\d\d in partition \S+", output)
    assert "you have uncommitted changes; to run that: rookery deploy --dirty" in output
    head = seals.commit({"notes.txt": "later\n"})
    assert f"your current commit is {head[:7]}" in seals.run("submit", "own script.sh", "--check")
    seals.run("deploy", "--yes")
    assert "current commit" not in seals.run("submit", "own script.sh", "--check")


def test_a_dirty_release_s_changes_are_in_the_record(seals: Project) -> None:
    (seals.root / "notes.txt").write_text("not committed\n")
    seals.run("deploy", "--yes", "--dirty")
    below = seals.git("rev-parse", "HEAD")
    seals.git("checkout", "-q", "notes.txt")
    seals.git("commit", "-q", "--allow-empty", "-m", "later")
    record = seals.json("submit", "own script.sh", "--tag", "dirty-1")["record"]
    assert (record["dirty"], record["base"], record["cluster"]) == (True, below, "hec")
    assert "+not committed" in record["patch"]
    assert seals.git("rev-parse", "dirty-1^{commit}") == below


def test_a_release_from_another_computer_is_not_tagged_and_not_submitted_for_it(seals: Project) -> None:
    mine = seals.git("rev-parse", "HEAD")
    seals.git("commit", "-q", "--allow-empty", "-m", "elsewhere")
    theirs = seals.git("rev-parse", "HEAD")
    seals.run("deploy", "--yes")
    seals.git("reset", "-q", "--hard", mine)
    seals.git("reflog", "expire", "--expire=now", "--all")
    seals.git("prune", "--expire=now")
    before = sorted(path.name for path in (seals.root / "runs").iterdir())
    output = seals.run("submit", "own script.sh", "--tag", "theirs-1", code=1)
    assert f"Can't tag the deployed commit ({theirs[:7]}): it is not in this repository" in output
    assert sorted(path.name for path in (seals.root / "runs").iterdir()) == before
    seals.run("deploy", "--yes")


def test_a_record_there_that_can_t_be_used_is_named_and_skipped(seals: Project, ended: dict[str, object]) -> None:
    spoiled, number = f"projects/seals/runs/{ended['id']}.json", seals.submit("sweep")
    seals.laptop.says(f"mv {spoiled} kept.json; printf '[' >{spoiled}")
    try:
        notes = seals.json("submit", "own script.sh", "--after", "sweep")["notes"]
        assert f"skipped /home/sue/{spoiled}: not a run record" in notes
        output = seals.run("submit", "--failed", str(ended["id"]), code=1)
        assert f"Can't use the record of run {ended['id']} on hec: /home/sue/{spoiled}." in output
        output = seals.run("logs", str(ended["id"]), code=1)
        assert output.count(f"Skipped /home/sue/{spoiled} on hec: not a run record.") == 1
    finally:
        seals.laptop.says(f"mv kept.json {spoiled}")
    assert "Skipped" not in seals.run("logs", number)


def test_a_job_whose_record_can_t_be_written_there_is_submitted_all_the_same(seals: Project) -> None:
    seals.laptop.says("chmod 500 projects/seals/runs")
    try:
        answer = seals.json("submit", "own script.sh")
    finally:
        seals.laptop.says("chmod 700 projects/seals/runs")
    assert any("the only copy is on this computer" in note for note in answer["notes"])
    assert json.loads((seals.root / f"runs/{answer['id']}.json").read_text())["id"] == answer["id"]
    assert not list((seals.root / "runs").glob(".submitting-*"))
    assert seals.laptop.ssh(f"ls projects/seals/runs | grep -F {answer['id']}.json").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nix"], "has no job 'nix'. Its jobs: simulate, sweep, total."),
        (["no/such.sh"], "Unknown job or script 'no/such.sh'"),
        (["../../../etc/passwd"], "Unknown job or script '../../../etc/passwd'"),
        ([], "Missing argument JOB. Jobs of rookery.yml: simulate, total, elsewhere, sweep."),
        (["--failed", "x y"], "'x y' is not a job number"),
        (["--failed", "99999", "simulate"], "Unknown job 99999 on hec"),
        (["--failed", "99999"], "Can't tell which job run 99999 was: it has no record in runs/."),
        (["own script.sh", "--after", "nobody"], "Unknown job 'nobody' of --after."),
        (["own script.sh", "--after", "424242"], "Unknown job 424242 on hec: own script.sh can't start after it."),
        (["elsewhere"], "elsewhere is not for hec: `only` in rookery.yml leaves it out."),
        (["own script.sh", "--after", "a;b"], "'a;b' is neither a job number nor a job"),
        (["own script.sh", "--check", "--wait"], "Use --check without --wait and --tag: it submits nothing."),
        (["bad.sh"], "bad.sh has an error in line 2"),
    ],
)
def test_what_can_t_be_submitted_is_one_clear_line(seals: Project, arguments: list[str], words: str) -> None:
    before = sorted(path.name for path in (seals.root / "runs").iterdir())
    output = seals.run("submit", *arguments, code=1)
    assert words in output
    assert "Traceback" not in output
    assert sorted(path.name for path in (seals.root / "runs").iterdir()) == before


def test_a_cluster_where_nothing_is_set_up_or_deployed(hec: Live, seals: Project) -> None:
    bare = laptop(hec, "bea")
    home = Project(bare, bare.home / "seals")
    home.root.mkdir()
    (home.root / "rookery.yml").write_text((seals.root / "rookery.yml").read_text())
    output = home.run("submit", "simulate", code=1)
    assert "hec is not set up.\n  next: rookery setup --cluster hec" in output
    home.laptop.says("mkdir -p .config/rookery; touch .config/rookery/env.sh")
    output = home.run("submit", "simulate", code=1)
    assert "seals is not deployed to hec yet.\n  next: rookery deploy" in output


@pytest.fixture
def closed(hec: Live) -> Iterator[None]:
    """All partitions of HEC's closed."""
    names = {name.strip("*\n") for name in hec.root_run(["sinfo", "-h", "-o", "%R"]).stdout.split()}
    for name in names:
        hec.root_run(["scontrol", "update", f"PartitionName={name}", "State=DOWN"])
    yield
    for name in names:
        hec.root_run(["scontrol", "update", f"PartitionName={name}", "State=UP"])


@pytest.mark.usefixtures("closed")
def test_a_partition_that_is_closed_is_said_and_the_job_waits(seals: Project) -> None:
    output = seals.run("submit", "own script.sh")
    number = submitted(output)
    assert re.search(r"waits: partition \S+ is closed at the moment", output)
    assert seals.job(number)["state"] == "waiting"
    seals.run("cancel", number)
    assert seals.job(number)["counts"] == {"CANCELLED": 1}


def test_a_submission_whose_answer_was_lost_is_found_and_not_made_twice(seals: Project) -> None:
    """The connection ends while sbatch is at work: what is begun there is ended, and its record written."""
    shim = "projects/seals/state/shim"
    seals.laptop.script(f"""
        mkdir -p ~/{shim}
        wait='while test -e ~/{shim} -a ! -e ~/{shim}/go-on; do sleep 0.1; done'
        printf '%s\\n' '#!/bin/sh' 'touch ~/{shim}/begun' "$wait" 'exec /usr/bin/sbatch "$@"' > ~/{shim}/sbatch
        chmod +x ~/{shim}/sbatch
        cp ~/.profile ~/.profile.kept 2>/dev/null || touch ~/.profile.kept
        echo 'PATH=$HOME/{shim}:$PATH' >> ~/.profile
    """)
    try:
        process = seals.start("submit", "own script.sh")
        wait_for(lambda: seals.laptop.ssh(f"test -e {shim}/begun").returncode == 0)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        seals.laptop.says(f"touch {shim}/go-on")
        [note] = (seals.root / "runs").glob(".submitting-*")
        token = note.read_text().strip()
        wait_for(lambda: seals.laptop.ssh(f"grep -l {token} projects/seals/runs/*.json").returncode == 0)
    finally:
        seals.laptop.says(f"mv ~/.profile.kept ~/.profile; rm -r {shim}")
    script = seals.root / "own script.sh"
    script.write_text(f"{script.read_text()}true\n")
    seals.run("submit", "own script.sh", "--check")  # looks the release's over, and asks Slurm: it ends no submission
    seals.git("checkout", "-q", "--", "own script.sh")
    assert note.read_text().strip() == token
    records = seals.laptop.says(f"grep -l {token} projects/seals/runs/*.json").split()
    output = seals.run("submit", "own script.sh")
    number = records[0].rpartition("/")[2].removesuffix(".json")
    assert f"Job {number} (own script.sh) was submitted to hec" in output
    assert len(records) == 1
    assert (seals.root / f"runs/{number}.json").exists()
    assert not note.exists()
    assert seals.submit("own script.sh") != number


LIES = """
case $BASH_EXECUTION_STRING in
*rookery.remote.slurm.submission*)
    printf '%s\\n' "$BASH_EXECUTION_STRING" | grep -o 'rookery-[0-9a-f]\\{16\\}' | tail -n 1 | tee /dev/stderr
    cat ~/answer
    exit 0
    ;;
esac
"""
"""What a login node may do in place of the program that it is sent: the command holds its mark."""


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"id": "../../victim"}, 1),
        ({"id": "1", "base": "--file=/etc/passwd"}, 1),
        ({"id": "4242", "tag": "--file=/etc/passwd", "cluster": "penguins", "project": "elsewhere", "job": "x"}, 0),
    ],
)
def test_a_login_node_that_lies_about_what_it_submitted_writes_nothing_elsewhere(
    seals: Project, lie: dict[str, str], code: int
) -> None:
    victim = seals.root.parent / "victim.json"
    victim.write_text("mine")
    honest = json.loads((seals.root / f"runs/{seals.submit('own script.sh')}.json").read_text())
    answer = {"state": "submitted", "record": {**honest, **lie}, "stamp": {}, "said": "", "warnings": []}
    before, tags = sorted(path.name for path in (seals.root / "runs").iterdir()), seals.git("tag")
    seals.laptop.script(f"echo {shlex.quote(framed(answer))} >~/answer")
    seals.laptop.script(f"cp ~/.bashrc ~/.bashrc.kept; (printf %s {shlex.quote(LIES)}; cat ~/.bashrc.kept) >~/.bashrc")
    try:
        output = seals.run("submit", "own script.sh", code=code)
    finally:
        seals.laptop.script("mv ~/.bashrc.kept ~/.bashrc; rm ~/answer")
        for note in (seals.root / "runs").glob(".submitting-*"):
            note.unlink()
    after = sorted(path.name for path in (seals.root / "runs").iterdir())
    assert victim.read_text() == "mine"
    assert seals.git("tag") == tags
    if code:
        assert "hec sent an invalid answer" in output
        assert after == before
    else:
        kept = json.loads((seals.root / "runs/4242.json").read_text())
        assert (kept["tag"], kept["cluster"], kept["project"], kept["job"]) == ("", "hec", "seals", "own script.sh")
        (seals.root / "runs/4242.json").unlink()
