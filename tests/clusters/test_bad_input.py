"""Bad input, and clusters that can't be logged in to: one clear line, exit code 1, nothing written anywhere."""

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from failures import ended, half_written, refused
from laptops import NO_TOOLS, Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster

RUN = "{{ lookup('pipe', 'touch ~/owned') }}"
SETUP = ("setup", "--cluster", "penguins", "--tags", "shell")


def profile_of(student: Laptop) -> Path:
    return student.inventory / "host_vars/penguins.yml"


def named(student: Laptop, file: Path) -> str:
    """A file of the person's, as messages name it, in a regular expression."""
    return re.escape(f"~/{file.relative_to(student.home)}")


@pytest.fixture(scope="module", autouse=True)
def unanswered(penguins: Live) -> Iterator["subprocess.Popen[str]"]:
    """A setup on a host that takes a connection and never says a word, begun early: it takes as long as ssh waits."""
    with socket.create_server(("127.9.9.9", 0)) as silent:
        student = laptop(penguins, "eve")
        student.write(cluster_host="127.9.9.9", cluster_port=silent.getsockname()[1])
        process = student.start(*SETUP)
        yield process
        process.kill()


@pytest.fixture(scope="module")
def everybody(penguins: Live) -> Laptop:
    return laptop(penguins, "bo")


@pytest.fixture
def student(everybody: Laptop) -> Iterator[Laptop]:
    """A person whose inventory is put right again afterwards."""
    right = profile_of(everybody).read_text()
    yield everybody
    profile_of(everybody).write_text(right)


def forget(student: Laptop, *keys: str) -> None:
    """Take keys out of the person's own profile of Penguins."""
    variables = yaml.safe_load(profile_of(student).read_text())
    profile_of(student).write_text(yaml.safe_dump({key: value for key, value in variables.items() if key not in keys}))


def hang_up(student: Laptop) -> None:
    """End the connection that the last run left open, so that the next one has to log in."""
    config = str(student.home / ".config/rookery/ssh_config")
    subprocess.run(["ssh", "-F", config, "-O", "exit", student.cluster], capture_output=True, check=False)


