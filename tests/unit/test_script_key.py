"""`script:` in rookery.yml: a job script of the project that is used unchanged."""

from pathlib import Path

import pytest
from projects import known, project

from rookery.core.errors import RookeryError
from rookery.jobs import render
from rookery.jobs.lint import run as lint
from rookery.jobs.options import LintOptions, RenderOptions
from rookery.jobs.submit import request
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import config
from rookery.projects import target as targets
from rookery.projects.scripts import job_script

RUN = """#!/bin/bash
#SBATCH --job-name=mine --array=1-30:2%5
#SBATCH -p parallel,serial -t 1-00:00:00 --mem 2G -c 4 -N 2
#SBATCH --output=logs/%x_%a.out
echo hello
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a job that is a script, one after it, and one that is a script on one cluster only."""
    jobs = """
        fit: {script: ./jobs/run.sh}
        later: {script: run.bash, after: [fit], only: hec}
        mixed: {command: echo, memory: 1G, after: fit, clusters: {hec: {script: run.bash}}}
    """
    folder = project(tmp_path / "work", jobs, run__bash="#!/bin/bash\n#SBATCH --mem=1G\ntrue\n")
    (folder / "jobs").mkdir()
    (folder / "jobs/run.sh").write_text(RUN)
    monkeypatch.chdir(folder)
    return folder


def test_the_script_is_the_jobs_and_its_directives_are_what_is_known(root: Path) -> None:
    scripts = {script.job.name: script for script in job_script.scripts(config.load(root), known("hec"))}
    fit = scripts["fit"]
    assert (fit.path, fit.text, dict(fit.files)) == ("jobs/run.sh", RUN, {})
    summary = {
        key: fit.summary[key] for key in ("array", "max_running", "partition", "memory", "minutes", "nodes", "cpus")
    }
    assert summary == {
        "array": "1-30:2", "max_running": 5, "partition": "parallel", "memory": "2G", "minutes": 1440, "nodes": 2,
        "cpus": 4,
    }  # fmt: skip
    assert fit.summary["output"] == "logs/%x_%a.out"
    assert (scripts["later"].path, scripts["later"].summary["after"]) == ("run.bash", ["fit"])
    assert (scripts["mixed"].path, scripts["mixed"].summary["after"]) == ("run.bash", ["fit"])


def test_a_cluster_may_have_a_script_where_others_have_a_command(root: Path) -> None:
    [script] = [
        script for script in job_script.scripts(config.load(root), known("penguins")) if script.job.name == "mixed"
    ]
    assert script.path == "slurm/mixed.sh"
    assert "echo" in script.text


BAD = [
    ("fit: {script: run.sh, memory: 1G}", "`memory` has no effect with `script`: set it in the script itself"),
    ("fit: {script: run.sh, command: a}", "use either command or script"),
    ("fit: {script: run.sh, environment: {A: b}}", "`environment` has no effect with `script`"),
    ("fit: {script: run.sh, clusters: {hec: {cpus: 4}}}", "`cpus` has no effect with `script`"),
    ("fit: {script: [a]}", "`script` must be"),
    ("fit: {memory: 1G}", "missing key `command` (what the job runs), or `script` (a job script of the project)"),
]


@pytest.mark.parametrize(("job", "expected"), BAD)
def test_what_can_not_go_with_a_script_is_refused(tmp_path: Path, job: str, expected: str) -> None:
    folder = project(tmp_path / "work", job)
    with pytest.raises(RookeryError) as caught:
        config.load(folder)
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("missing.sh", "`script`: can't find missing.sh in the project"),
        ("../run.sh", "`script`: ../run.sh must be a path inside the project."),
        ("link.sh", "`script`: link.sh is a symbolic link"),
        (".", "`script`:"),
    ],
)
def test_a_script_that_can_not_be_used_is_refused(tmp_path: Path, path: str, expected: str) -> None:
    folder = project(tmp_path / "work", f"fit: {{script: '{path}'}}")
    (folder / "link.sh").symlink_to("/etc/hostname")
    with pytest.raises(RookeryError) as caught:
        job_script.scripts(config.load(folder), known("hec"))
    assert expected in caught.value.message
    assert "rookery.yml:4" in caught.value.message


def test_render_prints_it_and_writes_no_copy(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render.run(RenderOptions("fit", cluster="hec"))
    assert capsys.readouterr().out == RUN
    render.run(RenderOptions(cluster="hec", output="slurm"))
    assert "jobs/run.sh is used unchanged." in capsys.readouterr().err
    assert not (root / "slurm").exists()


def test_lint_checks_it_once_by_the_name_of_the_job_or_the_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "run.bash").write_text("#!/bin/bash\n#SBATCH --mem=1G\nRScript work.R\n")
    for words in ((), ("later",), ("run.bash",)):
        lint.run(LintOptions(words, cluster="hec"))
        printed = capsys.readouterr().out
        assert printed.count("RK601") == 1, words
        assert "run.bash:3: error RK601" in printed or "run.bash:3: warning RK601" in printed


def test_submit_checks_the_script_that_it_names(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "run.bash").write_text("#!/bin/bash\n#SBATCH --mem=1G\n#SBATCH --time=5x\ntrue\n")
    target = targets.find("hec", str(root))
    wanted = SubmitRequest("penguin-survival", job="later")
    text = request.local_text(target, wanted)
    assert text == (root / "run.bash").read_text()
    with pytest.raises(RookeryError, match=r"Nothing was submitted: run\.bash has an error in line 3 \(RK\d+\): "):
        request.lint_and_digest(target, wanted, text, final=True)
    assert "error RK" not in capsys.readouterr().err, "it is said once"


def test_a_program_that_is_submitted_as_a_script_belongs_into_rookery_yml(root: Path) -> None:
    (root / "fit.py").write_text("print(1)\n")
    target = targets.find("hec", str(root))
    wanted = SubmitRequest("penguin-survival", path="fit.py")
    with pytest.raises(RookeryError, match=r"the `command` of a job, `python fit\.py`") as caught:
        request.lint_and_digest(target, wanted, request.local_text(target, wanted), final=True)
    assert caught.value.hint == "edit rookery.yml, commit, and deploy again: invoke docs rookery-yml"
    (root / "fit.py").write_text("#SBATCH --mem=1G\nprint(1)\n")
    with pytest.raises(RookeryError, match="does not say what runs the program"):
        request.lint_and_digest(target, wanted, request.local_text(target, wanted), final=True)
