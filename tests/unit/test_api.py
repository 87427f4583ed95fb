"""`rookery.Project`: its methods take the commands' options, print nothing, ask nothing, and leave no trace behind."""

import inspect
import re
import sys
from pathlib import Path
from threading import Thread

import pytest
from combining import project as combined_project
from combining import recorded

import rookery
from rookery.api import calls
from rookery.api.project import Project
from rookery.api.run import Run
from rookery.core import background, console, invocation, prompts
from rookery.jobs import options as jobs
from rookery.projects import options as projects

METHODS = {
    Project.deploy: projects.DeployOptions,
    Project.submit: jobs.SubmitOptions,
    Project.run: jobs.RunOptions,
    Project.jobs: jobs.JobsOptions,
    Project.runs: jobs.RunsOptions,
    Project.fetch: jobs.FetchOptions,
    Project.combine: jobs.CombineOptions,
    Project.cancel: jobs.CancelOptions,
    Run.fetch: jobs.FetchOptions,
    Run.table: jobs.CombineOptions,
}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_help_names_the_options_of_the_command_and_no_others(method: object) -> None:
    flags = METHODS[method].flags()  # type: ignore[index]
    shown = set(inspect.signature(method).parameters) - {"self"}  # type: ignore[arg-type]
    assert shown <= set(flags)
    assert not shown & {"json", "project", "sandbox", "watch", "wait"}
    assert all(f"    {name}: {flags[name].metadata['help']}" in str(method.__doc__) for name in shown)


def test_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = combined_project(tmp_path / "demo", part_1__csv='x,y\n0.10,"a\nb"\n', part_3__csv="x,y\n2,é\n")
    recorded(root, array="1-3")
    (root / "deeper").mkdir()
    demo = rookery.Project(root / "deeper", "hec")
    table = demo.combine()
    assert table.columns == ("run", "task", "x", "y")
    assert table.rows == [
        {"run": "7", "task": "1", "x": "0.10", "y": "a\nb"},
        {"run": "7", "task": "3", "x": "2", "y": "é"},
    ]
    assert (table.missing, table.path) == (("7_2",), root / "combined.csv")
    assert [run.number for run in demo.runs()] == ["7"]
    assert capsys.readouterr() == ("", "")


def test_options_of_the_command_line_alone_are_refused(tmp_path: Path) -> None:
    demo = rookery.Project(combined_project(tmp_path / "demo"))
    with pytest.raises(TypeError, match=r"combine\(\) takes no argument 'json'"):
        demo.combine(json=True)
    with pytest.raises(TypeError, match="colour"):
        demo.combine(colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("submit", {"after": "41"}, "submit() takes a tuple of str for 'after', not '41'"),
        ("submit", {"after": (41,)}, "submit() takes a tuple of str for 'after', not (41,)"),
        ("submit", {"array": 3}, "submit() takes str for 'array', not 3"),
        ("jobs", {"days": "3"}, "jobs() takes int for 'days', not '3'"),
        ("fetch", {"colour": 1}, "FetchOptions.__init__() got an unexpected keyword argument 'colour'"),
    ],
)
def test_values_of_another_type(tmp_path: Path, method: str, given: dict[str, object], message: str) -> None:
    """Nothing is sent: "41" would else be the jobs 4 and 1."""
    demo = rookery.Project(combined_project(tmp_path / "demo"))
    with pytest.raises(TypeError, match=re.escape(message)):
        getattr(demo, method)(**given)
    with pytest.raises(TypeError, match=re.escape("cancel() takes str for 'job', not 41")):
        demo.cancel(41)  # type: ignore[arg-type]


def test_errors_name_commands_as_they_are_typed(tmp_path: Path) -> None:
    demo = rookery.Project(combined_project(tmp_path / "demo"))
    with pytest.raises(rookery.RookeryError) as failed:
        demo.combine("9")
    assert "invoke" not in str(failed.value)
    assert failed.value.message == "Run 9 has no record in runs/."
    with pytest.raises(rookery.RookeryError, match=r"rookery\.yml"):
        rookery.Project(tmp_path)


def test_notes_are_kept_in_threads_too_and_other_threads_still_print(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert prompts.is_interactive()
    with calls.quietly() as notes:
        console.note("one\x1b[31m")
        background.begun(lambda: console.note("two"))()
        other = Thread(target=lambda: console.note("other"))
        other.start()
        other.join()
        assert not prompts.is_interactive()
        assert invocation.is_guided()
    assert notes == ["one", "two"]
    assert capsys.readouterr().err == "other\n"
    assert not invocation.is_guided()
