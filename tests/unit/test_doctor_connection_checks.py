"""Doctor's checks of the way to a cluster: which of them has the fault, by what ssh says."""

import time
from dataclasses import replace

import pytest
from doctor_homes import check_of, states

from rookery.clusters import cluster
from rookery.clusters.ssh.errors import SshError
from rookery.support.doctor import checks, connection_checks
from rookery.support.doctor.checks import CheckResults

pytestmark = pytest.mark.usefixtures("home_of_its_own")


VERBOSE = """OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026
debug1: Authentications that can continue: publickey,password
debug1: Offering public key: /h/id_ed25519 ED25519 SHA256:pRt explicit
"""
EXPIRED = VERBOSE + (
    "debug1: Server accepts key: /h/id_ed25519 ED25519 SHA256:pRt explicit\r\n"
    "Your account has expired; please contact your system administrator.\r\n"
    "Connection closed by 127.77.10.1 port 22\r\n"
)
REFUSED = VERBOSE + "ada@host: Permission denied (publickey,password).\r\n"
CODE = VERBOSE + (
    "debug1: Server accepts key: /h/id_ed25519 ED25519 SHA256:pRt explicit\n"
    'Authenticated using "publickey" with partial success.\n'
    "debug1: Authentications that can continue: keyboard-interactive\n"
    "ada@host: Permission denied (keyboard-interactive).\n"
)


def test_what_ssh_says_with_v() -> None:
    expired, refused, code = map(connection_checks.parse_debug_output, (EXPIRED, REFUSED, CODE))
    assert (expired.accepted, expired.message[:24]) == (True, "Your account has expired")
    assert (refused.accepted, refused.offered, refused.asks, refused.message) == (False, True, True, "")
    assert (code.accepted, code.methods) == (True, ("keyboard-interactive",))
    assert connection_checks.parse_debug_output("") == connection_checks.SshDebugOutput()


def blamed(cluster: cluster.Cluster, reason: str, text: str = "", *, typed: bool = False) -> CheckResults:
    results = CheckResults(checks.CLUSTER)
    connection_checks.blame(
        results,
        cluster,
        SshError(reason, f"{cluster.name}: it failed.", hint="do this"),
        connection_checks.parse_debug_output(text),
        typed=typed,
    )
    return results


@pytest.mark.parametrize(
    ("reason", "text", "typed", "check", "state"),
    [
        ("unresolved", "", False, "dns", "fault"),
        ("no-answer", "", False, "vpn", "fault"),
        ("refused", "", False, "port", "fault"),
        ("dropped", "", False, "port", "fault"),
        ("dropped", EXPIRED, False, "account", "fault"),
        ("changed-key", "", False, "host-key", "fault"),
        ("unknown-key", "", False, "host-key", "fault"),
        ("jump", "", False, "jump", "fault"),
        ("identity", "", False, "key-file", "fault"),
        ("too-many-keys", "", False, "key", "fault"),
        ("denied", REFUSED, False, "key", "fault"),
        ("denied", VERBOSE.replace(",password", ""), False, "key", "fault"),
        ("denied", VERBOSE.replace("Offering", ""), False, "second-factor", "skipped"),
        ("denied", CODE, False, "second-factor", "skipped"),
        ("denied", REFUSED, True, "second-factor", "fault"),
        ("lost", "", False, "connection", "fault"),
        ("other", "", False, "connection", "fault"),
    ],
)
def test_where_the_way_ended(  # noqa: PLR0917
    hec: cluster.Cluster, reason: str, text: str, typed: bool, check: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes before it went well, and nothing behind it was looked at."""
    monkeypatch.setattr(connection_checks, "_names_resolve", lambda: True)
    state_of = states(blamed(hec, reason, text, typed=typed))
    assert state_of[check] == state
    others = {name: value for name, value in state_of.items() if name != check}
    assert "fault" not in others.values()
    if check in connection_checks._STEPS:
        before = connection_checks._STEPS[: connection_checks._STEPS.index(check)]
        assert {state_of[name] for name in before} <= {"ok"}
    assert state_of["job"] == state_of["home-writable"] == "skipped"


def test_without_a_terminal_login_is_named(hec: cluster.Cluster) -> None:
    results = blamed(hec, "denied", CODE)
    assert check_of(results, "second-factor").fix.startswith("invoke login hec ")
    assert (results.state, checks.exit_code([results])) == ("unknown", 1)


def test_no_answer_where_no_vpn_is_known(penguins: cluster.Cluster, hec: cluster.Cluster) -> None:
    assert states(blamed(penguins, "no-answer"))["port"] == "fault"
    assert "Lancaster University VPN" in check_of(blamed(hec, "no-answer"), "vpn").fix


def test_a_computer_that_is_not_online(hec: cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_checks, "_names_resolve", lambda: False)
    assert "is it online?" in check_of(blamed(hec, "unresolved"), "dns").found


def test_a_key_where_nothing_can_be_typed_is_somebody_else_s_to_add(hec: cluster.Cluster) -> None:
    assert "supervisor" in check_of(blamed(hec, "denied", VERBOSE.replace(",password", "")), "key").fix
    assert "authorized_keys" in check_of(blamed(hec, "denied", REFUSED), "key").fix


def test_no_username() -> None:
    results = CheckResults(checks.CLUSTER)
    assert connection_checks.check_profile(results, "penguins", sandbox=False) is None
    check = check_of(results, "username")
    assert check.fix.startswith("invoke login penguins --user YOUR_USERNAME")
    assert "Ask Mariusz or Cyrus" in check.fix


def test_maintenance(penguins: cluster.Cluster) -> None:
    data = {**penguins.data, "cluster_policies": {"at_risk": "Tuesdays 08:00 to 10:00"}}
    cluster = replace(penguins, data=data)
    for hour, state in ((9, "warning"), (11, "ok")):
        results = CheckResults(checks.CLUSTER)
        connection_checks.at_risk(results, cluster, time.strptime(f"2026-11-24 {hour:02}:00", "%Y-%m-%d %H:%M"))
        assert check_of(results, "at-risk").state == state
