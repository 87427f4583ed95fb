"""How a command is changed so that its program runs under a profiler, and tables that come back."""

import base64
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.jobs.profiling import profilers, remote_files, top


@pytest.mark.parametrize(
    ("command", "wanted", "name"),
    [
        ("python simulate.py {row}", "", "cprofile"),
        ("cd a && python3.12 -u -m fit --n 3", "", "cprofile"),
        ("uv run python fit.py", "", "cprofile"),
        ("Rscript --vanilla 'my fit.R' {task}", "", "rprof"),
        ("python a.py; Rscript b.R", "rprof", "rprof"),
    ],
)
def test_the_profiler_suits_the_language(command: str, wanted: str, name: str) -> None:
    profiler = profilers.choose(command, wanted)
    assert profiler.name == name
    text = profilers.profiled(command, profiler, "slurm_logs/rookery-profile")
    assert ("-m cProfile" if name == "cprofile" else "ROOKERY_PROFILE_SCRIPT=") in text
    shell = text.replace("{", "").replace("}", "")
    subprocess.run(["sh", "-n"], input=shell, text=True, check=True)


def test_the_page_of_profvis_is_made_with_what_was_installed_for_the_run() -> None:
    """By an argument: in jobs, R takes its library from .rookery/Rprofile, whatever R_LIBS says."""
    lines = [
        profilers.profiled("Rscript fit.R", profilers.PROFILERS[name], "x").splitlines()[-1]
        for name in ("rprof", "profvis")
    ]
    report = 'Rscript rookery-profile/report.R "$ROOKERY_PROFILE"'
    assert lines == [report, f'{report} "$ROOKERY_RELEASE"/rookery-profile/tools']


# Stand-ins for what `profile` installs: they only look for the files that they are given.
TOOL = "import os, sys\nprint('profiled')\nassert all(map(os.path.isfile, (a for a in sys.argv if 'start.py' in a)))\n"
TOOLS = {
    "rookery-profile/tools/scalene.py": TOOL,
    "rookery-profile/tools/pyinstrument.py": TOOL,
    "rookery-profile/tools/bin/py-spy": "#!/bin/sh\necho profiled",
    "bin/R": '#!/bin/sh\nfor word; do [ ! -f "${word#--file=}" ] || echo profiled; done',
    "bin/Rscript": '#!/bin/sh\n[ -f "$1" ] && touch "$2/top.tsv"',
    "sub/fit.py": "print('profiled')",
}


@pytest.mark.parametrize("name", profilers.PROFILERS)
@pytest.mark.parametrize("command", ["(cd sub && {} 1)", "cd sub\n{} 1"])
def test_a_command_may_go_into_another_folder(tmp_path: Path, name: str, command: str) -> None:
    profiler = profilers.PROFILERS[name]
    release = tmp_path / "a release"
    needed = {file: paths.remote(source) for file, source in remote_files.needed(profiler).items()}
    for file, text in {**TOOLS, **needed}.items():
        (release / file).parent.mkdir(parents=True, exist_ok=True)
        (release / file).write_text(text)
        (release / file).chmod(0o755)
    program = "Rscript fit.R" if profiler.is_r else "python fit.py"
    script = "set -eu\n" + profilers.profiled(command.format(program), profiler, "logs/x")
    surroundings = {"PATH": f"{release}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh"], input=script, cwd=release, env=surroundings, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "profiled\n"), done.stderr
    assert (release / "logs/x/top.tsv").exists()


PROGRAM = """
import sys
from beside import where
print(__name__, sys.argv[1:], where, "rookery-profile" in "".join(sys.path))
"""


@pytest.mark.parametrize("mark", [[], ["--"]])
@pytest.mark.parametrize("program", [["study/fit.py"], ["-m", "study.fit"]])
def test_a_program_under_scalene_starts_as_python_starts_it(
    tmp_path: Path, program: list[str], mark: list[str]
) -> None:
    files = remote_files.needed(profilers.PROFILERS["scalene"])
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(paths.remote(source))
    (tmp_path / "study").mkdir()
    (tmp_path / "study/fit.py").write_text(PROGRAM)
    for folder in ("", "study/"):
        (tmp_path / folder / "beside.py").write_text(f"where = {folder!r}")
    outputs = []
    for before in ([], [profilers.START, *mark]):
        command = [sys.executable, *before, *program, "--n", "3"]
        surroundings = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert "__main__ ['--n', '3']" in outputs[0]


@pytest.mark.parametrize(
    ("command", "wanted", "message"),
    [
        ("bash work.sh", "", "starts no `python FILE`"),
        ("my-program --python x", "", "starts no `python FILE`"),
        ("python -c 'print(1)'", "", "starts no `python FILE`"),
        ("python a.py", "rprof", "rprof is for R"),
        ("Rscript a.R", "py-spy", "py-spy is for Python"),
    ],
)
def test_what_cannot_be_profiled_is_refused(command: str, wanted: str, message: str) -> None:
    with pytest.raises(RookeryError, match=message):
        profilers.choose(command, wanted)


def test_a_table_is_read_and_another_file_refused() -> None:
    whole, spots = top.read("3.5\n3.0\t3.5\t2\tfit.py:3\tslow\n")
    assert (whole, spots) == (3.5, [top.HotSpot(3.0, 3.5, 2, "fit.py:3", "slow")])
    for text in ("", "x", "nan\n", "1\n1\t2\n", "1\n-1\t1\t0\ta\tb\n"):
        with pytest.raises(RookeryError, match="Can't read the table"):
            top.read(text)


def test_a_profile_without_a_sample_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    top.show(0, [], "line", ["fit.py: no such file"])
    assert capsys.readouterr().out.splitlines() == [
        "The program computed for too short a time to be profiled (profile a longer task), or did not run.",
        "The end of the job's log:",
        "    fit.py: no such file",
    ]


def test_an_archive_brings_plain_files_alone() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in ("./1.prof", "../evil", ".bashrc", "a/b"):
            info = tarfile.TarInfo(name)
            info.size = 2
            archive.addfile(info, io.BytesIO(b"hi"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert remote_files.unpacked(base64.b64encode(stream.getvalue()).decode()) == {"1.prof": b"hi"}
    assert remote_files.unpacked("not an archive") == {}
