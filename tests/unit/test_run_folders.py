"""Each run's results in a folder of their own: in rookery.yml, in scripts, on the way here, and in tables."""

import os
import subprocess
from pathlib import Path

import pytest
from combining import combined, recorded
from projects import HEAD, cluster, project
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.jobs import options
from rookery.jobs.results import combine, download, remote_listing
from rookery.jobs.results.archive import File
from rookery.projects import config, run_folders
from rookery.projects.scripts import job_script

PER_RUN = 'name: demo\nclusters: [hec, bede]\noutputs: ["results/{run}", slurm_logs]\n'
NOW = 1_580_600_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = at_home(tmp_path / "home", monkeypatch)
    (made / ".config/rookery").mkdir(parents=True)
    (made / ".config/rookery/env.sh").write_text("")
    return made


def demo(tmp_path: Path, jobs: str = "simulate: {command: 'x {task} results/{run}/{task}.csv', array: 1-2}") -> Path:
    return project(tmp_path / "demo", jobs, PER_RUN)


def fetched(root: Path, label: str, files: dict[str, str], when: int = NOW) -> download.Plan:
    """What `fetch` plans for files of a cluster; it is carried out."""
    loaded = config.load(root)
    arrivals = download.Arrivals(root, label, loaded.run_folders)
    listed = [File(path, path, len(text), when * 10**9) for path, text in files.items()]
    plan = arrivals.plan(listed, loaded.outputs)
    list(arrivals.take((file, [files[file.there].encode()]) for file in plan.bring))
    arrivals.close()
    return plan


@pytest.mark.parametrize(
    ("outputs", "linked", "of_runs"),
    [
        ('["results/{run}", slurm_logs]', ("results", "slurm_logs"), ("results/{run}",)),
        ("results/{run}", ("results",), ("results/{run}",)),
        ('["./a b/run-{run}/x/"]', ("a b",), ("a b/run-{run}/x",)),
        ('["r/{run}/tables", "r/{run}/figures", logs]', ("r", "logs"), ("r/{run}/tables", "r/{run}/figures")),
        ("[results]", ("results",), ()),
    ],
)
def test_the_folder_before_that_of_the_run_is_linked(
    tmp_path: Path, outputs: str, linked: tuple[str, ...], of_runs: tuple[str, ...]
) -> None:
    loaded = config.load(project(tmp_path / "x", head=f"{HEAD}outputs: {outputs}\n"))
    assert (loaded.outputs, loaded.run_folders) == (linked, of_runs)
    assert loaded.logs in linked


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ('["{run}"]', "rookery.yml:3: output '{run}' needs a folder before that of the run, such as results/{run}"),
        ('["x{run}/a"]', "needs a folder before that of the run"),
        ('["results/{run}/{run}"]', "can have {run} in it, once"),
        ('["results/{task}"]', "can have {run} in it, once, for the number of the run, and no other braces"),
        ('["results/{run"]', "no other braces"),
        ('["results/{run}", results]', "output 'results' can't be used with 'results/{run}'"),
        ('["results/{run}", results/other]', "can't be used with 'results/{run}'"),
        ('["r/{run}/a", "r/{run}"]', "can't be used with 'r/{run}/a'"),
        ('["../{run}"]', "must be a folder inside the project"),
        ("[results/{run}, slurm_logs]", "this is not YAML"),
    ],
)
def test_outputs_that_can_not_be_are_refused(tmp_path: Path, outputs: str, message: str) -> None:
    with pytest.raises(RookeryError) as caught:
        config.load(project(tmp_path / "x", head=f"{HEAD}outputs: {outputs}\n"))
    assert message in caught.value.message
    if "not YAML" in message:
        assert '"results/{run}" between [ and ]' in str(caught.value.hint)


def test_the_run_of_a_file_is_the_one_in_whose_folder_it_is() -> None:
    folders = ["results/{run}", "a.b/run-{run}/x"]
    names = ("results/41/1.csv", "results/41", "results/x/41/1.csv", "a.b/run-7/x/y", "aXb/run-7/x/y", "results/4a/1")
    assert [run_folders.run_of(name, folders) for name in names] == ["41", "", "", "7", "", ""]
    assert run_folders.run_of("results/41/1.csv", []) == ""