def new_key(path: Path) -> str:
    """Make a key; its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


def test_an_unknown_cluster(student: Laptop) -> None:
    completed = student.rookery("setup", "--cluster", "pengins")
    refused(completed, r"'pengins' \(did you mean penguins\?\)\. Clusters: penguins, hec, hex, bede\.$")


def test_an_unknown_role(student: Laptop) -> None:
    completed = student.rookery("setup", "--cluster", "penguins", "--tags", "shel")
    refused(completed, r"'shel' \(did you mean shell\?\)\. Known roles: cluster, shell, storage")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (lambda text: text + "cluster_os: [Debian\n", "not the last", r"this is not YAML"),
        (lambda text: f"cluster_prot: 22\n{text}", "1", r"unknown key `cluster_prot` .*`cluster_port`\?\)"),
        (lambda text: f"{text}cluster_vpn: {{needed: maybe}}\n", "last", r"`needed` must be one of "),
        (lambda text: text.replace("port: 22", "port: many"), "cluster_port", r"`cluster_port` must be a whole number"),
        (lambda text: f"{text}cluster_title: a\ncluster_title: b\n", "last", r"`cluster_title` is set twice"),
        (lambda _: "- penguins\n", "1", r"expected lines of `key: value`, found a list"),
        (lambda text: f"{text}tmux_history_lines: \"{RUN}\"\n", "last", r"`tmux_history_lines` must be a plain value"),
        (lambda text: f"{text}ansible_connection: local\n", "last", r"`ansible_connection` is not allowed: "),
    ],
    ids=["malformed", "unknown-key", "choice", "type", "twice", "list", "template", "ansible"],
)  # fmt: skip
def test_a_profile_that_is_not_right(student: Laptop, change: Callable[[str], str], line: str, says: str) -> None:
    """The file, the line, the key."""
    file = profile_of(student)
    file.write_text(change(file.read_text()))
    lines = file.read_text().splitlines()
    known = {"last": str(len(lines)), "not the last": r"\d+"}
    known |= {"cluster_port": str(1 + next((n for n, text in enumerate(lines) if text.startswith("cluster_port")), -1))}
    before = file.read_bytes()
    for flags in ((), ("--check",)):
        refused(student.rookery(*SETUP, *flags), rf"^{named(student, file)}:{known.get(line, line)}: {says}")
    assert file.read_bytes() == before
    assert not (student.home / "owned").exists()


def test_settings_that_no_role_can_follow_are_named_before_anything_is_done(student: Laptop) -> None:
    assert student.rookery(*SETUP).returncode == 0
    before = student.tree()
    student.write(tmux_history_lines="many", r_packages=[], python_build="perhaps")
    file = named(student, profile_of(student))
    completed = student.rookery("setup", "--cluster", "penguins")
    lines = refused(completed, rf"^{file}:\d+: `\w+` must be .*, not '(many|perhaps)'$", lines_alike=True)
    assert "`tmux_history_lines` must be a whole number" in lines
    assert "`python_build` must be true or false" in lines
    shown = student.rookery("clusters.show", "penguins").stdout
    assert re.search(r"tmux_history_lines +many", shown), "the hint leads to where it stands"
    assert student.tree() == before


def test_a_cluster_of_one_s_own_that_lacks_a_key(student: Laptop) -> None:
    file = student.inventory / "host_vars/mine.yml"
    file.write_text("cluster_host: mine.example.org\n")
    hosts = student.inventory / "hosts.yml"
    before = hosts.read_text()
    hosts.write_text(yaml.safe_dump({"all": {"hosts": {"penguins": None, "mine": None}}}))
    try:
        completed = student.rookery("setup", "--cluster", "mine")
        refused(completed, rf"^{named(student, file)}:1: missing key `cluster_\w+` \(\w", lines_alike=True)
        assert re.search(rf"  next: .*{named(student, file)}", completed.stderr)
    finally:
        file.unlink()
        hosts.write_text(before)


def test_no_username_and_then_one_that_is_remembered(student: Laptop) -> None:
    forget(student, "cluster_user")
    completed = student.rookery(*SETUP)
    refused(completed, r"^Missing username on Penguins .*\.$")
    assert f"rookery {' '.join(SETUP)} --user YOUR_USERNAME" in completed.stderr
    assert "cluster_user" not in profile_of(student).read_text()
    completed = student.rookery(*SETUP, "--user", "bo")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert yaml.safe_load(profile_of(student).read_text())["cluster_user"] == "bo"
    assert student.rookery(*SETUP).returncode == 0


@pytest.mark.parametrize(
    "name", ["a b", "a'b", 'a"b', "$(touch canary)", "`touch canary`", "-oProxyCommand=x", "a;b", "a\nb"]
)
def test_a_username_that_is_none(penguins: Live, student: Laptop, name: str) -> None:
    before = profile_of(student).read_bytes()
    refused(student.rookery(*SETUP, f"--user={name}"), "must be a username, not ")
    assert profile_of(student).read_bytes() == before
    profile_of(student).write_text(yaml.safe_dump({**yaml.safe_load(before), "cluster_user": name}))
    refused(student.rookery(*SETUP), rf"^{named(student, profile_of(student))}:\d+: `cluster_user` must be a username")
    assert not list(student.home.rglob("canary"))
    assert not half_written(penguins, student)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cluster_port": 1}, r"refuses connections on port 1: no ssh server is running there"),
        ({"cluster_host": "no-such-host.invalid"}, r"can't find no-such-host\.invalid: are you online"),
        ({"cluster_user": "nobody-there"}, r"rejected key .* for nobody-there"),
        ({"cluster_identity_file": "~/no such key"}, r"can't find the key file .*/no such key\.$"),
    ],
    ids=["port", "name", "user", "key-file"],
)
def test_a_cluster_that_cannot_be_logged_in_to(student: Laptop, change: dict[str, object], says: str) -> None:
    hang_up(student)
    student.write(**change)
    refused(student.rookery(*SETUP), rf"^penguins: .*{says}")


def test_a_key_that_is_refused(student: Laptop) -> None:
    hang_up(student)
    new_key(student.home / "a strange key")
    student.write(cluster_identity_file=str(student.home / "a strange key"))
    line = refused(student.rookery(*SETUP), r"^penguins: .* rejected key .* for bo\b")
    assert "a strange key" in line


def test_host_keys(penguins: Live, student: Laptop) -> None:
    known_hosts, right = student.home / "known hosts", yaml.safe_load(profile_of(student).read_text())
    (key,) = right["cluster_host_keys"]
    fingerprint, wrong = key["fingerprint"], {**key, "fingerprint": "SHA256:" + "A" * 43}
    student.write(cluster_known_hosts_file=str(known_hosts))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        hang_up(student)
        return student.rookery(*SETUP, *arguments)

    forget(student, "cluster_host_keys")  # nobody has said what it is
    completed = run()
    refused(completed, rf"unknown host key of .*: {re.escape(fingerprint)}")
    assert f"--accept-host-key {fingerprint}" in completed.stderr
    completed = run("--accept-host-key", wrong["fingerprint"])
    refused(completed, rf"has the host key {re.escape(fingerprint)}, not SHA256:AAA")

    student.write(cluster_host_keys=[wrong])  # another one is published: nobody's word helps
    refused(run(), r"but the published one is SHA256:AAA.*Nothing was sent")
    refused(run("--accept-host-key", fingerprint), r"but the published one is SHA256:AAA")
    assert not known_hosts.exists()

    forget(student, "cluster_host_keys")
    assert run("--accept-host-key", fingerprint).returncode == 0
    assert known_hosts.read_text().startswith(f"[{penguins.address}]:{penguins.port} ssh-ed25519 ")
    assert run().returncode == 0  # remembered

    known_hosts.unlink()
    student.write(cluster_host_keys=[key])
    completed = run()
    assert (completed.returncode, completed.stderr.count(f"{fingerprint} (ssh-ed25519) matches the published one")) == (
        0,
        1,
    )

    forget(student, "cluster_host_keys")
    known_hosts.write_text(f"[{penguins.address}]:{penguins.port} {new_key(student.home / 'of another host')}\n")
    before = known_hosts.read_bytes()
    completed = run()
    refused(completed, rf"has changed: it is now {re.escape(fingerprint)} .*Nothing was sent")
    assert "ssh-keygen -R" in completed.stderr
    assert known_hosts.read_bytes() == before
    assert not half_written(penguins, student)


def test_a_host_that_never_answers(unanswered: "subprocess.Popen[str]") -> None:
    refused(
        ended(unanswered),
        r"^penguins: no answer from 127\.9\.9\.9 \(port \d+\) \(connection timed out\): are you online",
    )


def test_paths_with_a_space_a_quote_and_a_command(penguins: Live) -> None:
    """The home on this side, and with it the inventory, the state, the key and known_hosts."""
    first = laptop(penguins, "cleo", settings=NO_TOOLS)
    odd = first.home.with_name("""it's "my" $(touch canary) home %h""")
    shutil.move(first.home, odd)
    student = Laptop(odd, "penguins", "cleo")
    keys = odd / ".local/state/rookery/sandbox"
    student.write(
        cluster_identity_file=str(keys / "id_ed25519"),
        cluster_known_hosts_file=str(keys / "known_hosts"),
    )
    assert student.setup()["state"] == "ok"
    assert student.says("uv --version").startswith("uv ")
    assert student.setup("--force")["changed"] == 0
    assert not list(odd.parent.rglob("canary"))
    assert "canary" not in student.says("ls -A")
