"""Deploys to a miniature: what a release holds, that it is whole, that the next is quick and shares what is alike."""

import itertools
import json
from collections.abc import Iterator

import pytest
from deployments import Work, work
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster
JOB = {"template": "serial", "command": "python a.py > results/out.txt", "time": "00:05:00"}
NAMES = itertools.count()


@pytest.fixture(scope="module")
def home(penguins: Live) -> Laptop:
    """A home that is set up, as far as deploys need it."""
    made = laptop(penguins, "dora")
    made.setup("--tags", "shell,storage,python,r")
    return made


@pytest.fixture
def project(home: Laptop) -> Iterator[Work]:
    """A new project with a job."""
    yield work(home, f"study{next(NAMES)}", jobs={"one": JOB})


def test_a_release_is_the_commit_with_what_belongs_to_it(project: Work) -> None:
    (project.root / "two words").mkdir()
    odd = ["two words/it's.py", "-rf.py", "line\nbreak.R", "naïve.csv", "run.sh", "crlf.txt"]
    for name in odd:
        (project.root / name).write_bytes(b"a\r\nb\n")
    (project.root / "run.sh").chmod(0o755)
    (project.root / ".gitattributes").write_text("*.txt text eol=crlf\n*.csv export-ignore\n")
    (project.root / "link").symlink_to("a.py")
    commit = project.commit()
    answer = project.deploy()
    assert answer["state"] == "new"
    assert answer["scripts"] == ["slurm/one.sh"]
    stamp = project.stamp()
    assert (stamp["project"], stamp["commit"], stamp["dirty"]) == (project.name, commit, False)
    assert stamp["path"] == answer["release"] == f"/home/dora/{project.base}/releases/{commit}"
    assert stamp["jobs"]["one"]["script"] == "slurm/one.sh"
    script = f"""
        cd {project.base}/current
        export GIT_DIR=$HOME/{project.base}/repository.git
        git ls-tree -r -z --name-only {commit} |
            xargs -0 -I % sh -c '[ -h "$1" ] || git hash-object --no-filters -- "$1"' sh %
    """
    hashes = project.laptop.script(script).split()
    expected = project.git("ls-tree", "-r", commit).splitlines()
    assert hashes == [line.split()[2] for line in expected if not line.startswith("120000")]
    assert project.laptop.says(f"readlink {project.base}/current/link") == "a.py"
    assert project.laptop.says(f"test -x {project.base}/current/run.sh && echo yes") == "yes"
    assert project.laptop.says(f"git --git-dir={project.base}/repository.git fsck --strict --no-dangling") == ""
    project.laptop.says(
        f"cd {project.base}/current && echo 1 > results/x && cat $HOME/storage/projects/{project.name}/results/x"
    )


def test_nothing_new_is_one_look_and_what_was_changed_there_is_put_right(project: Work) -> None:
    project.deploy()
    before = project.laptop.tree()
    assert project.deploy()["state"] == "same"
    assert project.laptop.tree() == before
    edit = "chmod u+w a.py && echo 'print(2)' > a.py && rm slurm/one.sh && echo mine > own.csv"
    project.laptop.says(f"cd {project.base}/current && {edit}")
    assert set(project.deploy("--check")["differs"]) == {"a.py", "slurm/one.sh"}
    answer = project.deploy()
    assert answer["state"] == "mended"
    there = project.laptop.says(f"cat {project.base}/current/a.py {project.base}/current/own.csv {answer['kept']}/a.py")
    assert there == "print('one')\nmine\nprint(2)"
    assert project.laptop.says(f"head -n 1 {project.base}/current/slurm/one.sh") == "#!/bin/bash"
    assert project.deploy()["state"] == "same"


def test_logs_live_on_the_storage_where_no_outputs_are_named(project: Work) -> None:
    text = (project.root / "rookery.yml").read_text()
    outputs = "outputs:\n- results\n"
    assert outputs in text
    project.commit(rookery__yml=text.replace(outputs, ""))
    project.deploy()
    logs = project.laptop.says(f"readlink {project.base}/current/slurm_logs")
    assert logs == f"/home/dora/storage/projects/{project.name}/slurm_logs"
    assert "#SBATCH --output=slurm_logs/" in project.laptop.says(f"cat {project.base}/current/slurm/one.sh")


