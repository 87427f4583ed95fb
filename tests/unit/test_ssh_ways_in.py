"""Ways to log in: an entry of the user's own ssh configuration, certificates, phones, tickets and security keys."""

import base64
import os
import struct
import subprocess
import time
from pathlib import Path

import pytest
from ssh_server import cluster, new_key
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.clusters.ssh import certificates, config_file, host_keys, prompts, user_config
from rookery.clusters.ssh.diagnosis import explain
from rookery.core.errors import RookeryError
from rookery.homes import listing

SECURITY_KEY = b"sk-ssh-ed25519@openssh.com"
DENIED = "ada@127.0.0.1: Permission denied (gssapi-with-mic,publickey)."


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = at_home(tmp_path / "my home", monkeypatch)
    (home / ".ssh").mkdir()
    return home


def known_as(home: Path, config: str, alias: str = "mine", **settings: str) -> None:
    """The user's ~/.ssh/config, and HeX by a name in it."""
    (home / ".ssh/config").write_text(config)
    lines = "".join(f"{key}: {value}\n" for key, value in settings.items())
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    hex:\n")
    own_inventory(home, "host_vars/hex.yml", f"cluster_ssh_host: {alias}\n{lines}")


def entry_of_hex() -> dict[str, str]:
    """What ssh makes of rookery's own entry."""
    path = config_file.write(profile.load("hex"))
    completed = subprocess.run(["ssh", "-G", "-F", str(path), "hex"], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in completed.stdout.splitlines() if " " in line)


def test_an_entry_under_another_name_is_used_with_all_that_is_about_logging_in(home: Path) -> None:
    known_as(
        home,
        "Host other\n  User bob\nHost m*e\n  HostName in.example.org\n  Port 99\n  ProxyJump %r@gate:2222,%h\n"
        "  HostKeyAlias of-mine\n  GSSAPIAuthentication yes\n  PreferredAuthentications publickey\n"
        "  IdentityFile ~/.ssh/%n\n  ControlPath /elsewhere\n  StrictHostKeyChecking no\n  RemoteCommand tmux\n"
        "Host *\n  User a.b\n",
    )
    entry = entry_of_hex()
    assert (entry["hostname"], entry["port"], entry["user"]) == ("in.example.org", "99", "a.b")
    assert entry["proxyjump"] == "a.b@gate:2222,in.example.org"
    assert (entry["hostkeyalias"], entry["gssapiauthentication"]) == ("of-mine", "yes")
    assert (entry["preferredauthentications"], entry["identityfile"]) == ("publickey", "~/.ssh/mine")
    # what rookery needs stays its own
    assert "elsewhere" not in entry["controlpath"]
    assert entry["stricthostkeychecking"] == "true"
    assert entry.get("remotecommand", "none") == "none"
    assert host_keys.host_pattern(profile.load("hex")) == "of-mine"


def test_the_users_own_inventory_wins_over_the_entry(home: Path) -> None:
    known_as(home, "Host mine\n  HostName h.example.org\n  User ada\n  Port 9\n", cluster_user="bea", cluster_port="77")
    entry = entry_of_hex()
    assert (entry["hostname"], entry["user"], entry["port"]) == ("h.example.org", "bea", "77")


@pytest.mark.parametrize("config", ["", "Host yours\n  User ada\n", "Host *\n  User ada\n", "Host !mine *\n  User x\n"])
def test_a_name_that_the_configuration_does_not_have(home: Path, config: str) -> None:
    known_as(home, config)
    with pytest.raises(RookeryError, match=r"~/.ssh/config has no Host entry for 'mine' \(`cluster_ssh_host`\)"):
        profile.load("hex")
    values = {value.key: value.where for value in listing.details("hex")["Logging in"]}
    assert values["cluster_ssh_host"].endswith("host_vars/hex.yml:1")  # the command that the error names
    assert profile.load("hex", own_ssh=False).host == "login.ucrel-hex.scc.lancs.ac.uk"  # pages for others
    (home / ".ssh/config").unlink()
    with pytest.raises(RookeryError, match="has no Host entry"):
        profile.load("hex")


