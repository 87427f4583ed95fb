"""From a laptop with nothing on it to a first combined result, as a newcomer goes that way, and stopped on it."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from laptop_projects import simulated
from laptops import NO_TOOLS, ROOKERY, Laptop, newcomer
from live import Live
from terminal import Terminal
from waiting import wait_for

pytestmark = pytest.mark.cluster

OWN = "# my clusters\nHost hec   # the old one\n\tHostName elsewhere.example\n\nHost *\n    Compression yes\n"
SETTINGS = '{\n  // mine\n  "editor.fontSize": 14,\n}\n'


@pytest.fixture(scope="module")
def wren(penguins: Live) -> Iterator[Laptop]:
    """Somebody whose key the cluster knows already."""
    person = newcomer(penguins, "wren")
    person.write(**NO_TOOLS)
    (person.home / ".ssh").mkdir(mode=0o700)
    key = person.home / ".ssh/id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = Path(f"{key}.pub").read_text()
    penguins.root_run(
        ["runuser", "-u", "wren", "--", "sh", "-c", "cat >~/.ssh/authorized_keys"], stdin=f"# mine\n{public.strip()}"
    )
    yield person
    person.rookery("logout")


@pytest.fixture(scope="module")
def otto(hec: Live) -> Iterator[Laptop]:
    """Somebody with a password, and with an ssh configuration of their own."""
    person = newcomer(hec, "otto")
    (person.home / ".ssh").mkdir(mode=0o700)
    (person.home / ".ssh/config").write_text(OWN)
    settings = person.home / ".config/Code/User/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    yield person
    person.rookery("logout")


@pytest.fixture
def agent(penguins: Live, tmp_path: Path) -> Iterator[tuple[Laptop, dict[str, str]]]:
    """Somebody whose key has a passphrase, with an ssh agent that holds nothing yet; and how to reach the agent."""
    person = newcomer(penguins, "lark")
    (person.home / ".ssh").mkdir(mode=0o700)
    key = person.home / ".ssh/id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)], check=True)
    socket = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    wait_for(Path(socket).exists)
    yield person, {"SSH_AUTH_SOCK": socket}
    process.terminate()
    process.wait()
    person.rookery("logout")


def killed_at(person: Laptop, mark: str, *arguments: str) -> str:
    """Run the command until it prints the mark, and kill it there with all that it started."""
    process = person.start("onboard", "--cluster", person.cluster, *arguments)
    output = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            output += line
            if mark in line:
                return output
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        _, error = process.communicate()
    raise AssertionError(f"it never came to {mark!r}:\n{output}\n{error}")


def test_stopped_by_kill_after_each_step_it_finishes(wren: Laptop) -> None:
    """Without a terminal, with a key: nothing is lost, done twice or asked."""
    flags = ("--user", "wren", "--name", "Wren", "--email", "wren@example.ac.uk", "--yes")
    steps = [f"[{number}/8]" for number in range(2, 9)]
    for mark in (*steps, "Deployed ", "(simulate) to penguins", "combined.csv: 1,000 rows"):
        killed_at(wren, mark, *flags)
    done = wren.rookery("onboard", "--cluster", "penguins", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    simulated(wren.home / "first-study/combined.csv")
    assert wren.says("sacct -nXo JobID,JobName | grep -c simulate") == "20"  # one array, submitted once
    assert len(list((wren.home / "first-study/runs").glob("*.json"))) == 1
    assert wren.says("grep -c ssh- ~/.ssh/authorized_keys") == "1"
    assert wren.says("head -n 1 ~/.ssh/authorized_keys") == "# mine"
    config = wren.home / ".ssh/config"
    assert config.read_text().count("Include") == 1
    completed = subprocess.run(
        ["ssh", "-F", str(config), "penguins", "id -un"], capture_output=True, text=True, check=True
    )
    assert completed.stdout == "wren\n"
    author = subprocess.run(
        ["git", "log", "--format=%an <%ae>"], cwd=wren.home / "first-study", capture_output=True, text=True, check=True
    )
    assert author.stdout == "Wren <wren@example.ac.uk>\n"
    assert [path for path in wren.home.iterdir() if not path.name.startswith(".")] == [wren.home / "first-study"]


def test_the_project_gets_a_second_cluster(wren: Laptop, hec: Live) -> None:
    """From within the project; its results and its table lie beside those of the first cluster."""
    study = wren.home / "first-study"
    before = (study / "combined.csv").read_bytes()
    account = hec.add_user("wren")
    variables = yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text())
    replace(wren, cluster="hec").write(**variables, **NO_TOOLS)
    done = subprocess.run(
        [str(ROOKERY), "onboard", "hec", "--yes"],
        env=wren.environment, cwd=study, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study / "combined.csv").read_bytes() == before
    simulated(study / "combined-hec.csv")
    files = [path.relative_to(study / "results").parts for path in study.glob("results/**/*.csv")]
    assert len(files) == 40
    assert len({parts[:-1] for parts in files}) == 2  # a folder for each run
    assert not (study / "first-study").exists()


def test_the_same_command_again_does_nothing_and_says_so(wren: Laptop) -> None:
    before = wren.tree()
    completed = wren.rookery("onboard", "--cluster", "penguins")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert "Nothing to do: your home on penguins is ready, and first-study has its" in completed.stdout
    assert "\n      rookery run simulate\n" in completed.stdout
    changed = set(wren.tree().splitlines()) ^ set(before.splitlines())
    assert not [line for line in changed if "/.local/state" not in line]


def test_somebody_else_on_the_same_laptop_is_kept_apart(wren: Laptop) -> None:
    completed = wren.rookery("onboard", "--cluster", "penguins", "--user", "bob")
    assert completed.returncode == 1
    assert "uses penguins as wren, not as bob" in completed.stderr
    logins = json.loads(wren.rookery("login", "penguins", "--json").stdout)["clusters"]
    assert [login["user"] for login in logins.values()] == ["wren"]


def test_a_key_of_the_users_own_configuration_that_works_is_used_and_no_other_made(penguins: Live) -> None:
    """It is named for the cluster's full host name alone, and lies where ssh would not look by itself."""
    person = newcomer(penguins, "robin")
    (person.home / ".ssh").mkdir(mode=0o700)
    key = person.home / "work keys/mine"
    key.parent.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = Path(f"{key}.pub").read_text()
    penguins.root_run(["runuser", "-u", "robin", "--", "sh", "-c", "cat >~/.ssh/authorized_keys"], stdin=public)
    (person.home / ".ssh/config").write_text(f'Host {penguins.address}\n  User robin\n  IdentityFile "{key}"\n')
    output = killed_at(person, "[6/6]", "--no-run", "--yes")
    person.rookery("logout")
    assert "robin on Penguins" in output
    assert "your ssh configuration already has a key that penguins accepts" in output
    assert output.count("no key is needed") == 1
    assert [path.name for path in (person.home / ".ssh").iterdir() if path.name.startswith("id_")] == []
    assert person.says("cat ~/.ssh/authorized_keys") == public.strip()
    host_vars = (person.inventory / "host_vars/penguins.yml").read_text()
    assert "cluster_user: robin" in host_vars
    assert "cluster_identity_file" not in host_vars


