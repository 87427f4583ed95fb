"""`python_build`: Python compiled in a Slurm job; its log shown as it grows, its end told, a job found again.

pyenv and Slurm are real. What is compiled is, but for one test, a definition of pyenv's that takes no time.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest
from failures import ended, half_written, kill_all, refused
from laptops import Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

SETUP = ("setup", "--cluster", "penguins", "--tags", "python")
DEFINITION = """
echo "begun on $(uname -n)"
date >>~/compiled-{version}
mkdir -p "$PREFIX_PATH/bin"
printf '#!/bin/sh\\necho Python {version}\\n' >"$PREFIX_PATH/bin/python{minor}"
chmod 755 "$PREFIX_PATH/bin/python{minor}"
{body}
"""
UNTIL_TOLD = "while ! [ -e ~/go-on ]; do sleep 0.1; done; echo goes on"


@pytest.fixture(scope="module")
def student(penguins: Live) -> Laptop:
    """Somebody with pyenv and a prebuilt Python."""
    made = laptop(penguins, "tove")
    made.setup("--tags", "python")
    return made


def ask_for(student: Laptop, version: str, body: str = ":") -> None:
    """Tell pyenv how to make a version, and setup to have it compiled."""
    minor = version.rpartition(".")[0]
    definition = f".pyenv/plugins/python-build/share/python-build/{version}"
    completed = student.ssh(f"cat >{definition}", stdin=DEFINITION.format(version=version, minor=minor, body=body))
    assert completed.returncode == 0, completed.stderr
    student.write(python_build=True, python_versions=[version], python_build_cpus=1)


def begun(process: "subprocess.Popen[str]") -> Iterator[str]:
    """The lines of a setup, up to the first of the job's log."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if "begun on" in line:
            return
    pytest.fail(f"it ended before a job began: {process.communicate()}")


def compiled(student: Laptop, version: str) -> int:
    """How many times a version was compiled, or begun to be."""
    return int(student.says(f"cat compiled-{version} 2>/dev/null | wc -l"))


def test_the_log_is_shown_as_it_grows(student: Laptop) -> None:
    student.says("rm -f go-on")
    ask_for(student, "9.1.0", UNTIL_TOLD)
    process = student.start(*SETUP)
    first = list(begun(process))
    assert re.search(r"Compile Python 9\.1\.0: Slurm job \d+", first[0])
    assert re.search(r"begun on wn\d+$", first[-1].rstrip())  # a compute node; and the job waits, so this came early
    student.says("touch go-on")
    completed = ended(process)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "goes on" in completed.stdout
    assert "rookery-made" not in completed.stdout
    assert student.says("cat .pyenv/version") == "9.1.0"
    assert student.setup("--tags", "python")["changed"] == 0
    assert compiled(student, "9.1.0") == 1


def test_a_compilation_that_fails(penguins: Live, student: Laptop) -> None:
    ask_for(student, "9.2.0", "echo 'no C compiler here' >&2; exit 3")
    refused(student.rookery(*SETUP), r"Compile Python 9\.2\.0 failed \(exit code 3\): no C compiler here \(")
    ask_for(student, "9.2.0")
    student.setup("--tags", "python")
    assert compiled(student, "9.2.0") == 2
    assert not half_written(penguins, student)


def test_a_job_that_is_cancelled(student: Laptop) -> None:
    """What it left looks like a Python; it is not taken for one."""
    student.says("rm -f go-on")
    ask_for(student, "9.3.0", UNTIL_TOLD)
    process = student.start(*SETUP)
    assert list(begun(process))
    student.says(f"scancel --user {student.user}")
    refused(ended(process), r"Slurm ended job \d+ before its command had finished \(CANCELLED")
    student.says("touch go-on")
    student.setup("--tags", "python")
    assert compiled(student, "9.3.0") == 2
    assert student.says("cat .pyenv/version") == "9.3.0"


def test_a_partition_that_there_is_not(student: Laptop) -> None:
    """Slurm's own words are shown. `Penguin` is the training page's slip."""
    ask_for(student, "9.4.0")
    file = student.inventory / "host_vars/penguins.yml"
    right = file.read_text()
    partition = {"name": "Penguin", "for": "any", "purpose": "everything"}
    student.write(cluster_default_partition="Penguin", cluster_partitions=[partition])
    refused(student.rookery(*SETUP), "Slurm rejected the job: .*Invalid partition name specified")
    file.write_text(right)
    student.setup("--tags", "python")
    assert compiled(student, "9.4.0") == 1


def test_a_job_that_outlives_this_side_is_found_again(penguins: Live, student: Laptop) -> None:
    student.says("rm -f go-on")
    ask_for(student, "9.5.0", UNTIL_TOLD)
    process = student.start(*SETUP)
    (job_line,) = [line for line in begun(process) if "Slurm job" in line]
    kill_all(process)
    ended(process)
    assert "rookery-compile" in student.says("squeue --noheader --me --format=%j")
    process = student.start(*SETUP)
    assert job_line in list(begun(process))  # the same job, and its log from the start
    student.says("touch go-on")
    completed = ended(process)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert compiled(student, "9.5.0") == 1
    wait_for(lambda: not student.says("squeue --noheader --me"))
    assert not half_written(penguins, student)
