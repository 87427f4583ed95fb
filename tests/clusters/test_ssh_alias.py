"""A cluster behind an entry of the user's own ~/.ssh/config: a certificate, a jump host, a phone, any questions."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from laptops import ROOKERY, Laptop, laptop
from live import Live, alone, as_root
from terminal import Terminal
from waiting import wait_for

from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster

RENEW = "site-login auth"
GATED, PHONE, QUESTIONS, SECURITY = 6767, 6768, 6769, 6770
"""Ports of the cluster behind its jump host, of two servers that ask by PAM, and of one that takes a security key."""

TOKEN = Path(__file__).parents[1] / "data/security_key/token.c"

SERVER = """\
ln -s sshd /usr/sbin/{name}
{{ printf 'auth required {module}\\n'; grep -E '^(account|session|@include common-[as][ce])' /etc/pam.d/sshd; }} \\
    >/etc/pam.d/{name}
sed -e 's/^Port .*/Port {port}/' -e 's/^AuthenticationMethods .*/AuthenticationMethods {methods}/' \\
    -e 's/^KbdInteractiveAuthentication .*/KbdInteractiveAuthentication yes/' /etc/ssh/sshd_config >/etc/ssh/{name}
LD_PRELOAD=/usr/local/lib/from_here.so FROM_HERE={address} /usr/sbin/{name} -f /etc/ssh/{name}
"""


@dataclass(frozen=True)
class Traveller:
    """Somebody with a certificate, and what makes new ones."""

    laptop: Laptop
    live: Live
    authority: Path
    key: Path

    def signs(self, validity: str) -> None:
        """Get a certificate for as long as ssh-keygen's -V says."""
        sign = ["ssh-keygen", "-q", "-s", str(self.authority), "-I", "id", "-n", self.laptop.user, "-V", validity]
        subprocess.run([*sign, f"{self.key}.pub"], check=True)

    def runs(self, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        completed = self.laptop.rookery(*arguments)
        assert completed.returncode == code, completed.stdout + completed.stderr
        return completed

    def check(self, name: str, code: int) -> dict[str, str]:
        """What doctor finds."""
        checks = json.loads(self.runs("doctor", "hex", "--json", code=code).stdout)["clusters"]["hex"]["checks"]
        found: dict[str, str] = next(check for check in checks if check["name"] == name)
        return found


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """HeX behind a jump host."""
    with alone("hex", Entrance("key", jump=True)) as running:
        yield running


@pytest.fixture
def otto(live: Live, tmp_path_factory: pytest.TempPathFactory, made: set[tuple[str, str]]) -> Iterator[Traveller]:
    """Nothing but a certificate opens the jump host and the cluster; both are known by names of the user's own."""
    if ("hex", "otto") not in made:
        laptop(live, "otto")
        made.add(("hex", "otto"))
    home = Path(live.environment["HOME"]).parent / "hex-otto"
    shutil.rmtree(home / ".ssh", ignore_errors=True)
    person = Laptop(home, "hex", "otto")
    folder = tmp_path_factory.mktemp("otto")
    authority, key = folder / "authority", folder / "a key"
    for path in (authority, key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    line = f"cert-authority {authority.with_suffix('.pub').read_text()}"
    live.root_run(["sh", "-c", "cat >/home/otto/.ssh/authorized_keys"], stdin=line)
    sandbox = yaml.safe_load((home / ".local/state/rookery/sandbox/inventory/host_vars/hex.yml").read_text())
    jump = sandbox["cluster_proxy_jump"].partition("@")[2].partition(":")[0]
    own = {
        "cluster_ssh_host": "the-cluster",
        "cluster_logins": ["certificate"],
        "cluster_login_command": RENEW,
        "cluster_known_hosts_file": sandbox["cluster_known_hosts_file"],
    }
    (person.inventory / "host_vars/hex.yml").write_text(yaml.safe_dump(own))
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh/site").write_text(
        f"Host the-gate the-cluster\n  User otto\n  Port {GATED}\n  IdentityFile '{key}'\n"
        f"  CertificateFile '{key}-cert.pub'\n  IdentitiesOnly yes\n"
        f"Host the-gate\n  HostName {jump}\n"
        f"Host the-*r\n  HostName {live.address}\n  ProxyJump %r@the-gate\n"
    )
    (home / ".ssh/config").write_text(f"Include {home}/.ssh/site\n")
    yield Traveller(person, live, authority, key)
    person.rookery("logout")


def test_it_is_used_as_it_stands(otto: Traveller) -> None:
    otto.signs("-1m:+3h")
    said = otto.runs("login", "hex").stdout
    assert f"connected as otto@{otto.live.address}" in said
    assert "your certificate expires " in said
    assert otto.laptop.says("echo $SSH_CONNECTION").split()[3] == str(GATED)
    assert otto.check("certificate", 3)["state"] == "ok"  # the home is not set up
    shown = otto.runs("clusters.show", "hex").stdout.partition("From your ~/.ssh/config, for the-cluster")[2]
    assert {"HostName", "ProxyJump", "CertificateFile"} <= set(shown.split())
    assert otto.runs("setup", "hex", "--tags", "shell").returncode == 0
    otto.runs("logout")
    ends = json.loads(otto.runs("login", "hex", "--json").stdout)["clusters"]["hex"]["certificate_ends"]
    assert 2.9 * 3600 < time.mktime(time.strptime(ends, "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime()) < 3 * 3600


def test_an_expired_certificate_is_named_with_what_renews_it(otto: Traveller) -> None:
    otto.signs("-2h:-1h")
    said = otto.runs("login", "hex", code=1).stderr
    assert f"hex: your certificate '{otto.key}-cert.pub' expired at " in said or "expired yesterday" in said
    assert f"next: {RENEW}   # gets a new certificate; then run the same command again" in said
    check = otto.check("certificate", 3)
    assert (check["state"], check["fix"].partition("   #")[0]) == ("fault", RENEW)
    with Terminal([str(ROOKERY), "login", "hex"], otto.laptop.environment) as terminal:
        terminal.shows("expired")  # nothing is asked: no answer would help
        assert terminal.ends() == 1
        assert "you need" not in terminal.seen
    otto.signs("-1m:+10m")
    otto.runs("login", "hex")
    check = otto.check("certificate", 3)
    assert (check["state"], check["fix"].partition("   #")[0]) == ("warning", RENEW)


def test_no_certificate_yet_and_one_that_is_not_valid_yet(otto: Traveller) -> None:
    assert "you have no certificate for this cluster yet" in otto.runs("login", "hex", code=1).stderr
    otto.signs("+1h:+2h")
    said = otto.runs("login", "hex", code=1).stderr
    assert "is not valid before " in said
    assert "is this computer's clock right?" in said


def test_an_entry_that_is_not_there(otto: Traveller) -> None:
    otto.laptop.write(cluster_ssh_host="the-clutsers")
    said = otto.runs("login", "hex", code=1).stderr
    assert "hex: ~/.ssh/config has no Host entry for 'the-clutsers' (`cluster_ssh_host`)." in said
    otto.laptop.write(cluster_ssh_host="-oProxyCommand=x")
    assert "must be a name that ~/.ssh/config has behind Host" in otto.runs("login", "hex", code=1).stderr


def test_a_jump_host_that_is_not_there_is_what_is_named(otto: Traveller) -> None:
    site = otto.laptop.home / ".ssh/site"
    site.write_text("Host the-gate\n  Port 1\n" + site.read_text())
    otto.signs("-1m:+1h")
    said = otto.runs("login", "hex", code=1).stderr
    assert "can't connect through the jump host otto@the-gate" in said


def serve(otto: Traveller, name: str, port: int, module: str, methods: str = "keyboard-interactive:pam") -> None:
    """Start a server of that name on the cluster, which the user's ssh trusts; it asks by a PAM module."""
    script = SERVER.format(name=name, module=module, port=port, address=otto.live.address, methods=methods)
    if as_root(otto.live, f"test -e /usr/sbin/{name} || echo new"):
        as_root(otto.live, script)
    scan = ["ssh-keyscan", "-t", "ed25519", "-p", str(port), otto.live.address]
    keys = wait_for(lambda: subprocess.run(scan, check=False, capture_output=True, text=True).stdout)
    (otto.laptop.home / ".ssh/known_hosts").write_text(keys)  # sshd returns before it listens


def asks(otto: Traveller, name: str, port: int, module: str, **settings: object) -> Terminal:
    """Somebody at a terminal who logs in to a server that asks by a PAM module."""
    serve(otto, name, port, module)
    (otto.laptop.home / ".ssh/config").write_text(
        f"Host the-cluster\n  User otto\n  HostName {otto.live.address}\n  Port {port}\n"
    )
    otto.laptop.write(**settings)
    return Terminal([str(ROOKERY), "login", "hex"], otto.laptop.environment)


def test_a_request_on_the_phone_is_waited_for(otto: Traveller) -> None:
    """The server says nothing before the request has been approved, as Duo's does."""
    as_root(otto.live, "test -p /run/phone || mkfifo -m 600 /run/phone")
    as_root(
        otto.live, "printf '#!/bin/sh\\nread answer </run/phone && [ \"$answer\" = yes ]\\n' >/usr/local/sbin/phone"
    )
    as_root(otto.live, "chmod 755 /usr/local/sbin/phone")
    module = "pam_exec.so quiet /usr/local/sbin/phone"
    with asks(otto, "phone-sshd", PHONE, module, cluster_logins=["key+push"]) as terminal:
        terminal.shows("you need: your phone, to approve the login")
        as_root(otto.live, "echo yes >/run/phone")
        terminal.shows("connected as otto@")
        assert terminal.ends() == 0
    otto.runs("logout")
    refused = otto.runs("login", "hex", code=1).stderr  # nobody to ask
    assert "rookery login hex" in refused


def test_questions_in_any_words(otto: Traveller) -> None:
    script = 'read -r answer; [ "$answer" = blue ]'
    as_root(
        otto.live, f"printf '#!/bin/sh\\n%s\\n' '{script}' >/usr/local/sbin/colour; chmod 755 /usr/local/sbin/colour"
    )
    module = "pam_ask.so [What is your favourite colour? ]\\nauth required pam_exec.so quiet expose_authtok "
    module += "/usr/local/sbin/colour"
    settings = {"cluster_logins": ["interactive"], "cluster_login_prompts": ["What is your favourite colour?"]}
    with asks(otto, "asking-sshd", QUESTIONS, module, **settings) as terminal:
        terminal.shows(r"you need: your answers to what the cluster asks \(What\s+is\s+your\s+favourite\s+colour\?\)")
        terminal.answers(r"favourite colour\? $", "blue")
        terminal.shows("connected as otto@")
        assert terminal.ends() == 0


def test_a_security_key_is_waited_for_and_said_to_be(otto: Traveller, tmp_path: Path) -> None:
    """Its light is seen by nobody here: a pipe is what is touched."""
    token, pipe, key = tmp_path / "token.so", tmp_path / "touch", tmp_path / "id"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(token), str(TOKEN), "-l:libcrypto.so.3"], check=True)
    subprocess.run(["mkfifo", str(pipe)], check=True)
    make = ["ssh-keygen", "-q", "-t", "ed25519-sk", "-N", "", "-w", str(token), "-f", str(key)]
    subprocess.run(make, check=True)
    otto.live.root_run(["sh", "-c", "cat >/home/otto/.ssh/authorized_keys"], stdin=key.with_suffix(".pub").read_text())
    (otto.laptop.home / ".ssh/config").write_text(
        f"Host the-cluster\n  User otto\n  HostName {otto.live.address}\n  Port {SECURITY}\n"
        f"  IdentityFile '{key}'\n  IdentitiesOnly yes\n  SecurityKeyProvider '{token}'\n"
    )
    serve(otto, "token-sshd", SECURITY, "pam_permit.so", methods="publickey")
    otto.laptop.write(cluster_logins=["key"])
    environment = {**otto.laptop.environment, "TOKEN_TOUCH": str(pipe)}
    with Terminal([str(ROOKERY), "login", "hex"], environment) as terminal:
        terminal.shows(r"touch your security key when it blinks \(id\)")
        subprocess.run(["timeout", "30", "sh", "-c", 'echo yes >"$0"', str(pipe)], check=True)
        terminal.shows("connected as otto@")
        assert terminal.ends() == 0