def test_three_releases_back_and_forth(project: Work) -> None:
    commits = [project.git("rev-parse", "HEAD")]
    project.deploy()
    for number in (2, 3):
        commits.append(project.commit(a__py=f"print({number})\n", same__py="1\n", data__csv="1\n"))
        assert project.deploy()["state"] == "new"
    for commit, text in zip(commits, ("print('one')", "print(2)", "print(3)"), strict=True):
        assert project.laptop.says(f"cat {project.base}/releases/{commit}/a.py") == text
    releases = f"{project.base}/releases"
    links = project.laptop.says(f"stat -c %h {releases}/{commits[2]}/same.py {releases}/{commits[2]}/data.csv").split()
    assert links == ["2", "1"], "code is shared by releases; data, which a job may write to, is not"
    assert project.laptop.ssh(f"test -w {releases}/{commits[2]}/same.py").returncode == 1
    project.git("checkout", "-q", commits[0])
    assert project.deploy()["state"] == "there"
    assert project.current() == commits[0]


def test_one_command_where_nothing_is_new_and_where_little_is(project: Work) -> None:
    project.deploy()
    project.laptop.says("sed -i '1i echo x >> ~/.commands' ~/.bashrc; : > ~/.commands")
    count = "wc -l < ~/.commands"
    try:
        project.deploy()
        assert project.laptop.says(count) == "2", "the deploy's, and this one"
        project.commit(a__py="print(7)\n")
        project.deploy()
        assert project.laptop.says(count) == "4"
    finally:
        project.laptop.says("sed -i 1d ~/.bashrc")


def test_a_second_laptop_and_a_shallow_clone_go_on_from_what_is_there(project: Work) -> None:
    project.commit(big__txt="x\n" * 1000)
    project.deploy()
    other = project.laptop.home / f"clone-of-{project.name}"
    project.git("clone", "-q", "--depth=1", f"file://{project.root}", str(other))
    for file in (project.laptop.home / ".local/state/rookery/deploys").rglob(f"{project.name}.json"):
        file.unlink()
    clone = Work(project.laptop, other, project.name)
    assert clone.deploy()["state"] == "same"
    commit = clone.commit(a__py="print(9)\n")
    assert clone.deploy()["commit"] == commit == project.current()
    clone.laptop.says(f"git --git-dir={project.base}/repository.git log --format=%s {commit}")


def test_a_snapshot_says_that_it_is_one(project: Work) -> None:
    head = project.git("rev-parse", "HEAD")
    project.write(a__py="print('try')\n", new__py="1\n")
    status = project.git("status", "--porcelain")
    refused = project.run()
    assert refused.returncode == 1
    assert "a.py, new.py" in refused.stderr
    answer = project.deploy("--dirty")
    assert answer["dirty"]
    assert answer["commit"] != head
    assert project.stamp()["dirty"] is True
    assert project.stamp()["describe"].endswith("-dirty")
    patch = project.laptop.says(f"cat {project.base}/current/.rookery/uncommitted.patch")
    assert "+print('try')" in patch
    assert (project.git("rev-parse", "HEAD"), project.git("status", "--porcelain")) == (head, status)
    assert project.deploy("--dirty")["state"] == "same"
    assert project.deploy("--dirty", "--check")["state"] == "same"
    project.commit()
    assert project.deploy()["state"] == "new", "on top of the snapshot, which this repository does not know"


def test_check_writes_nothing_on_either_side(project: Work) -> None:
    state = project.laptop.home / ".local/state/rookery"

    def everything() -> str:
        here = {str(path): path.stat().st_mtime_ns for path in (*state.rglob("*"), *project.root.rglob("*"))}
        return json.dumps(here, sort_keys=True) + project.laptop.tree()

    before = everything()
    assert project.deploy("--check")["state"] == "new"
    assert everything() == before
    project.deploy()
    project.commit(a__py="2\n")
    before = everything()
    assert project.deploy("--check")["state"] == "new"
    assert everything() == before


