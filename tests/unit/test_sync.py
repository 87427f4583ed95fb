"""`fetch --sync`: which runs are uploaded, in which order, each once; tools that fail or hang."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from user_home import at_home

from rookery.core import locking, paths
from rookery.core.errors import RookeryError
from rookery.jobs.results.sync import command, offline_runs, tool
from rookery.projects.model import Environment

WANDB = r"""#!/bin/sh
for folder; do :; done
echo "$@" >> "$TOLD"
case $folder in
*bad) echo "wandb: ERROR no key"; echo "wandb: the end"; exit 1 ;;
*slow) sleep 60 ;;
*part) exit 0 ;;
*no-key) echo "Error: No API key configured. Use 'wandb login' to log in."; exit 1 ;;
esac
for log in "$folder"/run-*.wandb; do : > "$log.synced"; done
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project whose wandb is a program that notes how it is called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "wandb").write_text(WANDB)
    (programs / "wandb").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    at_home(tmp_path / "home", monkeypatch)
    root = tmp_path / "demo"
    (root / "results").mkdir(parents=True)
    return SimpleNamespace(root=root, name="demo", outputs=("results", "logs"), environment=Environment())


def offline(project: Any, when: str, name: str, *, below: str = "results/wandb") -> Path:
    folder: Path = project.root / below / f"offline-run-{when}-{name}"
    folder.mkdir(parents=True)
    (folder / f"run-{name}.wandb").write_text("x")
    return folder


def told(project: Any) -> list[str]:
    """The names of the runs that wandb was given, as it was given them."""
    file = project.root.parent / "told"
    return [line.rpartition("-")[2] for line in file.read_text().splitlines()] if file.exists() else []


def test_runs_are_uploaded_once_in_the_order_in_which_they_were_made(project: Any) -> None:
    offline(project, "20260102_000000", "second", below="results/1/wandb")
    first = offline(project, "20260101_000000", "first", below="results/2/wandb")
    offline(project, "20260103_000000", "third")
    (project.root / "results/run-20260104_000000-online").mkdir()
    result = command.run(project, check=True)
    assert (result.notes, told(project)) == (["Would sync 3 runs of wandb"], [])
    result = command.run(project)
    assert (told(project), result.failed) == (["first", "second", "third"], [])
    assert result.synced[0] == str(first.relative_to(project.root))
    result = command.run(project)
    assert (result.synced, result.notes) == ([], ["No run of wandb or MLflow in the outputs that is not uploaded yet"])
    assert len(told(project)) == 3


def test_a_run_of_which_more_has_come_is_uploaded_again(project: Any) -> None:
    folder = offline(project, "20260101_000000", "it")
    command.run(project)
    os.utime(folder / "run-it.wandb.synced", (1, 1))
    assert offline_runs.find(project.root, project.outputs).changed == {folder}
    command.run(project)
    assert "--include-synced" in (project.root.parent / "told").read_text().splitlines()[1]
    assert command.run(project).synced == []


