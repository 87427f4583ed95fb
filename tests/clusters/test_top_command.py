"""`rookery top` by keys in a real terminal: a miniature whose line is cut, beside a cluster that does not answer."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from laptops import ROOKERY, Laptop, laptop
from live import Live
from tmux_screens import Screen
from waiting import wait_for

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def student(hec: Live) -> Laptop:
    """Somebody with an account on hec, and one on penguins, which does not answer."""
    student = laptop(hec, "topper")
    replace(student, cluster="penguins").write(cluster_host="127.0.0.1", cluster_port=1, cluster_user="topper")
    assert student.rookery("jobs", "--cluster", "hec").returncode == 0
    return student


@pytest.fixture
def screen(student: Laptop) -> Iterator[Screen]:
    made = Screen(student.environment)
    try:
        yield made
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            made.tmux("kill-server")


def test_a_job_is_seen_its_log_opened_and_it_is_cancelled(student: Laptop, screen: Screen) -> None:
    one = student.says("sbatch --parsable -J night -o night.log --wrap 'echo first; while sleep 1; do echo more; done'")
    many = student.says("sbatch --parsable -J many -o /dev/null --array=1-12%2 --wrap 'test $SLURM_ARRAY_TASK_ID != 1'")
    screen.types(f"{ROOKERY} top\n")
    screen.shows("night", "many", "penguins does not answer", f"$ rookery jobs {many} --cluster hec")
    screen.presses("Enter")
    screen.shows(f"hec {many} many", "✗ failed", f"$ rookery logs {many}_1 --cluster hec --follow")
    screen.presses("Escape")
    screen.shows("rookery top")
    screen.types("/night")
    screen.presses("Enter")
    screen.shows('filter "night": 1', f"$ rookery jobs {one}")
    screen.types("l")
    screen.shows("night.log", "first", "more", "following")
    screen.presses("C-z")  # to the shell and back
    screen.shows("Stopped")
    screen.types("fg; echo ended: $?\n")
    screen.shows("first", "following")
    config = student.home / ".config/rookery/ssh_config"
    subprocess.run(["ssh", "-F", config, "-O", "exit", "hec"], env=student.environment, capture_output=True, check=True)
    screen.shows("Trying again")  # the line is cut
    screen.shows("first", "following")
    screen.presses("Escape")
    screen.shows("hec 2", f"$ rookery jobs {one}")
    screen.types("c")
    screen.shows(f"Cancel job {one} (night) on hec?", f"$ rookery cancel {one} --cluster hec")
    screen.types("y")
    screen.shows("cancelled")
    wait_for(lambda: not student.says(f"squeue -h -t R -j {one} 2>/dev/null || true"))
    screen.types("q")
    screen.shows("ended: 0")
    wait_for(lambda: not student.says("pgrep -u $(id -u) -f '[r]ookery.remote.slurm' || true"))
    screen.types("stty -a\n")
    screen.shows(" icanon", " echo ")


@pytest.mark.parametrize(("signal", "code"), [("INT", 130), ("TERM", 143)])
def test_a_signal_leaves_the_terminal_as_it_was(screen: Screen, signal: str, code: int) -> None:
    screen.types(f"{ROOKERY} top --cluster hec; echo ended: $?\n")
    screen.shows("rookery top", "hec ")
    pid = screen.tmux("list-panes", "-F", "#{pane_pid}").strip()
    child = subprocess.run(["pgrep", "-P", pid], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["kill", f"-{signal}", *child], check=True)
    screen.shows(f"ended: {code}")
    screen.types("stty -a\n")
    screen.shows(" icanon", " echo ")