def test_the_folder_is_there_before_the_command_runs(tmp_path: Path) -> None:
    root = project(
        tmp_path / "x",
        "j:\n  command: ls -d 'r $a/41/b'",
        "name: x\nclusters: [here]\noutputs: ['r $a/{run}/b', logs]\n",
    )
    loaded = config.load(root)
    made = job_script.script(loaded, config.job(loaded, "j", "here"), cluster())
    environment = {**os.environ, "SLURM_JOB_ID": "41", "SLURM_CPUS_PER_TASK": "1"}
    completed = subprocess.run(
        ["bash"], input=made.text, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stdout) == (0, "r $a/41/b\n"), completed.stderr
    assert not (root / "logs").exists()


def test_a_run_s_files_are_those_in_its_folder() -> None:
    files = tuple(
        File(path, path, 1, NOW * 10**9)
        for path in ("results/41/1.csv", "results/45/s_41.csv", "slurm_logs/x_41_1.out", "slurm_logs/x_45_1.out")
    )
    listing = remote_listing.RemoteListing(files, submitted=NOW + 60, ended=NOW + 70)
    folders = ["results/{run}"]

    def named(job: str, completes: str = "") -> list[str]:
        return [file.path for file in remote_listing.of_job(listing, job, completes, folders)]

    assert named("41") == ["results/41/1.csv", "slurm_logs/x_41_1.out"]
    assert named("45") == ["results/45/s_41.csv", "slurm_logs/x_45_1.out"]
    assert named("45", "41") == ["results/41/1.csv", "slurm_logs/x_45_1.out"]


def test_two_clusters_runs_of_one_number_lie_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second cluster's have tasks that the first's have not; still none comes into the first's folder."""
    root = demo(tmp_path)
    recorded(root, 41, cluster="hec", array="1-2", commit="a" * 40, when="2020-01-01T00:00:00+00:00")
    fetched(root, "hec", {"results/41/1.csv": "x\nh1\n", "results/41/2.csv": "x\nh2\n"})
    (root / "runs/41.json").rename(root / "runs/41.hec-1.json")
    recorded(root, 41, cluster="bede", array="2-3", commit="b" * 40, when="2020-01-02T00:00:00+00:00")
    for _ in range(2):
        fetched(root, "bede", {"results/41/2.csv": "x\nb2\n", "results/41/3.csv": "x\nb3\n"})
        fetched(root, "hec", {"results/41/1.csv": "x\nh1\n", "results/41/2.csv": "x\nh2\n"})
    names = sorted(str(path.relative_to(root)) for path in root.glob("results/**/*.csv"))
    assert names == ["results/41/1.csv", "results/41/2.csv", "results/bede/41/2.csv", "results/bede/41/3.csv"]
    outcome = combined(root, capsys, job="41", cluster="hec")
    assert outcome["table"] == "run,commit,task,x\n41,aaaaaaa,1,h1\n41,aaaaaaa,2,h2\n"
    assert outcome["code"] == 0
    outcome = combined(root, capsys, job="41")  # the later one
    assert outcome["table"] == "run,commit,task,x\n41,bbbbbbb,2,b2\n41,bbbbbbb,3,b3\n"


def test_several_runs_go_into_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = demo(tmp_path)
    recorded(root, 41, array="1-2", commit="a" * 40, rows=[{"n": 1}, {"n": 2}], when="2020-01-01T00:00:00+00:00")
    recorded(
        root, 42, array="1-2", commit="b" * 40, dirty=True, rows=[{"n": 3, "m": 4}] * 2, when="2020-01-02T00:00:00Z"
    )
    recorded(root, 43, job="other", array="1", commit="c" * 40, when="2020-01-03T00:00:00+00:00", cluster="bede")
    fetched(root, "hec", {f"results/{run}/{task}.csv": f"x\n{run}.{task}\n" for run in (41, 42) for task in (1, 2)})
    fetched(root, "bede", {"results/43/1.csv": "x\n43.1\n"})
    outcome = combined(root, capsys, job="41,42")
    assert outcome["table"].splitlines() == [
        "run,commit,task,n,m,x",
        "41,aaaaaaa,1,1,,41.1",
        "41,aaaaaaa,2,2,,41.2",
        "42,bbbbbbb-dirty,1,3,4,42.1",
        "42,bbbbbbb-dirty,2,3,4,42.2",
    ]
    assert (outcome["runs"], outcome["code"]) == (["41", "42"], 0)
    assert combined(root, capsys, job="42,41,42")["runs"] == ["42", "41"]
    outcome = combined(root, capsys, job="41,43")
    assert outcome["table"].splitlines()[::2] == ["cluster,run,commit,task,n,x", "hec,41,aaaaaaa,2,2,41.2"]
    (root / "results/42/2.csv").unlink()
    assert combined(root, capsys, job="41,42")["missing"] == ["42_2"]
    assert combine.run(options.CombineOptions(project=str(root), job="41,42")) == 1
    out, err = capsys.readouterr()
    assert out.startswith("combined.csv: 3 rows of runs 41, 42 from 3 files.")
    assert "missing: 1 of 2 tasks of run 42 have no result: 2" in err
    assert "submit --failed 42" in err