def test_a_configuration_that_ssh_refuses(home: Path) -> None:
    known_as(home, "Host mine\n  HostName h.example.org\n  ProxyJump gate:%p\n")
    with pytest.raises(RookeryError, match=r"ssh can't read your ~/.ssh/config for 'mine'") as caught:
        profile.load("hex")
    assert str(caught.value.hint).startswith("ssh -G mine ")


def test_an_entry_without_host_name_and_one_by_match(home: Path) -> None:
    known_as(home, "Host login.example.org\n  User ada\n", alias="login.example.org")
    assert entry_of_hex()["hostname"] == "login.example.org"
    known_as(home, "Match originalhost mine\n  HostName h.example.org\n  User ada\n")
    assert entry_of_hex()["hostname"] == "h.example.org"


@pytest.mark.parametrize("alias", ["-oProxyCommand=x", "a b", "a*", '"x\\ny"'])
def test_a_name_that_ssh_would_not_read_as_one(home: Path, alias: str) -> None:
    known_as(home, "Host *\n  User x\n", alias=alias)
    with pytest.raises(RookeryError, match="`cluster_ssh_host` must be a name"):
        profile.load("hex")


def test_a_command_of_several_lines(home: Path) -> None:
    known_as(home, "Host mine\n  User x\n", cluster_login_command='"one\\ntwo"')
    with pytest.raises(RookeryError, match="`cluster_login_command` must be one line"):
        profile.load("hex")


def signed(folder: Path, validity: str) -> Path:
    """A key with a certificate beside it."""
    for name in ("authority", "key"):
        new_key(folder / name)
    sign = ["ssh-keygen", "-q", "-s", str(folder / "authority"), "-I", "x", "-V", validity, str(folder / "key.pub")]
    subprocess.run(sign, check=True)
    return folder / "key"


@pytest.mark.parametrize(
    ("validity", "begins", "ends", "valid"),
    [
        ("always:forever", 0, certificates.FOREVER, True),
        ("20200101000000Z:20200102030405Z", 1577836800, 1577934245, False),
        ("20200101000000Z:forever", 1577836800, certificates.FOREVER, True),
        ("always:20200102030405Z", 0, 1577934245, False),
    ],
)
def test_when_a_certificate_is_valid(  # noqa: PLR0917
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validity: str, begins: float, ends: float, valid: bool
) -> None:
    """ssh-keygen prints local times without their zone."""
    key = signed(tmp_path, validity)
    monkeypatch.setenv("TZ", "America/St_Johns")
    time.tzset()
    try:
        certificate = certificates.best(cluster(identity_file=str(key)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert certificate
    assert (certificate.begins, certificate.ends, certificate.is_valid) == (begins, ends, valid)


def test_a_valid_certificate_counts_more_than_one_that_ended_and_none_is_none(home: Path) -> None:
    (home / "old").mkdir()
    old, new = signed(home / "old", "20200101:20200102"), signed(home, "always:forever")
    named = tuple(("CertificateFile", f"{key}-cert.pub") for key in (old, new, home / "absent"))
    best = certificates.best(cluster(ssh_options=named))
    assert best and best.path == Path(f"{new}-cert.pub")
    assert best.shown == "~/key-cert.pub"
    Path(f"{new}-cert.pub").write_text("no certificate\n")
    best = certificates.best(cluster(identity_file=str(new)))
    assert best is None


def test_what_a_refusal_says_of_certificates(home: Path) -> None:
    key = signed(home, "20200101:20200102")
    data = {"cluster_login_command": "site-login auth", "cluster_docs_url": "https://example.org"}
    mine = cluster(identity_file=str(key), data=data)
    error = explain(mine, "ada@127.0.0.1: Permission denied (publickey).", batch=True)
    assert (error.reason, error.hint) == (
        "certificate",
        "site-login auth   # gets a new certificate; then run the same command again",
    )
    assert "your certificate ~/key-cert.pub expired on 2 Jan 2020" in error.message
    error = explain(
        cluster(identity_file=str(key), data={"cluster_docs_url": "https://example.org"}), DENIED, batch=True
    )
    assert "documentation says (https://example.org)" in str(error.hint)
    # another way in is left, or something else is wrong
    for text in ("ada@127.0.0.1: Permission denied (publickey,password).", "Connection closed by 1.2.3.4 port 22"):
        assert explain(mine, text, batch=True).reason != "certificate"


@pytest.mark.parametrize(("klist", "wanted"), [("exit 1", "kinit"), ("exit 0", ""), (None, "kinit")])
def test_without_a_kerberos_ticket(home: Path, monkeypatch: pytest.MonkeyPatch, klist: str | None, wanted: str) -> None:
    folder = home / "bin"
    folder.mkdir()
    for program in ("ssh", "ssh-keygen"):
        (folder / program).symlink_to(
            next(p for p in map(Path, ("/usr/bin", "/usr/local/bin")) if (p / program).exists()) / program
        )
    if klist:
        (folder / "klist").write_text(f"#!/bin/sh\n{klist}\n")
        (folder / "klist").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin" if klist else str(folder))
    error = explain(cluster(data={"cluster_logins": ["gssapi"]}), DENIED, batch=True)
    assert ("no Kerberos ticket" in error.message) == bool(wanted)
    assert (error.hint or "").startswith(f"{wanted}   # gets a ticket") == bool(wanted)


def test_gssapi_is_switched_on_where_the_cluster_takes_it(home: Path) -> None:
    own_inventory(home, "hosts.yml", "all:\n  hosts:\n    hex:\n")
    own_inventory(home, "host_vars/hex.yml", "cluster_user: ada\n")
    assert entry_of_hex()["gssapiauthentication"] == "no"
    own_inventory(home, "host_vars/hex.yml", "cluster_user: ada\ncluster_logins: [gssapi, key]\n")
    assert entry_of_hex()["gssapiauthentication"] == "yes"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"cluster_logins": ["password+push"]}, "your password, then your phone, to approve the login"),
        ({"cluster_logins": ["key+push"]}, "your phone, to approve the login"),
        ({"cluster_logins": ["interactive"]}, "your answers to what the cluster asks"),
        (
            {"cluster_logins": ["interactive"], "cluster_login_prompts": ["Badge:", "Colour?"]},
            "your answers to what the cluster asks (Badge, Colour?)",
        ),
        (
            {"cluster_logins": ["password+totp"], "cluster_login_prompts": ["A:", "B:"]},
            "your password (A), then the code from your app (B)",
        ),
        ({"cluster_logins": ["key+interactive"]}, "your answers to what the cluster asks"),
        ({"cluster_logins": ["gssapi"]}, "a Kerberos ticket"),
        ({"cluster_logins": ["certificate"]}, "your key's passphrase"),
    ],
)
def test_what_a_login_needs(data: dict[str, object], words: str) -> None:
    assert f"  you need: {words}\n" in prompts.announcement(cluster(data=data))


