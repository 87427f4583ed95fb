"""`doctor` on the way to a cluster and on this computer: one fault at a time; and what it prints and reports."""

import base64
import hmac
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from doctor_runs import Home, Wayfarer, all_is_well, checks, disconnected, home_on, names, names_alone, setting
from laptops import ROOKERY
from live import Live
from live import home as home_here
from terminal import Terminal

from rookery.sandbox import lifecycle
from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def pip(penguins: Live) -> Iterator[Home]:
    """Set up on Penguins, once."""
    home = home_on(penguins, "doctor-pip")
    yield home
    home.laptop.rookery("logout")


@pytest.fixture
def way(pip: Home, tmp_path: Path) -> Iterator[Wayfarer]:
    """The connection is closed before and after."""
    with disconnected(pip, tmp_path) as wayfarer:
        yield wayfarer


def test_no_such_host(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_host="icefloe.invalid")
    answer = way.doctor()
    assert names(answer) == ["dns"]
    assert "check your network and the VPN" in checks(answer)["dns"]["fix"]
    skipped = names(answer, "skipped")
    assert skipped[:2] == ["vpn", "port"]
    assert {"host-key", "key", "connection", "home-writable", "job"} <= set(skipped)


def test_nobody_listens(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_port=1)
    fault = names_alone(way, "port")
    assert "cluster_port" in fault["fix"]


def test_a_vpn_that_is_not_up(way: Wayfarer) -> None:
    """The host has an address and does not answer."""
    with closing(socket.socket()) as deaf, closing(socket.socket()) as first, closing(socket.socket()) as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)  # one connection fits into the queue: who comes after it hears nothing
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        way.home.laptop.write(
            cluster_host="127.0.0.1",
            cluster_port=deaf.getsockname()[1],
            cluster_vpn={"needed": "off_campus", "name": "Eduroam Tunnel"},
        )  # fmt: skip
        fault = names_alone(way, "vpn")
    assert "Eduroam Tunnel" in fault["fix"]


def known_hosts(way: Wayfarer) -> Path:
    return Path(setting(way.home.laptop, "cluster_known_hosts_file"))


def test_a_host_key_that_changed(way: Wayfarer) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(way.tmp / "k")], check=True)
    file = known_hosts(way)
    kept = file.read_text()
    other = " ".join((way.tmp / "k.pub").read_text().split()[:2])
    file.write_text("".join(f"{line.split()[0]} {other}\n" for line in kept.splitlines()))
    fault = names_alone(way, "host-key")
    assert "has changed" in fault["found"]
    way.home.follow(fault["fix"])  # the new one is the published one
    all_is_well(way)
    file.write_text(kept)


def test_a_host_key_that_nobody_knows(way: Wayfarer) -> None:
    file = known_hosts(way)
    kept = file.read_text()
    file.write_text("")
    way.home.laptop.write(cluster_host_keys=[])
    fault = names_alone(way, "host-key")
    fingerprint = way.home.live.miniature.fingerprint
    assert fault["fix"].startswith(f"rookery login penguins --accept-host-key {fingerprint}")
    assert names(way.home.doctor("--accept-host-key", fingerprint)) == []
    file.write_text(kept)


def test_a_host_key_that_is_not_the_published_one(way: Wayfarer) -> None:
    wrong = "SHA256:" + "A" * 43
    way.home.laptop.write(cluster_host_keys=[{"type": "ssh-ed25519", "fingerprint": wrong}])
    fault = names_alone(way, "host-key")
    assert wrong in fault["fix"]


@pytest.mark.parametrize(
    ("close", "open_again"),
    [
        ("chage -E 0 doctor-pip", "chage -E -1 doctor-pip"),
        ("usermod -s /usr/sbin/nologin doctor-pip", "usermod -s /bin/bash doctor-pip"),
    ],
)
def test_an_account_that_is_not_active(way: Wayfarer, close: str, open_again: str) -> None:
    way.home.root(close)
    try:
        fault = names_alone(way, "account")
    finally:
        way.home.root(open_again)
    assert "Mariusz or Cyrus" in fault["fix"]
    way.home.laptop.rookery("logout")
    all_is_well(way)


