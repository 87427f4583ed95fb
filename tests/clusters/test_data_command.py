"""`data.push`, `data.list` and `inputs`: data on a cluster's storage, whole however often a push is cut off."""

import hashlib
import http.server
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from failures import kill_all
from home_contents import inside
from laptop_projects import Project, submitted
from laptops import laptop
from live import Live
from waiting import wait_for
from web_servers import running

pytestmark = pytest.mark.cluster

RELEASES = "projects/eggs/releases"
STORE = "$ROOKERY_STORAGE/projects/eggs/.data/data%2Fraw"
FILES = {
    "rookery.yml": """
        name: eggs
        clusters: [penguins]
        environment: {python: none}
        outputs: [results, slurm_logs]
        inputs: [data/raw]
        jobs:
          count:
            command: sh -c 'cat data/raw/*.csv >results/all.csv; sleep 600'
            memory: 50M
            time: 00:20:00
        """,
    ".gitignore": "/data/raw\n/results/\n/slurm_logs/\n/runs/\n",
}


@pytest.fixture(scope="module")
def eggs(penguins: Live) -> Project:
    """A project with data in it, not deployed yet."""
    student = laptop(penguins, "dot")
    student.setup("--tags", "shell,storage")
    made = Project(student, student.home / "eggs")
    made.root.mkdir()
    for line in (["init", "-q"], ["config", "user.name", "Dot"], ["config", "user.email", "dot@example.org"]):
        made.git(*line)
    made.commit(FILES, "first")
    (made.root / "data/raw").mkdir(parents=True)
    (made.root / "data/raw/a.csv").write_text("1\n")
    return made


def there(project: Project, script: str) -> str:
    return project.laptop.script(f". ~/.config/rookery/env.sh\n{script}")


def pushed(project: Project) -> dict[str, object]:
    [data] = project.json("data.push")["data"]
    return dict(data)


def digests_there(project: Project, commit: str) -> dict[str, str]:
    lines = there(project, f"cd ~/{RELEASES}/{commit}/data/raw && sha256sum *").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def digests_here(project: Project) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (project.root / "data/raw").iterdir()}


def test_before_the_push_nothing_is_deployed(eggs: Project) -> None:
    said = eggs.run("deploy", code=1)
    assert said.splitlines() == [
        "penguins has no data for the input data/raw yet.",
        "  next: rookery data.push data/raw --cluster penguins",
    ]
    assert "Would push data/raw to penguins: 1 file, 2 B, 2 B to send" in eggs.run("data.push", "--check")
    assert "eggs has no input data on penguins." in eggs.run("data.list")
    assert there(eggs, f"test -e {STORE} || echo none") == "none"


def test_data_that_was_pushed_is_linked_into_releases_and_recorded_with_runs(eggs: Project) -> None:
    """And each release keeps the version that it was deployed with."""
    first = pushed(eggs)
    assert (first["state"], first["files"], first["sent"]) == ("new", 1, 2)
    assert pushed(eggs)["state"] == "same"
    old = eggs.json("deploy")
    assert old["inputs"] == {"data/raw": first["digest"]}
    assert old["inputs_differ"] == {}
    number = submitted(eggs.run("submit", "count"))
    record = json.loads((eggs.root / f"runs/{number}.json").read_text())
    assert record["inputs"] == {"data/raw": first["digest"]}
    (eggs.root / "data/raw/b.csv").write_text("2\n")
    said = eggs.run("submit", "count", "--check")
    assert f"reads data/raw {str(first['digest'])[:12]}, but yours is " in said
    assert "to use that: rookery data.push data/raw, then deploy" in said
    second = pushed(eggs)
    assert second["sent"] == 2  # a.csv is there
    used = eggs.run("deploy", code=1)
    assert (
        f"data/raw was pushed again, but jobs in the queue use this commit with the earlier version: {number}." in used
    )
    commit = eggs.commit({"note.txt": "new data"})
    new = eggs.json("deploy")
    assert new["inputs"] == {"data/raw": second["digest"]}
    assert digests_there(eggs, commit) == digests_here(eggs)
    assert list(digests_there(eggs, str(old["commit"]))) == ["a.csv"]
    [data] = eggs.json("data.list")["data"]
    uses = {version["digest"]: [use["commit"] for use in version["used"]] for version in data["versions"]}
    assert uses == {first["digest"]: [old["commit"]], second["digest"]: [commit]}
    assert commit[:7] + " (current)" in eggs.run("data.list")
    eggs.run("cancel", number)
    wait_for(lambda: not there(eggs, "squeue --noheader --user $(id -un)"))
    eggs.git("checkout", "-q", str(old["commit"]))
    assert eggs.json("deploy")["inputs"] == {"data/raw": second["digest"]}  # nobody reads the earlier one any more
    eggs.git("checkout", "-q", "-")