def test_each_way_of_logging_in_has_its_words() -> None:
    from rookery.clusters.config import schema
    from rookery.support import cluster_pages
    from rookery.support.cohort import pages

    ways = schema.options()["cluster_logins"]["choices"]
    assert set(cluster_pages._LOGINS) == set(pages._ASKED) == set(ways)
    for way in ways:
        assert prompts.announcement(cluster(data={"cluster_logins": [way]}))


def public_half(path: Path) -> None:
    """The public half of a FIDO2 key (PROTOCOL.u2f), whose other half is on the token."""
    parts = (SECURITY_KEY, os.urandom(32), b"ssh:")
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    path.write_text(f"{SECURITY_KEY.decode()} {base64.b64encode(blob).decode()} token\n")
    subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, stdout=subprocess.DEVNULL)


def test_a_security_key_is_to_be_touched(home: Path) -> None:
    new_key(home / ".ssh/id_ed25519")
    assert prompts.touch(cluster()) == ""
    public_half(home / ".ssh/id_ed25519_sk.pub")
    assert prompts.touch(cluster()) == "birds: touch your security key when it blinks (id_ed25519_sk)"
    assert prompts.touch(cluster(identity_file=str(home / ".ssh/id_ed25519"))) == ""
    named = cluster(ssh_options=(("IdentityFile", f"{home}/.ssh/id_ed25519_sk"),))
    assert "id_ed25519_sk" in prompts.touch(named)


def test_rookerys_own_entry_is_not_the_users(home: Path) -> None:
    user_config.write(profile.load("hex", overrides={"cluster_user": "ada"}), "mine")
    known_as(home, f"{user_config.line()}\n")
    with pytest.raises(RookeryError, match="has no Host entry for 'mine'"):
        profile.load("hex")
