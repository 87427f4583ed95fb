"""What a person is told around a login, and what a miniature asks for: decided without a cluster."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ssh_server import cluster

from rookery.clusters.ssh import config_file, prompts
from rookery.clusters.ssh.diagnosis import explain
from rookery.core.errors import RookeryError
from rookery.homes import login
from rookery.sandbox import auth

TUESDAY = (2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "hour", "expected"),
    [
        ("Tuesdays 08:00 to 10:00", "08:00", True),
        ("Tuesday 8:00-10:00", "09:59", True),
        ("Tuesdays 08:00 to 10:00", "10:00", False),
        ("Tuesdays 08:00 to 10:00", "07:59", False),
        ("Wednesdays 08:00 to 10:00", "09:00", False),
        ("now and then", "09:00", False),
        ("", "09:00", False),
    ],
)
def test_the_at_risk_window(text: str, hour: str, expected: bool) -> None:
    now = time.strptime(f"{'-'.join(map(str, TUESDAY))} {hour}", "%Y-%m-%d %H:%M")
    assert login.at_risk_now(text, now) is expected


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({}, "your password, or your key's passphrase"),
        ({"cluster_logins": ["key"]}, "your key's passphrase"),
        ({"cluster_logins": ["key", "password"]}, "your password"),
        ({"cluster_logins": ["key+totp"]}, "the code from your app"),
        (
            {"cluster_logins": ["password+totp"], "cluster_login_prompts": ["First Factor:", "Second\x1b[31m:"]},
            "your password (First Factor), then the code from your app (Second)",
        ),
    ],
)
def test_what_a_login_asks_for(data: dict[str, object], asked: str) -> None:
    assert f"you need: {asked}\n" in prompts.announcement(cluster(data=data))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, expected: str) -> None:
    """RFC 6238, appendix B, the last six of its eight digits; the secret is its own, in base32."""
    assert auth.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", seconds) == expected


@given(st.integers(0, 2**33))
def test_a_code_holds_for_half_a_minute(seconds: int) -> None:
    first, secret = seconds - seconds % 30, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert auth.code(secret, seconds) == auth.code(secret, first) == auth.code(secret, first + 29.9)


def test_each_way_into_a_miniature() -> None:
    takes_both = {"cluster_logins": ["password", "key"], "cluster_login_prompts": ["First Factor:", "Second Factor:"]}
    descriptions = {way: auth.describe(auth.Entrance(way), takes_both) for way in ("", *auth.WAYS)}
    assert {way: description["sandbox_methods"] for way, description in descriptions.items()} == {
        "": ["publickey", "password"],
        "key": ["publickey"],
        "password": ["password", "publickey"],
        "password+totp": ["keyboard-interactive:pam"],
        "key+totp": ["publickey,keyboard-interactive:pam"],
    }
    assert descriptions["password+totp"]["sandbox_prompts"] == ["First Factor: ", "Second Factor: "]
    assert descriptions["key+totp"]["sandbox_prompts"] == ["Second Factor: "]
    assert [bool(secret) for secret in auth.secrets_for(descriptions["key+totp"])] == [False, True]
    assert [bool(secret) for secret in auth.secrets_for(descriptions["password"])] == [True, False]
    assert auth.secrets_for(descriptions["password+totp"]) != auth.secrets_for(descriptions["password+totp"])
    with pytest.raises(RookeryError, match="retina"):
        auth.Entrance("retina")


def test_the_jump_host_asks_for_the_first_factor_alone() -> None:
    jumps = {way: auth.describe(auth.Entrance(way, jump=True), {})["sandbox_jump_methods"] for way in ("", *auth.WAYS)}
    assert {way for way, methods in jumps.items() if methods == ["password"]} == {"password", "password+totp"}
    assert {way for way, methods in jumps.items() if methods == ["publickey"]} == {"", "key", "key+totp"}


def test_the_clusters_key_is_for_its_jump_hosts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    birds = cluster(identity_file="/k/mine", proxy_jump="ada@first:2222,[::1]:22")
    assert config_file.hops(birds) == ["first", "::1"]
    text = config_file.entry(birds)
    assert 'Match originalhost first,::1\n    IdentityFile "/k/mine"\n' in text
    assert str(tmp_path / ".ssh/id_rsa") in text
    assert "Match" not in config_file.entry(cluster(identity_file="/k/mine"))


@pytest.mark.parametrize(
    ("batch", "reason", "hint"),
    [(True, "wants a password or a code", "invoke login"), (False, "rejected the password or code", "ssh ssh://")],
)
def test_a_jump_host_that_asks(batch: bool, reason: str, hint: str) -> None:
    text = "ada@gate: Permission denied (publickey,password).\r\nConnection closed by UNKNOWN port 65535\r\n"
    error = explain(cluster(proxy_jump="ada@gate:2222"), text, batch=batch)
    assert (error.reason, reason in error.message, str(error.hint).startswith(hint)) == ("denied", True, True)


def test_a_code_that_was_refused() -> None:
    birds = cluster(data={"cluster_logins": ["password+totp"]})
    error = explain(birds, "ada@h: Permission denied (keyboard-interactive).", batch=False)
    assert "Each code works once" in error.message
    assert str(error.hint).startswith("invoke login birds")


def test_a_configuration_that_others_can_write_to() -> None:
    error = explain(cluster(), "Bad owner or permissions on /h/my home/.ssh/config\r\n", batch=True)
    assert error.hint == "chmod 600 '/h/my home/.ssh/config'"


def test_the_prompts_of_a_profile_reach_pam_as_they_are() -> None:
    """Its file is read by the line, and what is in brackets ends at the first bracket that is not escaped."""
    variables = {"cluster_login_prompts": ["One\nauth sufficient pam_permit.so", "[Two]"]}
    assert auth.prompts("password+totp", variables) == ["Oneauth sufficient pam_permit.so", "[Two]"]
    assert yaml.safe_load(yaml.safe_dump(auth.settings("key+totp", variables)))["cluster_login_prompts"] == ["[Two]"]