def test_a_version_that_rookery_yml_names_stays_whatever_is_pushed_later(eggs: Project) -> None:
    before = pushed(eggs)["digest"]
    text = (eggs.root / "rookery.yml").read_text()
    eggs.commit({"rookery.yml": text.replace("[data/raw]", f"{{data/raw: '{str(before)[:12]}'}}")})
    (eggs.root / "data/raw/c.csv").write_text("3\n")
    pushed(eggs)
    assert eggs.json("deploy")["inputs"] == {"data/raw": before}
    eggs.commit({"rookery.yml": text.replace("[data/raw]", "{data/raw: 'abcdefabcdef'}")})
    assert "penguins has no data for the input data/raw yet" in eggs.run("deploy", code=1)
    eggs.commit({"rookery.yml": text})


def test_data_in_git_is_refused(eggs: Project) -> None:
    eggs.git("add", "-f", "data/raw/a.csv")
    eggs.git("commit", "-qm", "by mistake")
    for command in ("data.push", "deploy"):
        said = eggs.run(command, code=1)
        assert "git rm -r --cached data/raw" in said, said
    eggs.git("rm", "-rq", "--cached", "data/raw")
    eggs.git("commit", "-qm", "without")


def large(project: Project, megabytes: int) -> Path:
    path = project.root / "data/raw/large.csv"
    with path.open("wb") as stream:
        for _ in range(megabytes):
            stream.write(os.urandom(1 << 20))
    return path


@contextmanager
def halfway(project: Project, cluster: Live) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """A push that SIGSTOP holds while the large file is sent, and how much of it has arrived."""
    path = inside(cluster, there(project, f"readlink -f {STORE}")) / ".partial/version/files/raw/large.csv"

    def arrived() -> int:
        return path.stat().st_size if path.exists() else 0

    process = project.start("data.push")
    try:
        wait_for(lambda: arrived() or process.poll() is not None)
        process.send_signal(signal.SIGSTOP)
        assert process.poll() is None, process.communicate()
        yield process, arrived()
    finally:
        if process.poll() is None:
            kill_all(process)


def master(project: Project) -> int:
    config = str(project.laptop.home / ".config/rookery/ssh_config")
    line = ["ssh", "-F", config, "-O", "check", "penguins"]
    told = subprocess.run(line, env=project.laptop.environment, capture_output=True, text=True, check=True)
    return int(told.stderr.split("pid=")[1].split(")")[0])