def test_without_an_account_the_mail_is_written(otto: Laptop) -> None:
    completed = otto.rookery("onboard", "--cluster", "hec", "--request", "--name", "Otto", "--email", "o@example.ac.uk")
    assert completed.returncode == 0
    assert "To: your supervisor" in completed.stdout
    assert "Your supervisor applies on the ISS HEC page." in completed.stdout
    silent = otto.rookery("onboard", "--cluster", "hec")
    assert silent.returncode == 1
    assert re.search(r"your username on hec\.\n  next: rookery onboard hec --user NAME", silent.stderr)
    with typing(otto) as screen:
        screen.answers("Your username there .*: $", "")
        screen.shows("You can send this email")
        assert screen.ends() == 1


def typing(person: Laptop, *arguments: str, **environment: str) -> Terminal:
    command = [str(ROOKERY), "onboard", "--cluster", person.cluster, *arguments]
    return Terminal(command, {**person.environment, "GIT_CONFIG_NOSYSTEM": "1", **environment}, person.home)


def test_a_key_with_a_passphrase_is_left_to_the_agent(agent: tuple[Laptop, dict[str, str]], penguins: Live) -> None:
    """The passphrase is asked for once, by ssh-add; the password once, by ssh; from then on the agent opens it."""
    person, reach = agent
    with typing(person, "--user", "lark", **reach) as screen:
        screen.answers(r"Enter passphrase for .*id_ed25519: $", "open sesame")
        screen.shows("your ssh agent holds the key")
        screen.answers("lark@.*password: $", penguins.miniature.password)
        screen.shows("installed the key: further logins need no password")
        screen.answers(r"Add this line to ~/.ssh/config.* \[Y/n\] $", "no")
        screen.shows("not added. For .*, add it at the top yourself")
        screen.shows(r"\[6/8\]")
        screen.presses("\x03")
        screen.shows("Stopped. Run the same command to continue.")
    assert not (person.home / ".ssh/config").exists()
    person.rookery("logout")
    with typing(person, **reach) as screen:
        screen.shows("your ssh agent holds the key.*connected; all further steps")
        assert "passphrase for" not in screen.seen
        screen.hangs_up()
    person.rookery("logout")
    completed = person.rookery("onboard", "--cluster", "penguins")
    assert "has a passphrase, and there is no terminal to ask for it" in completed.stderr


