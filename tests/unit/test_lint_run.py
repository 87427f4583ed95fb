"""`lint` as a command: which files, what it says, what `--fix` writes, and how it ends."""

import json
import os
import re
from pathlib import Path

import pytest
from user_home import shared_cache

from rookery.core.errors import RookeryError
from rookery.jobs import options
from rookery.jobs.lint import discovery, run
from rookery.jobs.lint.script import context, project_files, python_source

GOOD = "#!/bin/bash\n#SBATCH --partition=PenguinPartition\n#SBATCH --mem=1G\nRscript work.R\n"
BAD = GOOD.replace("Rscript", "RScript")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", shared_cache())
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def lint(*files: str, **flags: bool) -> int:
    return run.run(options.LintOptions(files=files, cluster="penguins", **flags))


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    document = json.loads(capsys.readouterr().out)
    return {file["path"]: [finding["code"] for finding in file["findings"]] for file in document["files"]}


def test_it_says_what_is_wrong_and_how_it_reads_mended(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(BAD)
    assert lint("job.sh") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("job.sh:4: error RK601: Unknown command RScript")
    assert lines[1] == "    Rscript work.R"
    assert lines[2:] == [
        "1 error in 1 script for penguins",
        "  next: rookery lint job.sh --cluster penguins --fix   # fixes 1 of them",
    ]
    assert (here / "job.sh").read_text() == BAD


def test_a_job_of_rookery_yml_is_checked_as_rendered(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = "jobs:\n  simulate: {command: RScript work.R}\n  fit: {command: Rscript work.R}\n"
    (here / "rookery.yml").write_text(f"name: seals\nclusters: [penguins]\n{jobs}")
    (here / "job.sh").write_text(GOOD)
    assert lint("fit", "job.sh", json=True) == 0
    assert report(capsys) == {"job.sh": [], "slurm/fit.sh (rendered)": []}
    assert lint("simulate", json=True) == 1
    assert report(capsys) == {"slurm/simulate.sh (rendered)": ["RK601"]}
    (here / "simulate").write_text(GOOD)  # a file of that very name goes before
    assert lint("simulate", json=True) == 0
    with pytest.raises(RookeryError, match="simulat"):
        lint("simulat")


def test_what_is_wrong_with_a_job_is_said_of_rookery_yml(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program named is the job's own, and the corrected line is one that the file can have."""
    (here / "rookery.yml").write_text("name: x\nclusters: [hec]\njobs:\n  simulate: {command: python3 sim.py}\n")
    assert run.run(options.LintOptions(files=("simulate",))) == 0
    finding, key, _ = capsys.readouterr().out.splitlines()
    assert re.match(
        r"rookery\.yml \(slurm/simulate\.sh:\d+ as rendered\): warning RK309: .* python3 needs more", finding
    )
    assert key == "    memory: 1G"
    (here / "rookery.yml").write_text("name: x\nclusters: [penguins]\njobs:\n  simulate: {command: RScript work.R}\n")
    assert run.run(options.LintOptions(files=("simulate",))) == 1
    assert capsys.readouterr().out.splitlines()[1] == "    Rscript work.R"


def test_rookery_yml_means_its_jobs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "name: x\nclusters: [penguins]\njobs:\n  simulate: {command: RScript work.R}\n"
    (here / "rookery.yml").write_text(text)
    (here / "job.sh").write_text(BAD)
    assert lint("rookery.yml", json=True, fix=True) == 1
    assert report(capsys) == {"slurm/simulate.sh (rendered)": ["RK601"]}
    assert lint("job.sh", "rookery.yml", json=True, fix=True) == 1
    assert report(capsys) == {"job.sh": [], "slurm/simulate.sh (rendered)": ["RK601"]}
    assert (here / "rookery.yml").read_text() == text


def test_the_rookery_yml_of_another_project_is_no_script(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other").mkdir()
    (here / "other/rookery.yml").write_text("name: x\nclusters: [penguins]\njobs: {}\n")
    (here / "job.sh").write_text(GOOD)
    with pytest.raises(RookeryError, match=r"other/rookery\.yml describes jobs, and is not a job script") as refused:
        lint("other/rookery.yml", fix=True)
    assert refused.value.hint == "invoke lint --cluster penguins --project other   # checks its jobs"
    assert lint("job.sh", "other/rookery.yml", fix=True) == 0
    assert "Skipped 1 file" in capsys.readouterr().err
    assert (here / "other/rookery.yml").read_text().startswith("name: x\n")


OTHERS = {
    "work.R": b"x <- 1\r\n",
    "work.py": b"\xef\xbb\xbfprint(1)\r\n",
    "sim.jl": b"println(1)\n",
    "notes.md": b"# Notes\n\n```bash\n#SBATCH --mem=1G\n```\n",
    "data.csv": b"a,b\r\n1,2\r\n",
    "LICENSE": b"MIT\r\n",
}


def test_other_files_beside_scripts_are_passed_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`lint *` names everything in a folder."""
    for name, content in OTHERS.items():
        (here / name).write_bytes(content)
    (here / "job.sh").write_text(GOOD)
    (here / "run").write_text(GOOD)
    (here / "bare.sh").write_text("true\n")
    assert lint(*sorted(path.name for path in here.iterdir()), json=True, fix=True) == 0
    out, err = capsys.readouterr()
    assert {file["path"] for file in json.loads(out)["files"]} == {"job.sh", "run", "bare.sh"}
    assert err.startswith("Skipped 6 files without #! and #SBATCH, so no job scripts: LICENSE, data.csv, ")
    assert {name: (here / name).read_bytes() for name in OTHERS} == OTHERS


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_no_job_script_is_not_made_one(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / name).write_bytes(OTHERS[name])
    assert lint(name, fix=True) == 1
    out = capsys.readouterr().out
    assert "job script" in out
    assert "Nothing to fix: 1 error to correct by hand in 1 script for penguins\n" in out
    assert (here / name).read_bytes() == OTHERS[name]


@pytest.mark.parametrize("name", ["job", "job.sub", "job.slrm"])
@pytest.mark.parametrize("head", ["", "# My job\n\n", "\ufeff# mine\r\n"])
def test_a_script_is_one_by_its_requests(here: Path, name: str, head: str) -> None:
    (here / name).write_text(f"{head}#SBATCH -p PenguinPartition --mem=1G\nRscript a.R\n", newline="")
    assert lint(name, fix=True) == 0
    assert (here / name).read_text().startswith("#!/bin/bash\n")


@pytest.mark.parametrize(
    ("name", "line"),
    [("x.py", "#!/usr/bin/env python3"), ("x.R", "#!/usr/bin/env Rscript"), ("x.jl", "#!/usr/bin/env julia")],
)
def test_a_program_with_requests_is_not_given_to_a_shell(
    here: Path, name: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "#SBATCH --partition=PenguinPartition\n#SBATCH --mem=1G\nmodule <- 3\n"
    (here / name).write_text(text)
    assert lint(name, fix=True, json=True) == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    (finding,) = file["findings"]
    assert (finding["code"], finding["mended"], finding["safe"]) == ("RK101", line, False)
    assert (here / name).read_text() == text


def test_warnings_alone_are_no_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(GOOD.replace("Rscript", "#SBATCH --array=1-1000\nRscript"))
    assert lint("job.sh") == 0
    assert "RK403" in capsys.readouterr().out


def test_nothing_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(GOOD)
    assert lint("job.sh") == 0
    assert capsys.readouterr().out == "No problems in 1 script for penguins\n"


@pytest.mark.parametrize("words", [("",), (" ", "job.sh"), ("job.sh", ",")])
def test_an_empty_name_is_an_error(here: Path, words: tuple[str, ...]) -> None:
    (here / "job.sh").write_text(GOOD)
    with pytest.raises(RookeryError, match="The name of a file is empty"):
        lint(*words)


def test_odd_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "binary.sh").write_bytes(bytes(range(256)))
    (here / "empty.sh").write_bytes(b"")
    (here / "huge.sh").write_bytes(GOOD.encode() + b"x" * 30_000_000)
    assert lint("binary.sh,empty.sh,huge.sh", json=True) == 1
    assert report(capsys) == {"binary.sh": ["RK104"], "empty.sh": ["RK105"], "huge.sh": ["RK106"]}


def test_names_as_they_are_typed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.sh", "b c.sh", "d,e.sh", "-dash.sh", "new\nline.sh", "ünï.sh"]
    for name in names:
        (here / name).write_text(GOOD)
    for name in names:
        assert lint(name, json=True) == 0
        assert list(report(capsys)) == [name]
    for typed, meant in {
        "a.sh,b c.sh": ["a.sh", "b c.sh"],
        "a.sh, d,e.sh": ["a.sh", "d,e.sh"],
        "a.sh b c.sh ünï.sh": ["a.sh", "b c.sh", "ünï.sh"],
        "a.*,a.sh": ["a.sh"],
        "*.sh": sorted(names),
        str(here / "?.sh"): [str(here / "a.sh")],
    }.items():
        lint(typed, json=True)
        assert list(report(capsys)) == meant


@pytest.mark.parametrize("name", ["none.sh", "a.sh,none.sh", "*.none", "no such file.sh"])
def test_a_file_that_is_not_there(here: Path, name: str) -> None:
    (here / "a.sh").write_text(BAD)
    with pytest.raises(RookeryError, match=r"Can't find (none\.sh|\*\.none|no such file\.sh)\."):
        lint(name, fix=True)
    assert (here / "a.sh").read_text() == BAD


def test_a_list_that_is_longer_than_a_name_can_be(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"job{number}.sh" for number in range(200)]
    for name in names:
        (here / name).write_text(GOOD)
    assert lint(",".join(names), json=True) == 0
    assert list(report(capsys)) == names
    assert lint(*names, json=True) == 0
    assert list(report(capsys)) == names
    with pytest.raises(RookeryError, match=r"Can't find none\.sh\."):
        lint(",".join([*names, "none.sh"]))
    with pytest.raises(RookeryError, match=r"Can't find a{60}…\."):
        lint("a" * 5000)


def test_a_file_that_can_t_be_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(here / "pipe.sh")
    with pytest.raises(RookeryError, match="not a regular file"):
        lint("pipe.sh")
    assert not capsys.readouterr().out
    os.mkfifo(here / "other.sh")
    (here / "job.sh").write_text(BAD)
    with pytest.raises(RookeryError, match=r"2 files were not checked\. The first: pipe\.sh is not a regular file"):
        lint("pipe.sh", "other.sh", "job.sh")
    assert "job.sh:4: error RK601" in capsys.readouterr().out, "the others are checked"


def test_a_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        "deep/job.sbatch": BAD,
        "deep/helper.sh": "do_it() { :; }\n",
        "run_it": GOOD,
        "old.pbs": "#PBS -N a\nhostname\n",
        "old": "#!/bin/bash\n#$ -cwd\nhostname\n",
        "run_it.py": "#!/usr/bin/env python3\n#SBATCH --partition=Penguin\n",
        "notes.md": f"```bash\n{BAD}```\n",
        "make.py": "print('''\n#SBATCH --partition=x\n''')\n",
        ".git/hooks/x.sh": BAD,
    }.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    assert lint(".", json=True) == 1
    assert report(capsys) == {
        "deep/helper.sh": [],
        "deep/job.sbatch": ["RK601"],
        "old": ["RK107"],
        "old.pbs": ["RK101", "RK109"],
        "run_it": [],
        "run_it.py": ["RK301"],
    }


def test_an_empty_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(str(here)) == 0
    assert capsys.readouterr().out == "No job scripts here.\n"


@pytest.fixture
def project(here: Path) -> Path:
    (here / "rookery.yml").write_text(
        "name: x # mine\nclusters: [penguins]\noutputs: [results]\n"
        "jobs:\n  sim: {command: Rscript work.R, cpus: 8, memory: 1G, time: '00:05:00'}\n"
    )
    (here / "work.R").write_text("parallel::detectCores()\n")
    (here / "own.sh").write_text(GOOD.replace("Rscript", "#SBATCH -o slurm_logs/%j.out\nmkdir -p slurm_logs\nRscript"))
    return here


@pytest.mark.usefixtures("project")
def test_a_project_without_naming_files(capsys: pytest.CaptureFixture[str]) -> None:
    """Its scripts, and those that rookery.yml describes; a program that two of them run is told of once."""
    assert run.run(options.LintOptions(json=True)) == 1
    assert report(capsys) == {"own.sh": ["RK501", "RK701"], "slurm/sim.sh (rendered)": []}


def test_a_missing_log_folder_is_named_in_the_outputs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = (project / "own.sh").read_text()
    assert run.run(options.LintOptions(fix=True, json=True)) == 0
    assert report(capsys) == {"own.sh": ["RK701"], "slurm/sim.sh (rendered)": []}
    assert (project / "own.sh").read_text() == own
    text = (project / "rookery.yml").read_text()
    assert text.startswith("name: x # mine\nclusters: [penguins]\noutputs: [results, slurm_logs]\njobs:\n")


def test_a_folder_that_git_brings_along_is_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import subprocess

    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    (project / "slurm_logs").mkdir()
    assert run.run(options.LintOptions(files=("own.sh",))) == 1
    (project / "slurm_logs/.gitkeep").write_text("")
    assert run.run(options.LintOptions(files=("own.sh",))) == 0
    capsys.readouterr()


def test_outside_of_a_project_a_log_folder_is_a_warning(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "own.sh").write_text(GOOD.replace("Rscript", "#SBATCH -o slurm_logs/%j.out\nRscript"))
    assert lint("own.sh") == 0
    assert "mkdir -p slurm_logs" in capsys.readouterr().out
    (here / "slurm_logs").mkdir()
    assert lint("own.sh") == 0
    assert "No problems" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_nothing_named_and_no_project() -> None:
    with pytest.raises(RookeryError, match="Missing argument FILE"):
        lint()


def test_a_terminal_gets_no_control_characters(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(BAD.replace("work.R", "'\x1b]0;title\x07.R'"))
    assert lint("job.sh") == 1
    assert "\x1b" not in capsys.readouterr().out


def test_what_is_a_job_script() -> None:
    assert {".sh", ".sbatch"} <= set(discovery.SUFFIXES)


def test_the_next_command_names_what_it_fixes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "-a b.sh").write_text(BAD)
    (here / "good.sh").write_text(GOOD)
    lint("good.sh", "-a b.sh")
    assert "next: rookery lint './-a b.sh' --cluster penguins --fix" in capsys.readouterr().out
    (here / "many").mkdir()
    for number in range(30):
        (here / f"many/{number}.sh").write_text(BAD)
    lint("many/*.sh", "good.sh")
    assert "next: rookery lint many --cluster penguins --fix   # fixes 30 of them" in capsys.readouterr().out


def test_a_script_is_read_once_for_all_rules(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "job.sh").write_text(GOOD)
    shell, directives = [], []
    read_shell, read_directives = context.read_shell, context.read_directives
    monkeypatch.setattr(context, "read_shell", lambda text: shell.append(text) or read_shell(text))
    monkeypatch.setattr(
        context, "read_directives", lambda text, slurm: directives.append(text) or read_directives(text, slurm)
    )
    assert lint("job.sh", json=True) == 0
    assert (shell, directives) == ([GOOD], [GOOD])


def test_a_program_of_many_scripts_is_read_once(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import ast

    (project / "work.py").write_text("import os\nprint(os.cpu_count())\n")
    for number in range(20):
        text = GOOD.replace("Rscript work.R", f"#SBATCH -o elsewhere/%j.out\npython work.py {number}")
        (project / f"{number}.sh").write_text(text)
    (project / "elsewhere").mkdir()
    parsed, asked = [], []
    parse, git = ast.parse, project_files.git
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(text) or parse(text))
    monkeypatch.setattr(project_files, "git", lambda *words, **flags: asked.append(words) or git(*words, **flags))
    python_source.source.cache_clear()
    run.run(options.LintOptions(json=True))
    assert sum(codes == ["RK501", "RK702"] for codes in report(capsys).values()) == 1
    assert (len(parsed), len(asked)) == (1, 1)
