"""Ctrl-C at each question of each command: it ends there, in one line, and the same command goes on later."""

import re
import subprocess

import pytest
from failures import half_written
from laptops import ROOKERY, Laptop, laptop, newcomer
from live import Live
from terminal import Terminal

pytestmark = pytest.mark.cluster
STOPPED = "Stopped. Run the same command to continue."


def typing(person: Laptop, *arguments: str) -> Terminal:
    environment = {**person.environment, "GIT_CONFIG_NOSYSTEM": "1"}
    return Terminal([str(ROOKERY), *arguments, "--cluster", person.cluster], environment, person.home)


def test_each_question_of_onboarding(hec: Live) -> None:
    """Whoever stops at one question after the other, each time in a new run, comes to the end all the same."""
    person = newcomer(hec, "ilka")
    (person.home / ".ssh").mkdir(mode=0o700)
    own = "Host *\n    Compression yes\n"
    (person.home / ".ssh/config").write_text(own)
    answers = {
        r"Your username there .*: $": "ilka",
        r"Enter passphrase (?:for|\(empty).*: $": "",
        r"Enter same passphrase again: $": "",
        r"ilka@.*password: $": hec.miniature.password,
        r"Add this line to ~/.ssh/config.* \[Y/n\] $": "yes",
        r"Name of your first project.*: $": "first-study",
        r"Language of your first project .*: $": "python",
        r"Your full name: $": "Ilka",
        r"Your email address: $": "i@example.ac.uk",
        r"for all your git repositories.* \[Y/n\] $": "yes",
    }
    stopped_at: list[str] = []
    while len(stopped_at) < len(answers):
        with typing(person, "onboard") as screen:
            while (prompt := asks(screen, answers)) in stopped_at:
                screen.types(answers[prompt])
            screen.presses_until("\x03", STOPPED)
            assert screen.ends() == 130, screen.seen
        stopped_at.append(prompt)
        assert "Traceback" not in screen.seen
        assert not half_written(hec, person), prompt
        assert own in (person.home / ".ssh/config").read_text()
    with typing(person, "onboard") as screen:
        while (prompt := asks(screen, {**answers, "Done: your home on hec is ready": ""})) in answers:
            screen.types(answers[prompt])
        assert screen.ends() == 0
    assert person.says("sacct --noheader --allocations --format=JobName | sort -u").split() == ["simulate"]
    person.rookery("logout")


def asks(screen: Terminal, questions: dict[str, str]) -> str:
    """Wait for one of the questions; which it is."""
    begin = screen.read_to
    screen.shows("|".join(f"(?:{question})" for question in questions), 240)
    shown = screen.seen[begin : screen.read_to]
    return next(question for question in questions if re.search(question, shown, re.DOTALL))


@pytest.fixture(scope="module")
def imke(penguins: Live) -> Laptop:
    """A home that is set up, with a job that waits."""
    person = laptop(penguins, "imke")
    person.setup("--tags", "shell,storage,tmux")
    return person


def test_before_a_home_is_taken_back(imke: Laptop) -> None:
    before = imke.tree()
    with typing(imke, "undo") as screen:
        screen.shows(r"Undo these changes\? \[y/N\] $")
        screen.presses("\x03")
        screen.shows(STOPPED)
        assert screen.ends() == 130
    assert imke.tree() == before


def test_before_jobs_are_cancelled(imke: Laptop) -> None:
    number = imke.says("sbatch --parsable --hold --array=1-2 --wrap hostname")
    with typing(imke, "cancel", number) as screen:
        screen.shows(r"Cancel .*\? \[y/N\] $")
        screen.presses("\x03")
        screen.shows(STOPPED)
        assert screen.ends() == 130
    assert imke.says("squeue --me --noheader --format=%F") == number
    imke.says(f"scancel {number}")


def test_before_servers_of_vs_code_are_removed(imke: Laptop) -> None:
    old, new = (f".vscode-server/bin/{digit * 40}" for digit in "12")
    imke.says(f"mkdir -p {old} {new}; touch -d '2020-01-01' {old}/x {old}; touch {new}/x")
    with typing(imke, "vscode.prune") as screen:
        screen.shows(r"Remove .*\? \[y/N\] $")
        screen.presses("\x03")
        screen.shows(STOPPED)
        assert screen.ends() == 130
    imke.says(f"ls {old}/x")


def test_at_a_host_key_that_is_typed(hec: Live) -> None:
    """Nothing is kept of a host that is not known, and nothing was sent to it."""
    person = newcomer(hec, "ike")
    person.write(cluster_host_keys=[])
    with typing(person, "onboard", "--user", "ike") as screen:
        screen.shows(r"Is it the same\? \(yes, no, or the published fingerprint\) $")
        screen.presses("\x03")
        screen.shows(STOPPED)
        assert screen.ends() == 130
    known = subprocess.run(["grep", "-rl", hec.miniature.address, person.home / ".ssh", person.home / ".local"],
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert not [path for path in known.stdout.split() if "known_hosts" in path]