def test_what_fails_is_named_and_tried_again(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, name in enumerate(("bad", "part", "good", "slow", "late"), 1):
        offline(project, f"2026010{day}_000000", name)
    monkeypatch.setattr(tool, "TIMEOUT", 0.3)
    result = command.run(project)
    assert [path.rpartition("-")[2] for path in result.synced] == ["good"]
    assert [why for _, why in result.failed] == [
        "wandb: ERROR no key",
        "exit status 0, but the run is not marked as uploaded",
        "wandb was ended after 0 minutes; 1 other run left for the next time",
    ]
    command.run(project)
    assert told(project) == ["bad", "part", "good", "slow", "bad", "part", "slow"]


def test_without_a_login_the_other_runs_are_not_tried(project: Any) -> None:
    for day in (1, 2, 3):
        offline(project, f"2026010{day}_000000", "no-key")
    result = command.run(project)
    assert [why for _, why in result.failed] == [
        "Error: No API key configured. Use 'wandb login' to log in.; 2 other runs left for the next time"
    ]
    assert (result.notes, len(told(project))) == (["To log in to wandb: wandb login"], 1)


def test_two_commands_do_not_upload_the_same_runs(project: Any) -> None:
    offline(project, "20260101_000000", "it")
    with (
        locking.held(f"sync-{paths.digest(project.root)}"),
        pytest.raises(RookeryError, match="uploading runs of demo"),
    ):
        command.run(project)
    assert told(project) == []


def test_a_tool_that_is_not_there_is_named(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(project, "20260101_000000", "it")
    monkeypatch.setenv("PATH", "/nowhere")
    [(_, why)] = command.run(project).failed
    assert why == "wandb is not installed on this computer"


def test_the_project_s_environment_is_used(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    project.environment = Environment(python="uv")
    assert tool.argv(project, ["wandb", "sync"])[:4] == ["uv", "run", "--project", str(project.root)]
    project.environment = Environment(python="poetry")
    assert tool.argv(project, ["wandb"]) == ["poetry", "--directory", str(project.root), "run", "wandb"]


def test_without_a_server_of_mlflow_s_it_says_what_to_set(project: Any) -> None:
    (project.root / "results/mlruns/0").mkdir(parents=True)
    result = command.run(project)
    assert result.notes == [
        "results/mlruns: set MLFLOW_TRACKING_URI to your server's address to copy MLflow's runs there"
    ]
    assert result.failed == []


def test_the_answers_about_mlflow_s_runs(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.root / "results/mlruns/0").mkdir(parents=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://user:SECRET@example.org")
    lines = [{"run": "a", "state": "new"}, {"run": "b", "state": "there"}, {"run": "c", "state": "running"}]
    said = "View run at …\n" + "\n".join(map(json.dumps, [*lines, {"run": "d", "why": "no space"}]))
    called: list[Any] = []
    monkeypatch.setattr(tool, "run", lambda *words: called.append(words) or (1, said))  # type: ignore[func-returns-value]
    result = command.run(project)
    assert (result.synced, result.failed) == (["mlflow a"], [("mlflow d", "no space")])
    assert result.notes == ["1 run of MLflow without an end: left for the next time"]
    assert "SECRET" not in str(called)
    monkeypatch.setattr(tool, "run", lambda *_: (1, "ModuleNotFoundError: No module named 'mlflow'"))
    assert command.run(project).failed == [("results/mlruns", "ModuleNotFoundError: No module named 'mlflow'")]


def mlflow_import() -> ModuleType:
    """The program that is run with the project's Python."""
    spec = importlib.util.spec_from_file_location("mlflow_import", command._IMPORT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_that_was_copied_in_part_is_copied_again_and_a_whole_one_is_not() -> None:
    program = mlflow_import()
    deleted: list[str] = []

    def other(number: str, **tags: str) -> Any:
        return SimpleNamespace(info=SimpleNamespace(run_id=number), data=SimpleNamespace(tags=tags))

    there = SimpleNamespace(
        get_experiment_by_name=lambda _: SimpleNamespace(experiment_id="0"),
        pages=[other("1"), other("2", **{program.WHOLE: "yes"})],
        delete_run=deleted.append,
    )
    program.pages = lambda client, *_: client.pages
    run = SimpleNamespace(info=SimpleNamespace(status="FINISHED", run_id="a"))
    assert program.copied(None, there, "Default", run, Path()) == "there"
    assert deleted == ["1"]
    run.info.status = "RUNNING"
    assert program.copied(None, there, "Default", run, Path()) == "running"


REFUSED = (
    "API request to http://127.0.0.1:5077/api/2.0/mlflow/experiments/search failed with exception HTTPConnectionPool("
    "host='127.0.0.1', port=5077): Max retries exceeded with url: /api (Caused by NewConnectionError(\"HTTPConnection("
    "host='127.0.0.1', port=5077): Failed to establish a new connection: [Errno 111] Connection refused\"))"
)


def test_a_server_that_does_not_answer_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = mlflow_import()

    def refuse(**_: Any) -> None:
        raise OSError(REFUSED)

    client = SimpleNamespace(search_experiments=refuse)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(MlflowClient=lambda _: client))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5077")
    assert program.main(["results/mlruns"])
    said = capsys.readouterr().out
    assert tool.reason(said, 1) == "Error: MLflow's server (MLFLOW_TRACKING_URI) does not answer: Connection refused"


def test_folders_that_were_empty_on_the_cluster_are_made(tmp_path: Path) -> None:
    run = tmp_path / "0" / ("a" * 32)
    other = tmp_path / "0" / "traces"
    for folder in (run, other):
        folder.mkdir(parents=True)
        (folder / "meta.yaml").write_text("")
    mlflow_import().complete(tmp_path)
    assert sorted(path.name for path in run.iterdir()) == ["artifacts", "meta.yaml", "metrics", "params", "tags"]
    assert [path.name for path in other.iterdir()] == ["meta.yaml"]