def test_a_key_that_is_not_taken(way: Wayfarer) -> None:
    way.home.run_in_home("mv .ssh/authorized_keys .ssh/kept")
    try:
        fault = names_alone(way, "key")
        assert "authorized_keys" in fault["fix"]
        live = way.home.live
        secrets = f"{live.miniature.password}\n{live.miniature.totp_secret}\n"
        live.root_run(["/usr/local/sbin/set-secrets", way.home.laptop.user], stdin=secrets)
        with Terminal([str(ROOKERY), "doctor"], way.home.laptop.environment) as screen:
            screen.answers("password: $", live.miniature.password)
            screen.shows(r"your key on the cluster: .* does not accept\s.*,\s+so each login asks for your password")
            assert screen.ends() == 0
        way.home.laptop.rookery("logout")
    finally:
        way.home.run_in_home("mv .ssh/kept .ssh/authorized_keys")
    all_is_well(way)


def test_a_key_that_is_gone_or_open_to_others(way: Wayfarer) -> None:
    key = Path(setting(way.home.laptop, "cluster_identity_file"))
    mine = way.tmp / "id_mine"
    shutil.copy(key, mine)
    mine.chmod(0o644)
    way.home.laptop.write(cluster_identity_file=str(mine))
    fault = names_alone(way, "key-file")
    way.home.follow(fault["fix"])
    all_is_well(way)
    mine.unlink()
    way.home.laptop.rookery("logout")
    assert "can't find the key file" in names_alone(way, "key-file")["found"]


def test_a_passphrase_and_no_terminal(way: Wayfarer) -> None:
    """Nothing is wrong, and it could not look."""
    key = way.tmp / "id_locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)], check=True)
    way.home.laptop.write(cluster_identity_file=str(key))
    answer = way.doctor()
    assert (answer["exit"], answer["clusters"]["penguins"]["state"], names(answer)) == (1, "unknown", [])
    check = checks(answer)["second-factor"]
    assert (check["state"], check["fix"].partition("   #")[0]) == ("skipped", "rookery login penguins")


def test_a_profile_that_is_wrong(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_port="twenty-two")
    fault = names_alone(way, "profile")
    assert "penguins.yml:" in fault["found"]
    assert "cluster_port" in fault["found"]


def test_an_inventory_that_is_no_yaml(way: Wayfarer) -> None:
    hosts = way.home.laptop.inventory / "hosts.yml"
    kept = hosts.read_text()
    hosts.write_text("all: [\n")
    answer = way.doctor()
    hosts.write_text(kept)
    assert names(answer)[0] == "inventory"


def test_a_second_factor() -> None:
    """Without a terminal, login is named; on one the code is typed. There is no queue here."""
    top = Path(tempfile.mkdtemp(prefix="rk-"))
    environment = {**home_here(top / "home"), "XDG_RUNTIME_DIR": str(top)}
    inventory = Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    plain = yaml.safe_load((Path(__file__).parents[1] / "data/profiles/host_vars/hex-metal.yml").read_text())
    (inventory / "host_vars/codes.yml").write_text(yaml.safe_dump({**plain, "cluster_logins": ["key+totp"]}))
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"codes": None}}}))
    command = [str(ROOKERY), "doctor", "--cluster", "codes", "--sandbox"]
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(key, environment[key])
        live = lifecycle.ensure(["codes"], yes=True, entrance=Entrance("key+totp"))[0]
        try:
            completed = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                start_new_session=True, check=False,
            )  # fmt: skip
            assert completed.returncode == 1, completed.stdout + completed.stderr
            assert "fix: rookery login codes --sandbox" in completed.stdout
            with Terminal(command, environment) as screen:
                screen.answers(r"Verification code: $", code(live.totp_secret))
                screen.shows("the setup of your home: not set up yet")
                assert screen.ends() == 3
                assert "your key on the cluster" not in screen.seen
            subprocess.run([str(ROOKERY), "logout", "--sandbox"], env=environment, check=False, capture_output=True)
        finally:
            lifecycle.down("all", quiet=True)
    shutil.rmtree(top)


