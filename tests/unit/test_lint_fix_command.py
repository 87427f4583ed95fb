"""`lint --fix` as a command: what it writes, what it says that it did, and how it ends."""

import json
import stat
from pathlib import Path

import pytest

from rookery.jobs import options
from rookery.jobs.lint import run

GOOD = "#!/bin/bash\n#SBATCH --partition=PenguinPartition\n#SBATCH --mem=1G\nRscript work.R\n"
BAD = GOOD.replace("Rscript", "RScript")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*files: str, **flags: bool) -> int:
    return run.run(options.LintOptions(files=files, cluster="penguins", fix=True, **flags))


def test_nothing_to_fix(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(GOOD)
    assert lint("job.sh") == 0
    assert capsys.readouterr().out == "Nothing to fix: no problems in 1 script for penguins\n"


def test_fix_writes_what_is_safe_and_keeps_the_rest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = here / "job.sh"
    script.write_bytes(
        b"#!/bin/bash\n#SBATCH -p Penguin # \xe9\xff\n#SBATCH -J 'a\tb'\nRScript 'caf\xc3\xa9.R'  \n\n\n# end"
    )
    script.chmod(0o750)
    (here / "link.sh").symlink_to("job.sh")
    assert lint("link.sh") == 0
    fixed = (
        b"#!/bin/bash\n#SBATCH -p PenguinPartition # \xe9\xff\n#SBATCH -J 'a\tb'\nRscript 'caf\xc3\xa9.R'  \n\n\n# end"
    )
    assert script.read_bytes() == fixed
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert (here / "link.sh").is_symlink()
    assert sorted(path.name for path in here.iterdir()) == ["job.sh", "link.sh"]
    assert "fixed RK601" in capsys.readouterr().out
    before = script.stat()
    assert lint("job.sh") == 0
    assert script.stat().st_ino == before.st_ino, "a file with nothing to mend is not written"


def test_fix_tells_in_json_what_it_did(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text(BAD.replace("--mem=1G", "--gres=gpu:1"))
    assert lint("job.sh", json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["errors"] == 1
    assert [finding["code"] for finding in document["files"][0]["mended"]] == ["RK601"]
    assert set(document["files"][0]["findings"][0]) == {"code", "path", "line", "severity", "why", "mended", "safe"}


def test_all_that_a_fix_changes_is_reported(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also what another fix reveals, and beside a finding of the same kind that stays; with the lines as they were."""
    slips = "#SBATCH --walltime=1:0:0\n#SBATCH --name=x\n#SBATCH --pty\n"
    (here / "job.sh").write_bytes(f"\n#!/bin/bash\r\n{slips}set -e\n#SBATCH --mem=1G\nRScript work.R\n".encode())
    assert lint("job.sh", check=True, json=True) == 1
    document = json.loads(capsys.readouterr().out)["files"][0]
    fixed = {(finding["code"], finding["line"]) for finding in document["mended"]}
    assert fixed >= {("RK101", 1), ("RK102", 2), ("RK209", 3), ("RK209", 4), ("RK201", 7), ("RK601", 8)}
    assert "RK209" in [finding["code"] for finding in document["findings"]]
    assert lint("job.sh", json=True) == 1
    assert json.loads(capsys.readouterr().out)["files"][0] == document


def test_a_check_of_the_fixes_fails_where_the_file_has_errors(here: Path) -> None:
    (here / "job.sh").write_text(BAD)
    assert lint("job.sh", check=True) == 1
    assert lint("job.sh") == 0
    assert lint("job.sh", check=True) == 0