def main_thread_state(process: "subprocess.Popen[str]") -> str:
    """One letter of proc(5): T where it is stopped, R where it runs or is about to, S where it waits."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def killed(process: "subprocess.Popen[str]", project: Project) -> None:  # noqa: ARG001 as the others
    process.kill()  # also where it is stopped
    process.communicate()


def interrupted(process: "subprocess.Popen[str]", project: Project) -> None:
    """Ctrl-C, while the other side takes nothing.

    The kernel gives the signal to the main thread only once that has gone on after SIGCONT; another thread that gets
    it does not wake the main thread, which reads (signal(7)).
    """
    project.laptop.says("pkill -STOP -f '[r]emote.data.receive'")
    try:
        process.send_signal(signal.SIGCONT)
        wait_for(lambda: main_thread_state(process) == "S")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        project.laptop.says("pkill -CONT -f '[r]emote.data.receive'")
    assert (process.returncode, err.splitlines()[-1]) == (130, "Stopped. Run the same command to continue.")


def disconnected(process: "subprocess.Popen[str]", project: Project) -> None:
    os.kill(master(project), signal.SIGKILL)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "next: run the same command to continue: what has arrived is not sent again" in err


def stopped_there(process: "subprocess.Popen[str]", project: Project) -> None:
    project.laptop.ssh("pkill -KILL -f remote.data.receive")
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err


@pytest.mark.parametrize("cut_off", [killed, interrupted, disconnected, stopped_there])
def test_a_push_that_is_cut_off_is_continued_by_the_same_command(
    eggs: Project, penguins: Live, cut_off: "Callable[[subprocess.Popen[str], Project], None]"
) -> None:
    """What has arrived is not sent again, and what is half there is taken for nothing."""
    pushed(eggs)
    small = sum(file.stat().st_size for file in (eggs.root / "data/raw").glob("?.csv"))  # linked, not sent again
    path = large(eggs, 150)
    before = there(eggs, f"readlink {STORE}/latest")
    with halfway(eggs, penguins) as (process, size):
        cut_off(process, eggs)
    assert size < path.stat().st_size
    assert there(eggs, f"readlink {STORE}/latest") == before
    [data] = eggs.json("data.list")["data"]
    assert data["partial"] > 0
    again = pushed(eggs)
    assert again["state"] == "new"
    assert again["resumed"] >= size
    assert again["sent"] == path.stat().st_size - (again["resumed"] - small)
    commit = eggs.commit({"note.txt": cut_off.__name__})
    eggs.run("deploy")
    assert digests_there(eggs, commit) == digests_here(eggs)


def test_more_than_the_storage_holds_is_refused_before_anything_is_sent(eggs: Project) -> None:
    path = eggs.root / "data/raw/sparse.csv"
    with path.open("wb") as stream:
        stream.truncate(15 << 40)
    try:
        said = eggs.run("data.push", code=1)
    finally:
        path.unlink()
    assert "data/raw needs 16.5 TB on penguins, and only" in said
    assert "Nothing was sent." in said


def test_a_file_that_changes_while_it_is_sent_is_named(eggs: Project, penguins: Live) -> None:
    path = large(eggs, 150)
    with halfway(eggs, penguins) as (process, _):
        with path.open("ab") as stream:
            stream.write(b"more")
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "data/raw/large.csv changed while it was read." in err
    assert pushed(eggs)["state"] == "new"
    path.unlink()


def test_data_is_verified_on_the_cluster(eggs: Project) -> None:
    """What has changed there is named, and removed and pushed again by the commands that stand there."""
    digest = str(pushed(eggs)["digest"])
    assert f"data/raw {digest[:12]} on penguins is unchanged: 3 files, 6 B" in eggs.run("data.verify", "data/raw")
    assert all(version["ok"] for version in eggs.json("data.verify")["data"])
    there(eggs, f"cd {STORE}/{digest}/files/raw && chmod u+w . && rm -f b.csv && echo 9 >b.csv")
    said = eggs.run("data.verify", code=1)
    assert f"data/raw {digest[:12]} on penguins has changed since it was pushed:\n  changed  b.csv\n" in said
    force, _, push = said.partition("next     rookery ")[2].partition("   #")[0].partition(" && rookery ")
    assert "--yes" in eggs.run(*force.split(), code=1)
    eggs.run(*force.split(), "--yes")
    eggs.run(*push.split())
    assert f"data/raw {digest[:12]} on penguins is unchanged" in eggs.run("data.verify")
    assert "eggs has no data set data/none on penguins." in eggs.run("data.verify", "data/none", code=1)


def test_data_is_removed_but_for_what_is_used(eggs: Project) -> None:
    eggs.commit({"note.txt": "the last release"})
    release = eggs.json("deploy")
    number = submitted(eggs.run("submit", "count"))
    said = eggs.run("data.rm", "data/raw", "--yes", code=1)
    assert said.splitlines()[0] == "Nothing was removed."
    assert f"is used by release eggs {release['commit'][:7]} (current), and by jobs in the queue: {number}." in said
    eggs.run("cancel", number)
    (eggs.root / "data/raw/d.csv").write_text("4\n")
    unused = str(pushed(eggs)["digest"])
    assert f"Would remove data/raw {unused[:12]} (8 B)" in eggs.run("data.rm", "data/raw", "--unused", "--check")
    assert unused in {each["digest"] for each in eggs.json("data.rm", "--unused", "--yes")["removed"]}
    [data] = eggs.json("data.list")["data"]
    assert unused not in {version["digest"] for version in data["versions"]}
    eggs.run("data.rm", "data/raw", "--force", "--yes")
    assert "eggs has no input data on penguins." in eggs.run("data.list")
    said = eggs.run("submit", "count", code=1)
    assert "The input data of eggs is not on penguins any more: data/raw. Nothing was submitted." in said
    assert "penguins has no data for the input data/raw yet" in eggs.run("deploy", code=1)
    assert eggs.run("data.rm", "--digest", "xyz", code=1).startswith("'xyz' is not the beginning of a digest")
    assert eggs.run("data.rm", code=1).startswith("Missing argument PATH, or --unused")


def test_a_public_file_is_downloaded_by_the_cluster(eggs: Project, tmp_path: Path) -> None:
    """From this machine, which the miniature reaches by its loopback addresses."""
    content = os.urandom(100_000)
    (tmp_path / "x.csv").write_bytes(content)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with running(server):
        url = f"http://127.0.0.1:{server.server_port}/x.csv"
        assert f"Would have penguins download {url} as data/x.csv" in eggs.run("data.push", url, "--check")
        digest = hashlib.sha256(content).hexdigest()
        said = eggs.run("data.push", url, "--sha256", "0" * 64, code=1)
        assert f"{url} has the SHA-256 {digest}, not {'0' * 64}. Nothing was kept." in said
        said = eggs.run("data.push", url, "--sha256", digest)
        assert "penguins downloaded data/x.csv: 100.0 kB" in said
        assert "add the line `inputs: [data/raw, data/x.csv]`" in said
        for words in ((), ("--sha256", digest)):
            [again] = eggs.json("data.push", url, *words)["data"]
            assert (again["state"], again["sent"], again["source"]) == ("same", 0, url)
        said = eggs.run("data.push", f"{url}.none", code=1)
        assert "penguins: the server answers 404" in said
    text = (eggs.root / "rookery.yml").read_text()
    eggs.commit({"rookery.yml": text.replace("[data/raw]", "[data/x.csv]")})
    release = eggs.json("deploy")
    assert release["inputs"] == {"data/x.csv": digest}
    path = f"~/{RELEASES}/{release['commit']}/data/x.csv"
    assert there(eggs, f"sha256sum <{path}").split()[0] == digest