def code(secret: str) -> str:
    """RFC 6238's code of now."""
    digest = hmac.new(base64.b32decode(secret), (int(time.time()) // 30).to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 0xF
    return str(int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF)[-6:].zfill(6)


# -- this computer


def test_a_program_that_is_missing(way: Wayfarer) -> None:
    folder = way.tmp / "bin"
    folder.mkdir()
    for name in ("ssh", "git", "sh", "ssh-keygen"):
        (folder / name).symlink_to(str(shutil.which(name)))
    fault = names_alone(way, "rsync", PATH=str(folder))
    assert "apt install rsync" in fault["fix"]
    (folder / "rsync").symlink_to(str(shutil.which("rsync")))
    all_is_well(way, PATH=str(folder))
    (folder / "ssh").unlink()
    answer = way.doctor(PATH=str(folder))
    assert names(answer) == ["ssh"]
    assert checks(answer)["port"]["state"] == "skipped"


def test_modes_in_the_ssh_folder(way: Wayfarer) -> None:
    folder = way.home.laptop.home / ".ssh"
    folder.mkdir()
    folder.chmod(0o777)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id_ed25519")], check=True)
    (folder / "id_ed25519").chmod(0o644)
    fault = names_alone(way, "ssh-folder")
    assert "chmod 700" in fault["fix"]
    assert "chmod 600" in fault["fix"]
    way.home.follow(fault["fix"])
    all_is_well(way)


@pytest.mark.parametrize("what", ["nonsense", "open"])
def test_an_ssh_config_of_ones_own(way: Wayfarer, what: str) -> None:
    folder = way.home.laptop.home / ".ssh"
    folder.mkdir(mode=0o700)
    config = folder / "config"
    config.write_text("Host *\n    Compresion yes\n" if what == "nonsense" else "Host *\n    Compression yes\n")
    config.chmod(0o600 if what == "nonsense" else 0o666)
    fault = names_alone(way, "ssh-config")
    if what == "nonsense":
        assert "line 2" in fault["found"]
        assert str(config) in fault["fix"]
        config.write_text("Host *\n    Compression yes\n")
    else:
        way.home.follow(fault["fix"])
    all_is_well(way)


def test_clocks_that_differ(way: Wayfarer) -> None:
    """This computer's is an hour behind."""
    (way.tmp / "sitecustomize.py").write_text("import time\nnow = time.time\ntime.time = lambda: now() - 3600\n")
    answer = way.doctor(PYTHONPATH=str(way.tmp))
    assert names(answer) == []
    assert checks(answer)["clock"]["state"] == "warning"
    assert "60 minutes ahead" in checks(answer)["clock"]["found"]
    assert checks(way.doctor())["clock"]["state"] == "ok"


# -- what is told


def test_the_report(way: Wayfarer) -> None:
    """One redacted text, ended by the same as data; nothing else is overwritten."""
    person = way.home.laptop
    way.home.run_in_home("cp -p .bashrc /tmp/ && sed -i '/>>> rookery/,/<<< rookery/d' .bashrc")
    completed = person.rookery("doctor", "--cluster", "penguins", "--report")
    assert completed.returncode == 3, completed.stderr
    text = (person.home / "rookery-report.txt").read_text()
    for private in (
        person.user,
        str(person.home),
        socket.gethostname(),
        way.home.live.miniature.fingerprint,
        way.home.home_path,
    ):
        assert private not in text
    answer = json.loads(text.partition("==== for the person who helps: the same as data ====\n")[2])
    assert names(answer) == ["path-command"]
    assert "<home>/.pyenv/bin" in text
    way.home.run_in_home("cp -p /tmp/.bashrc .")
    other = person.home / "notes.txt"
    other.write_text("mine")
    completed = person.rookery("doctor", "--cluster", "penguins", "--report", "notes.txt")
    assert (completed.returncode, other.read_text()) == (1, "mine")
    assert "is not a report" in completed.stderr
    completed = person.rookery("doctor", "--cluster", "penguins", "--report", "rookery-report.txt")
    assert completed.returncode == 0, completed.stdout


def test_the_screen(way: Wayfarer) -> None:
    """What is well takes one line; -v names it. A cluster that is not known ends it with 1."""
    person = way.home.laptop
    completed = person.rookery("doctor", "--cluster", "penguins")
    assert completed.returncode == 0
    assert [line.partition(":")[0] for line in completed.stdout.splitlines() if not line.startswith(" ")] == [
        "this computer",
        "penguins",
    ]
    assert "checks passed" in completed.stdout
    assert "Slurm: running" not in completed.stdout
    assert "Slurm: running" in person.rookery("doctor", "-v").stdout
    assert person.rookery("doctor", "--cluster", "penguin").returncode == 1


def test_two_remote_commands_besides_the_login(way: Wayfarer) -> None:
    folder, log = way.tmp / "bin", way.tmp / "log"
    folder.mkdir()
    noted = f'printf "%s" "$*" | tr "\\n" " " | head -c 200 >>{log}; echo >>{log}'
    (folder / "ssh").write_text(f'#!/bin/sh\n{noted}\nexec {shutil.which("ssh")} "$@"\n')
    (folder / "ssh").chmod(0o755)
    all_is_well(way, PATH=f"{folder}:{os.environ['PATH']}")
    sent = [line for line in log.read_text().splitlines() if "ControlMaster=no -T" in line]
    assert len(sent) == 2, log.read_text()
