"""`lint --translate`: what is printed, what is written, and what is refused."""

import json
import stat
from pathlib import Path

import pytest
from user_home import shared_cache

from rookery.core.errors import RookeryError
from rookery.jobs import options
from rookery.jobs.lint import run

PBS = "#PBS -N seals\n#PBS -q workq\n#PBS -l walltime=1:00:00,mem=1gb\n#PBS -j oe\ncd $PBS_O_WORKDIR\nRscript work.R\n"
SLURM = """\
#!/bin/bash
#SBATCH --job-name=seals
##PBS -q workq
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#SBATCH --output=%x.o%j
cd $SLURM_SUBMIT_DIR
Rscript work.R
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", shared_cache())
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "job.pbs").write_text(PBS)
    return folder


def translate(*files: str, **flags: bool | str) -> int:
    return run.run(options.LintOptions(files=files, cluster="penguins", translate=True, **flags))


def test_the_script_is_printed_and_what_is_to_be_checked_beside_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translate("job.pbs") == 0
    printed = capsys.readouterr()
    assert printed.out == SLURM
    assert printed.err.replace("\n", " ").split("  next: ") == [
        "job.pbs:2: -q workq: penguins has no partition workq: choose one of PenguinPartition. "
        "Translated 1 script from PBS for penguins: 1 note ",
        "rookery lint --translate job.pbs --cluster penguins --fix   # writes job.slurm ",
    ]
    assert [path.name for path in here.iterdir()] == ["job.pbs"]


def test_several_scripts_have_their_names_above_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "b.sge").write_text("#!/bin/bash\n#$ -cwd\n#$ -N b\n#$ -j y\nRscript work.R\n")
    (here / "own.sh").write_text("#!/bin/bash\n#SBATCH --time=5\nls\n")
    assert translate("job.pbs", "b.sge") == 0
    assert capsys.readouterr().out.startswith(f"# job.pbs\n{SLURM}\n# b.sge\n#!/bin/bash\n#SBATCH --job-name=b\n")
    translate(".")  # what is in no need of it is passed over in a folder
    assert "own.sh" not in capsys.readouterr().out


def test_fix_writes_beside_and_keeps_the_original(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.pbs").chmod(0o750)
    assert translate("job.pbs", fix=True, check=True) == 0
    assert capsys.readouterr().out == "job.slurm would be written\n"
    assert not (here / "job.slurm").exists()
    assert translate("job.pbs", fix=True) == 0
    assert capsys.readouterr().out == "job.slurm written\n"
    assert (here / "job.slurm").read_text() == SLURM
    assert (here / "job.pbs").read_text() == PBS
    assert stat.S_IMODE((here / "job.slurm").stat().st_mode) == 0o750
    before = (here / "job.slurm").stat()
    assert translate("job.pbs", fix=True) == 0
    assert capsys.readouterr().out == "job.slurm is up to date\n"
    assert (here / "job.slurm").stat().st_ino == before.st_ino


def test_nothing_is_written_over(here: Path) -> None:
    (here / "job.slurm").write_text("mine\n")
    with pytest.raises(RookeryError, match=r"job\.slurm exists, .* nothing was written") as refused:
        translate("job.pbs", fix=True)
    assert refused.value.hint == "mv job.slurm job.slurm.old"
    assert (here / "job.slurm").read_text() == "mine\n"
    (here / "job.sge").write_text("#$ -cwd\nls\n")
    with pytest.raises(RookeryError, match=r"job\.pbs and job\.sge would both become job\.slurm"):
        translate("job.pbs", "job.sge", fix=True)


def test_fix_makes_the_safe_fixes_too(here: Path) -> None:
    (here / "job.pbs").write_text(PBS.replace("Rscript", "RScript"))
    assert translate("job.pbs") == 1
    assert translate("job.pbs", fix=True) == 0
    assert (here / "job.slurm").read_text() == SLURM


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert translate("job.pbs", json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert {key: document[key] for key in ("cluster", "errors", "warnings")} == {
        "cluster": "penguins",
        "errors": 0,
        "warnings": 0,
    }
    why = "penguins has no partition workq: choose one of PenguinPartition."
    assert document["files"] == [
        {
            "path": "job.pbs",
            "scheduler": "PBS",
            "target": None,
            "text": SLURM,
            "notes": [{"line": 2, "text": "-q workq", "why": why}],
            "findings": [],
        }
    ]


def test_an_original_beside_its_translation_is_checked_only_by_name(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def checked(*files: str) -> list[str]:
        capsys.readouterr()
        run.run(options.LintOptions(files=files, cluster="penguins", json=True))
        return [file["path"] for file in json.loads(capsys.readouterr().out)["files"]]

    assert checked(".") == ["job.pbs"]
    translate(".", fix=True)
    assert checked(".") == ["job.slurm"]
    assert checked("job.pbs") == ["job.pbs"]
    assert checked("*") == ["job.pbs", "job.slurm"]
    translate(".", fix=True)
    assert "is up to date" in capsys.readouterr().out
    (here / "job.pbs").write_text("#!/bin/bash\n#SBATCH --mem=1G\n")
    assert checked(".") == ["job.pbs", "job.slurm"]


def test_formats(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert translate("job.pbs", format="json") == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["text"] == SLURM
    with pytest.raises(RookeryError, match="--format sarif is for findings"):
        translate("job.pbs", format="sarif", fix=True)
    assert not (here / "job.slurm").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/bash\nls\n", "has no lines of PBS, SGE or LSF"),
        ("#!/bin/bash\n#SBATCH --time=5\n#PBS -N a\nls\n", "has #SBATCH lines already"),
        ("\0#PBS -N a\n", "has no lines of PBS, SGE or LSF"),
        ("", "has no lines of PBS, SGE or LSF"),
    ],
)
def test_files_with_nothing_to_translate(here: Path, text: str, reason: str) -> None:
    (here / "own.sh").write_text(text)
    with pytest.raises(RookeryError, match=reason) as refused:
        translate("own.sh")
    assert refused.value.hint == "invoke lint own.sh --cluster penguins"


def test_no_file_and_no_such_file() -> None:
    with pytest.raises(RookeryError, match="Missing argument FILE"):
        translate()
    with pytest.raises(RookeryError, match=r"Can't find none\.pbs"):
        translate("none.pbs")


def test_a_file_that_slurm_would_not_take_is_refused(here: Path) -> None:
    """No more than its beginning is read: the rest would be missing."""
    (here / "job.pbs").write_text(PBS + "#" * 9_000_000)
    with pytest.raises(RookeryError, match=r"job\.pbs: Too large for a job script: Slurm accepts at most 4 MB"):
        translate("job.pbs", fix=True)
    assert not (here / "job.slurm").exists()


def test_bytes_that_are_not_text_are_printed_as_they_are(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (here / "job.pbs").write_bytes(b"#!/bin/bash\n#PBS -j oe\ncd caf\xe9 # \xe2\x82\xac\n")
    translate("job.pbs")
    assert capfdbinary.readouterr().out.endswith(b"\ncd caf\xe9 # \xe2\x82\xac\n")
    translate("job.pbs", json=True)
    document = json.loads(capfdbinary.readouterr().out)
    assert document["files"][0]["text"].endswith("\ncd caf\ufffd # \u20ac\n")


def test_bytes_that_are_not_text_are_kept(here: Path) -> None:
    (here / "job.pbs").write_bytes(b"#PBS -N a\r\n#PBS -j oe\r\ncd x # \xff\r\n")
    translate("job.pbs", fix=True)
    assert (here / "job.slurm").read_bytes().replace(b"\r", b"") == (
        b"#!/bin/bash\n#SBATCH --job-name=a\n#SBATCH --output=%x.o%j\ncd x # \xff\n"
    )


def test_a_job_of_rookery_yml_means_its_own_script(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = "jobs:\n  own: {script: job.pbs}\n  sim: {command: a}\n"
    (here / "rookery.yml").write_text(f"name: x\nclusters: [penguins]\n{jobs}")
    assert run.run(options.LintOptions(files=("own",), translate=True)) == 0
    assert capsys.readouterr().out == SLURM
    with pytest.raises(RookeryError, match=r"The script of sim is made from rookery\.yml"):
        translate("sim")


@pytest.mark.parametrize(("name", "target"), [("job.pbs", "job.slurm"), ("x.slurm", "x.sbatch")])
def test_a_script_with_its_translation_beside_it_is_not_checked_with_others(
    here: Path, name: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "job.pbs").rename(here / name)
    lint = options.LintOptions(files=(".",), cluster="penguins", json=True)
    run.run(lint)
    assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == [name]
    translate(name, fix=True)
    capsys.readouterr()
    run.run(lint)
    assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == [target]


def test_lint_names_the_command_that_translates(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "deep").mkdir()
    (here / "job.pbs").rename(here / "deep/a job.pbs")
    run.run(options.LintOptions(files=("deep",), cluster="penguins"))
    out = capsys.readouterr().out
    assert "next: rookery lint --translate 'deep/a job.pbs' --cluster penguins   # prints it for Slurm\n" in out
