"""Services in jobs: who the gate lets in, names, and what their job scripts hold."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rookery.cli import program
from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh.connection import Connection
from rookery.core import typed_command
from rookery.core.errors import RookeryError
from rookery.jobs.interactive import compute_node_job
from rookery.jobs.interactive.compute_node_job import RunningJob
from rookery.jobs.interactive.job_request import KEEPER, ComputeNodeOptions
from rookery.jobs.options import ServeOptions
from rookery.jobs.services import command, listing, naming, service_job, session
from rookery.jobs.services.gate_requests import Verdict, judge, without_cookie
from rookery.jobs.services.kinds import KINDS
from rookery.jobs.services.service_job import ServiceProgram
from rookery.jobs.services.session import Service
from rookery.projects.model import Environment, Project
from rookery.projects.target import Target

TOKEN = "t" * 43
PORT = 8123


def head(
    path: str = "/lab", host: str = f"127.0.0.1:{PORT}", cookie: str = "", method: str = "GET", origin: str = ""
) -> bytes:
    cookies, origins = [f"Cookie: {cookie}"] * bool(cookie), [f"Origin: {origin}"] * bool(origin)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *cookies, *origins, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("request_head", "verdict"),
    [
        (head(), Verdict.REFUSE),
        (head(cookie=f"a=b; rookery-{PORT}={TOKEN}"), Verdict.PASS),
        (head(cookie=f"rookery-{PORT}={TOKEN}", host=f"localhost:{PORT}"), Verdict.PASS),
        (head(cookie=f"rookery-{PORT}={TOKEN}", method="POST"), Verdict.PASS),
        (head(cookie=f"rookery-{PORT}={TOKEN[:-1]}"), Verdict.REFUSE),
        (head(cookie=f"rookery-{PORT}="), Verdict.REFUSE),
        (head(cookie=f"rookery-9999={TOKEN}"), Verdict.REFUSE),  # another service's
        (head(cookie=f"rookery-{PORT}={TOKEN}", host="evil.example"), Verdict.REFUSE),  # a name that leads to 127.0.0.1
        (head(cookie=f"rookery-{PORT}={TOKEN}", host=f"127.0.0.1:{PORT}\r\nHost: evil"), Verdict.REFUSE),
        (head(cookie=f"rookery-{PORT}={TOKEN}", origin=f"http://127.0.0.1:{PORT}"), Verdict.PASS),
        (head(cookie=f"rookery-{PORT}={TOKEN}", origin="http://127.0.0.1:9999"), Verdict.REFUSE),  # another page's
        (head(cookie=f"rookery-{PORT}={TOKEN}", origin="null"), Verdict.REFUSE),
        (head(f"/rookery-open?token={TOKEN}"), Verdict.OPEN),
        (head(f"/rookery-open?token={TOKEN}", method="POST"), Verdict.REFUSE),
        (head("/rookery-open?token=x"), Verdict.REFUSE),
        (head("/rookery-open"), Verdict.REFUSE),
        (head(f"/rookery-open?token={TOKEN}", host="evil.example"), Verdict.REFUSE),
        (head(f"/lab?token={TOKEN}"), Verdict.REFUSE),
        (b"nonsense\r\n\r\n", Verdict.REFUSE),
        (b"\xff\xfe\x00\r\n\r\n", Verdict.REFUSE),
    ],
)
def test_only_who_has_the_token_is_let_in(request_head: bytes, verdict: Verdict) -> None:
    assert judge(request_head, TOKEN, PORT) is verdict


def test_a_service_does_not_see_the_cookie_that_opens_the_gate() -> None:
    own = f"rookery-{PORT}={TOKEN}"
    assert without_cookie(head(cookie=own), PORT) == head()
    assert without_cookie(head(cookie=f"a=b; {own};c=d"), PORT) == head(cookie="a=b; c=d")
    others = f"a=b; rookery-{PORT + 1}=x"
    assert without_cookie(head(cookie=others), PORT) == head(cookie=others)


def target(tmp_path: Path, cluster: str = "hec", environment: Environment | None = None, **changes: object) -> Target:
    known = profile.load(cluster, [profile.sources()[0]], {"cluster_user": "ada"})
    made = Cluster(**{**vars(known), "data": MappingProxyType({**known.data, **changes})})
    jobs = {"fit": {"command": "python fit.py", "cpus": 4, "memory": "16G", "time": "3h"}}
    project = Project(tmp_path, "demo", (cluster,), environment or Environment(), (), jobs)
    return Target(project, Connection(made))


def test_a_project_and_its_services_have_names_of_their_own(tmp_path: Path) -> None:
    there = target(tmp_path)
    assert naming.default("lab", there) == "lab-demo"
    assert naming.default("my app!.py", Target(None, there.connection)) == "my-app-.py"
    assert naming.commands("lab-demo", there).job == "rookery-serve-lab-demo"
    for name in ("", "a b", "-x", "a;b", "x" * 61):
        with pytest.raises(RookeryError, match="--name"):
            naming.checked(name)


def test_its_script_is_a_job_script_of_the_project(tmp_path: Path) -> None:
    there = target(tmp_path, environment=Environment("uv"))
    options = ComputeNodeOptions(memory="8G")
    job = service_job.sized(there, "fit", options)
    assert (job.cpus, job.memory, job.minutes) == (4, "8192M", 180)
    made = ServiceProgram("JupyterLab", KINDS["lab"].start, "/prefix/it's/python", KINDS["lab"].program)
    request = service_job.request(there, "rookery-serve-lab-demo", job, options, made)
    assert request.place == "projects/demo/current"
    assert request.wanted == {key: request.asked[key] for key in ("memory", "keeper", "program")}
    script = request.script
    assert "#SBATCH --job-name=rookery-serve-lab-demo" in script
    assert "#SBATCH --output=@FOLDER@/%j.log" in script
    assert "source .venv/bin/activate" in script
    assert "facts.sh" not in script  # it has no record
    assert '"$HOME"/projects/demo/notebooks' in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_outside_of_a_project_it_has_the_defaults(tmp_path: Path) -> None:
    there = Target(None, target(tmp_path).connection)
    job = service_job.sized(there, "", ComputeNodeOptions())
    assert (job.cpus, job.memory, job.minutes, job.gpus) == (2, "4096M", 240, 0)
    script = service_job.request(
        there, "rookery-serve-lab", job, ComputeNodeOptions(), ServiceProgram("x", "true")
    ).script
    assert "activate" not in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("begins", "named", "folder"),
    [
        ("notebooks", "", '"$HOME"/projects/demo/notebooks'),
        ("results", "", '"$ROOKERY_RELEASE"/results'),
        ("release", "", '"$ROOKERY_RELEASE"'),
        ("results", "a b/c", "\"$ROOKERY_RELEASE\"/'a b/c'"),
        ("results", "/scratch/$(x)", "'/scratch/$(x)'"),
        ("notebooks", "~/it's", """"$HOME"'/it'"'"'s'"""),
    ],
)
def test_where_a_service_begins(tmp_path: Path, begins: Any, named: str, folder: str) -> None:
    there = target(tmp_path)
    project = replace(there.required_project, outputs=("slurm_logs", "results"))
    made = ServiceProgram("x", "true", begins=begins, folder=named)
    assert service_job.folder(replace(there, project=project), made) == folder


def test_another_command_of_the_same_name_is_another_service(tmp_path: Path) -> None:
    there, asked = target(tmp_path), []
    job = service_job.sized(there, "", ComputeNodeOptions())
    for project, options in (
        ("demo", ServeOptions(command_=("python", "app.py"), port=8000)),
        ("demo", ServeOptions(command_=("python app.py",), port=8000)),
        ("demo", ServeOptions(command_=("python", "app.py", "-v"), port=8000)),
        ("other", ServeOptions(command_=("python", "app.py"), port=8000)),
        ("demo", ServeOptions(service="lab")),
        ("demo", ServeOptions(service="notebook")),
        ("demo", ServeOptions(service="lab", folder="results")),
    ):
        made = command._program(command._kind(options), options, project)
        asked.append(service_job.request(there, "x", job, ComputeNodeOptions(), made).wanted["program"])
    assert asked[0] == asked[1]
    assert len(set(asked)) == len(asked) - 1


def test_what_comes_behind_two_dashes_is_a_command_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ServeOptions] = []
    monkeypatch.setattr(command, "run", seen.append)
    made = program.program()
    for line in (
        "serve --port 8000 -- python -m http.server --sandbox -- -x",
        "serve.start -c hec -- x",
        "serve lab --json",
    ):
        made.run(["rookery", *line.split()], exit=False)
    assert seen[0].command_ == ("python", "-m", "http.server", "--sandbox", "--", "-x")
    assert (seen[0].port, seen[0].sandbox, seen[0].service) == (8000, False, "")
    assert (seen[1].command_, seen[1].cluster) == (("x",), "hec")
    assert (seen[2].command_, seen[2].service, seen[2].json) == ((), "lab", True)
    assert seen[0].command("serve") == "invoke serve --port 8000 -- python -m http.server --sandbox -- -x"


def test_a_hint_adds_nothing_to_the_command_behind_two_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[str] = []

    def run(_: ServeOptions) -> None:
        hints.append(typed_command.again("--local-port", "9", without=("--port",)))

    monkeypatch.setattr(command, "run", run)
    program.program().run(["rookery", "serve", "--port", "1", "--", "x", "--port", "2"], exit=False)
    assert hints == ["invoke serve --local-port 9 -- x --port 2"]


def test_where_there_can_be_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(RookeryError, match="no compute nodes"):
        command.check(target(tmp_path, cluster_scheduler="none"))
    storage = [{**area, "on_compute_nodes": False} for area in target(tmp_path).cluster.data["cluster_storage"]]
    with pytest.raises(RookeryError, match="can't read your home"):
        command.check(target(tmp_path, cluster_storage=storage))
    command.check(target(tmp_path, cluster_policies={"vscode": "forbidden"}))  # which is another program
    for options, message in (
        (ServeOptions(), "Missing SERVICE: lab, notebook"),
        (ServeOptions(service="lab", command_=("x",)), "either lab or a command"),
        (ServeOptions(service="lab", port=8000), "--port is for a command"),
        (ServeOptions(command_=("x",), port=80), "1024 or more"),
        (ServeOptions(service="jupiter"), "Unknown service 'jupiter'"),
        (ServeOptions(service="lab", local_port=70000), "--local-port must be"),
    ):
        with pytest.raises(RookeryError, match=message):
            command.run(options)


def test_a_service_is_stopped_by_its_name_or_that_of_the_project(tmp_path: Path) -> None:
    there = target(tmp_path)
    assert listing._chosen("lab", ["lab-demo", "lab"], there) == "lab"
    assert listing._chosen("lab", ["lab-demo", "x"], there) == "lab-demo"
    assert listing._chosen("", ["x"], there) == "x"
    for name, names, message in (
        ("", ["x", "y"], "Missing NAME. Running: x, y."),
        ("lab", ["x"], "No service 'lab' is running on hec. Running: x."),
        ("", [], "No services are running on hec."),
    ):
        with pytest.raises(RookeryError, match=message) as error:
            listing._chosen(name, names, there)
        assert "--cluster hec" in str(error.value.hint)


def test_hints_keep_what_the_user_typed() -> None:
    for options, hint in (
        (ServeOptions(service="jupiter", sandbox=True), "invoke serve lab --sandbox"),
        (ServeOptions(service="lab", command_=("x",), cluster="hec"), "invoke serve lab --cluster hec"),
        (
            ServeOptions(service="lab", port=8000, sandbox=True),
            "invoke serve --port 8000 --sandbox -- python -m http.server 8000",
        ),
    ):
        with pytest.raises(RookeryError) as error:
            command.run(options)
        assert error.value.hint == hint


def test_what_differs_from_the_job_that_runs_is_said() -> None:
    about = {"keeper": KEEPER, "program": "a", "cpus": 2, "memory": "4096M", "gpus": 0}
    assert "another program" in compute_node_job._otherwise(about, {"program": "b"})
    assert "other resources: 2 cores, 4096M, no GPU" in compute_node_job._otherwise(about, {"program": "a"})
    assert "another version" in compute_node_job._otherwise({"program": "a"}, {"program": "b"})


def test_the_end_of_the_job_is_announced_once_it_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service("lab", "JupyterLab", "/lab", "All variables are lost.")
    for seconds, is_soon in ((session.SOON + 60, False), (session.SOON - 60, True), (-60, False)):
        running = RunningJob("7", "wn01", int(time.time()) + seconds, False, False, "/x")
        assert session._warned(service, running) is is_soon
    assert session._warned(service, RunningJob("7", "wn01", 0, False, False, "/x")) is False
    said = capsys.readouterr().err
    assert said.count("Save your work before. All variables are lost.") == 1