def test_a_script_of_the_commit_wins_and_a_subfolder_is_a_project(home: Laptop) -> None:
    whole = work(home, "monorepo")
    inner = Work(home, whole.root / "papers/two", "paper-two")
    (inner.root / "slurm").mkdir(parents=True)
    (inner.root / "slurm/one.sh").write_text("#!/bin/bash\necho mine\n")
    inner.write(
        rookery__yml=json.dumps({"name": "paper-two", "clusters": ["penguins"], "jobs": {"one": JOB, "two": JOB}})
    )
    inner.commit()
    answer = inner.deploy()
    assert answer["own_scripts"] == ["slurm/one.sh"]
    assert answer["scripts"] == ["slurm/two.sh"]
    listing = home.says(f"cd {inner.base}/current && cat slurm/one.sh && ls")
    assert listing.split() == ["#!/bin/bash", "echo", "mine", "rookery.yml", "slurm", "slurm_logs"]


def test_environments_are_built_once_and_shared(home: Laptop) -> None:
    project = work(home, "locked", environment={"python": "venv", "r": "library"})
    project.commit(requirements__txt="iniconfig==2.0.0\n", r_packages__txt="")
    (project.root / "r_packages.txt").rename(project.root / "r-packages.txt")
    (project.root / "r-packages.txt").write_text("# ours\niterators==1.0.14\n")
    project.commit()
    environments = project.deploy()["environments"]
    assert {kind: environment["state"] for kind, environment in environments.items()} == {
        "python": "built",
        "r": "built",
    }
    assert project.stamp()["environment"]["paths"] == {
        kind: environment["path"] for kind, environment in environments.items()
    }
    project.commit(a__py="print(5)\n")
    again = project.deploy()["environments"]
    assert {kind: (environment["state"], environment["path"]) for kind, environment in again.items()} == {
        kind: ("ready", environment["path"]) for kind, environment in environments.items()
    }
    run = "cd projects/locked/current && .venv/bin/python -c 'import iniconfig; print(iniconfig.__file__)'"
    assert "/.venv/" in home.says(run)
    version = 'packageVersion("iterators", lib.loc = ".rlibrary")'
    assert "1.0.14" in home.says(f"cd projects/locked/current && Rscript -e '{version}'")
    project.commit(requirements__txt="iniconfig==2.0.0\npluggy==1.5.0\n")
    third = project.deploy()["environments"]
    assert (third["python"]["state"], third["r"]["state"]) == ("built", "ready")


def test_old_releases_go_on_request_and_only_those_that_nothing_needs(project: Work, home: Laptop) -> None:
    commits = [project.git("rev-parse", "HEAD")]
    project.deploy()
    for number in range(3):
        commits.append(project.commit(a__py=f"print({number})\n"))
        project.deploy()
    releases = f"$HOME/{project.base}/releases"
    home.says(f"echo 1 > {releases}/{commits[1]}/mine.csv")
    home.says(f"cd {releases}/{commits[0]} && mkdir __pycache__ && echo 1 > __pycache__/a.cpython-313.pyc")
    job = home.says(f"cd {releases}/{commits[2]} && sbatch --parsable --hold --wrap true")
    try:
        pruned = project.deploy("--prune", "--check")["pruned"]
        assert pruned["releases"] == [commits[0]]
        assert home.says(f"ls {releases}").split() == sorted(commits)
        pruned = project.deploy("--prune")["pruned"]
        assert pruned["releases"] == [commits[0]]
        assert "mine.csv" in pruned["kept"][commits[1]]
        assert "queue" in pruned["kept"][commits[2]]
        assert home.says(f"ls {releases}").split() == sorted(commits[1:])
    finally:
        home.says(f"scancel {job}")
    assert project.deploy()["state"] == "same"


def test_the_release_of_a_job_stays_also_where_the_project_is_reached_through_a_link(
    project: Work, home: Laptop
) -> None:
    home.says(f"mkdir -p elsewhere/{project.name} projects && ln -s ../elsewhere/{project.name} projects/")
    old = project.git("rev-parse", "HEAD")
    project.deploy()
    job = home.says(f"cd -P {project.base}/current && sbatch --parsable --hold --wrap true")
    try:
        project.commit(a__py="2\n")
        assert "queue" in project.deploy("--prune")["pruned"]["kept"][old]
        assert home.says(f"cat {project.base}/releases/{old}/a.py") == "print('one')"
    finally:
        home.says(f"scancel {job}")