def test_a_rerun_belongs_to_the_run_that_it_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be of another commit, and a rerun of a rerun; the next run of the job is not mixed up with it."""
    root = demo(tmp_path)
    days = {number: f"2020-01-0{day}T00:00:00+00:00" for day, number in enumerate((41, 45, 50, 47), 1)}
    recorded(root, 41, array="1-3", commit="a" * 40, when=days[41])
    recorded(root, 45, array="2-3", commit="b" * 40, failed_of="41", when=days[45])
    recorded(root, 50, array="1-3", commit="d" * 40, when=days[50])
    recorded(root, 47, array="3", commit="c" * 40, failed_of="45", when=days[47])
    midnight = 1_577_836_800
    for task, day in ((1, 0), (2, 1), (3, 3)):
        fetched(root, "hec", {f"results/41/{task}.csv": f"x\n{task}\n"}, midnight + day * 86_400 + 60)
    for number in ("41", "45", "47"):
        outcome = combined(root, capsys, job=number)
        assert outcome["table"].splitlines()[1:] == ["41,aaaaaaa,1,1", "41,bbbbbbb,2,2", "41,ccccccc,3,3"]
        assert (outcome["runs"], outcome["newer"], outcome["old"], outcome["code"]) == (["41"], [], [], 0)
    assert combined(root, capsys, job="41,45")["runs"] == ["41"]


def test_results_of_before_there_were_folders_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = demo(tmp_path)
    recorded(root, 30, array="1", when="2020-01-01T00:00:00+00:00")
    recorded(root, 41, array="1", when="2020-01-02T00:00:00+00:00")
    fetched(root, "hec", {"results/1.csv": "x\nold\n", "results/41/1.csv": "x\nnew\n"}, 1_577_840_000)
    assert combined(root, capsys, job="30")["table"] == "run,task,x\n30,1,old\n"
    (root / "results/41/1.csv").unlink()
    (root / "results/1.csv").unlink()
    with pytest.raises(RookeryError, match=r"Nothing to combine: no file ends in \.csv in results"):
        combined(root, capsys, job="41")


def test_a_pattern_names_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = demo(tmp_path)
    for number in (41, 42):
        recorded(root, number, array="1", when=f"2020-01-0{number - 40}T00:00:00+00:00")
        fetched(root, "hec", {f"results/{number}/1.dat": f"{number}\n"})
    pattern = "results/{run}/{task}.dat"
    assert combined(root, capsys, job="41,42", files=pattern)["table"] == "run,task,value\n41,1,41\n42,1,42\n"
    assert combined(root, capsys, job="41", files="*.dat")["table"] == "run,task,value\n41,1,41\n"
    with pytest.raises(RookeryError, match=r"--files must have \{run\} in it where several runs") as caught:
        combine.run(options.CombineOptions(project=str(root), job="41,42", files="*.dat"))
    assert caught.value.hint == f"invoke combine 41,42 --project {root} --files 'results/{{run}}/*.csv'"


def test_a_file_that_is_newer_here_is_kept(tmp_path: Path) -> None:
    root = demo(tmp_path)
    fetched(root, "hec", {"results/41/1.csv": "new\n"}, NOW)
    assert fetched(root, "hec", {"results/41/1.csv": "older\n"}, NOW - 60).kept == [
        ("results/41/1.csv", "newer than the cluster's")
    ]
    assert fetched(root, "hec", {"results/41/1.csv": "newest\n"}, NOW + 60).updated == {"results/41/1.csv"}
    assert (root / "results/41/1.csv").read_text() == "newest\n"