def test_with_a_password_first_and_everything_asked(otto: Laptop, hec: Live) -> None:
    """A wrong password three times; the terminal closed in the middle; then to the end, and a key from then on."""
    password = hec.miniature.password
    with typing(otto) as screen:
        screen.answers("Your username there .*: $", "-oProxyCommand=x")
        screen.shows("A username consists of letters")
        screen.answers("Your username there .*: $", "otto")
        for question in (r"Enter passphrase.*: $", r"again: $"):
            screen.answers(question, "")
        screen.shows(r"made ~/.ssh/id_ed25519")
        screen.shows(r"anybody who can read it can log in as you\. To set one:\s+`ssh-keygen -p -f ~/.ssh/id_ed")
        for _ in range(3):
            screen.answers("otto@.*password: $", "not it")
        screen.shows("hec: .* rejected the login of otto")
        screen.shows("next: rookery onboard (--cluster )?hec")
        assert screen.ends() == 1
    key = (otto.home / ".ssh/id_ed25519").read_bytes()
    screen = typing(otto, "--user", "otto")
    screen.shows(r"found ~/.ssh/id_ed25519")
    screen.answers("otto@.*password: $", password)
    screen.shows("installed the key: further logins need no password")
    screen.shows(r"`Host hec` is your own entry \(.*line 2\), and is kept")
    screen.answers(r"Another name for this cluster \[hec-otto\]: $", "my hec")
    screen.shows("'my hec' can't be a name for ssh")
    screen.answers(r"Another name for this cluster \[hec-otto\]: $", "")
    screen.answers(r"\+Include .*Add this line to ~/.ssh/config.* \[Y/n\] $", "yes")
    screen.shows(r"the file before that is in\s+.*config.before-rookery")
    screen.shows(r"\[6/8\] Your home on the cluster")
    screen.hangs_up()
    with typing(otto) as screen:
        screen.answers(r"Name of your first project.*\[first-study\]: $", "../my study", seconds=240)
        screen.answers(r"can't be a project's name.*\[my-study\]: $", "first-study")
        screen.answers("Language of your first project .*: $", "r")
        screen.answers("Your full name: $", 'Otto "O" Ü')
        screen.answers("Your email address: $", "o@example.ac.uk")
        screen.answers(r"for all your git repositories.* \[Y/n\] $", "n")
        screen.shows(r"estimate +1,000", 240)
        screen.shows("Done: your home on hec is ready, and first-study has its first result")
        assert screen.ends() == 0
        assert "password" not in screen.seen
    simulated(otto.home / "first-study/combined.csv")
    config = otto.home / ".ssh/config"
    assert config.read_text().endswith(OWN)
    assert (otto.home / ".ssh/config.before-rookery").read_text() == OWN
    assert (otto.home / ".ssh/id_ed25519").read_bytes() == key
    settings = (otto.home / ".config/Code/User/settings.json").read_text()
    assert '"hec-otto": "linux"' in settings
    assert settings.startswith('{\n  // mine\n  "editor.fontSize": 14,\n')
    otto.rookery("logout")
    completed = subprocess.run(
        ["ssh", "-F", str(config), "-o", "BatchMode=yes", "hec-otto", "echo $global_storage"],
        env=otto.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert completed.stdout.startswith("/"), completed.stderr
    record = json.loads(next((otto.home / "first-study/runs").glob("*.json")).read_text())
    assert (record["who"], record["cluster"]) == ("otto", "hec")


def test_undo_takes_the_laptops_side_back_too(otto: Laptop) -> None:
    """The line in ~/.ssh/config and the entry go; the key is named, and stays."""
    completed = otto.rookery("undo", "--cluster", "hec", "--purge", "--yes")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "removed: `ssh hec-otto`" in completed.stdout
    assert re.search(r"kept: your key \(.*/id_ed25519\)", completed.stdout)
    assert (otto.home / ".ssh/config").read_text() == OWN
    assert (otto.home / ".config/Code/User/settings.json").read_text() == SETTINGS
    assert not (otto.home / ".config/rookery/ssh_hosts").exists()
