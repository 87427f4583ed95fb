"""`doctor`: what is made of what was seen, for what no miniature can be made to have, and how it is told."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.clusters.login_node.quota_formats import Area
from rookery.clusters.ssh.errors import SshError
from rookery.core import failure_log, invocation, paths
from rookery.core.errors import RookeryError
from rookery.homes import up_to_date
from rookery.support import options
from rookery.support.doctor import (
    checks,
    command,
    connection_checks,
    home_checks,
    inspection,
    laptop_checks,
    report,
    slurm_checks,
    storage_checks,
)
from rookery.support.doctor.checks import Check, CheckResults
from rookery.support.doctor.inspection import HomeInspection


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ROOKERY_CALLED_AS", "invoke")
    yield tmp_path


@pytest.fixture(scope="module")
def penguins() -> cluster.Cluster:
    return replace(profile.load("penguins", [paths.root() / "inventory"]), user="ada")


@pytest.fixture(scope="module")
def hec() -> cluster.Cluster:
    return replace(profile.load("hec", [paths.root() / "inventory"]), user="ada", identity_file="/home/a/.ssh/id_x")


def states(results: CheckResults) -> dict[str, str]:
    return {check.name: check.state for check in results.checks}


def check_of(results: CheckResults, name: str) -> Check:
    return next(check for check in results.checks if check.name == name)


# -- the board


def test_what_is_put_down_first_stays_and_the_order_is_the_list_s() -> None:
    results = CheckResults(checks.CLUSTER)
    results.ok("port", "it answers")
    results.fault("dns", "no\nsuch \x1b[31mhost", "look\nit up")
    results.fault("port", "it does not", "")
    results.skip_rest("dns comes first")
    assert [check.name for check in results.checks] == list(checks.CLUSTER)
    assert check_of(results, "port").state == "ok"
    assert check_of(results, "dns").found == "no such host"
    assert check_of(results, "dns").fix == "look it up"
    assert (results.state, checks.exit_code([results])) == ("faults", 3)


def test_exit_codes() -> None:
    well, lost, ill = CheckResults(checks.WAY), CheckResults(checks.WAY), CheckResults(checks.WAY)
    well.warn("dns", "slow")
    well.skip("vpn", "not needed")
    lost.skip("second-factor", "no terminal", "invoke login --cluster hec")
    ill.fault("dns", "gone", "")
    assert [results.state for results in (well, lost, ill)] == ["healthy", "unknown", "faults"]
    assert [checks.exit_code(results_of) for results_of in ([well], [well, lost], [lost, ill])] == [0, 1, 3]


# -- this computer


@pytest.mark.parametrize(
    ("platform", "kernel", "state"),
    [
        ("win32", "", "fault"),
        ("msys", "", "fault"),
        ("linux", "Linux version 5.15.90.1-microsoft-standard-WSL2", "ok"),
        ("linux", "Linux version 4.4.0-19041-Microsoft", "warning"),
        ("linux", "Linux version 6.1.0-13-amd64", "ok"),
        ("darwin", "", "ok"),
    ],
)
def test_systems(platform: str, kernel: str, state: str) -> None:
    results = CheckResults(checks.LAPTOP)
    laptop_checks.system(results, platform, kernel)
    check = check_of(results, "system")
    assert check.state == state
    assert ("wsl" in check.fix) == (state != "ok")


def test_windows_itself_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(laptop_checks.sys, "platform", "win32")
    assert command.run(options.DoctorOptions(cluster="penguins", json=True)) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["exit"], document["clusters"]) == (1, 3, {})
    assert [check["state"] for check in document["laptop"]] == ["fault", *["skipped"] * (len(checks.LAPTOP) - 1)]
    assert set(document["laptop"][0]) == {"name", "title", "state", "found", "fix"}


@pytest.mark.parametrize(
    ("output", "state"),
    [
        ("OpenSSH_9.2p1 Debian-2, OpenSSL 3", "ok"),
        ("OpenSSH_7.4p1, OpenSSL 1.0.2k", "fault"),
        ("OpenSSH_for_Windows_8.1p1, LibreSSL", "ok"),
        ("hello", "warning"),
    ],
)
def test_versions(output: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho '{output}' >&2\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    results = CheckResults(checks.LAPTOP)
    laptop_checks.check_program(results, laptop_checks.PROGRAMS[0])
    assert check_of(results, "ssh").state == state


def test_how_a_program_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laptop_checks.shutil, "which", lambda _: None)
    assert laptop_checks.installing(laptop_checks.PROGRAMS[1], "linux").startswith("sudo apt install rsync ")
    assert laptop_checks.installing(laptop_checks.PROGRAMS[2], "darwin") == "xcode-select --install"
    monkeypatch.setattr(laptop_checks.shutil, "which", lambda name: "/usr/bin/dnf" if name == "dnf" else None)
    assert laptop_checks.installing(laptop_checks.PROGRAMS[0], "linux") == "sudo dnf install openssh-clients"


def test_the_ssh_folder(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"

    def look() -> Check:
        results = CheckResults(checks.LAPTOP)
        laptop_checks.ssh_folder(results, folder)
        return check_of(results, "ssh-folder")

    assert look().state == "ok"
    folder.write_text("")
    assert "no folder" in look().found
    folder.unlink()
    folder.mkdir(mode=0o755)
    (folder / "id_x y").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (folder / "id_x y.pub").write_text("ssh-ed25519 AAAA\n")
    (folder / "notes").write_text("nothing")
    (folder / "id_x y").chmod(0o600)
    assert look().found == "yours alone, with 1 private key"
    (folder / "id_x y").chmod(0o640)
    assert look().fix == f"chmod 600 '{folder}/id_x y'"
    folder.chmod(0o775)
    assert look().fix.startswith(f"chmod 700 {folder} && ")


# -- the way


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
    assert check_of(results, "second-factor").fix.startswith("invoke login --cluster hec ")
    assert (results.state, checks.exit_code([results])) == ("unknown", 1)


def test_no_answer_where_no_vpn_is_known(penguins: cluster.Cluster, hec: cluster.Cluster) -> None:
    assert states(blamed(penguins, "no-answer"))["port"] == "fault"
    assert "Lancaster University VPN" in check_of(blamed(hec, "no-answer"), "vpn").fix


def test_a_computer_that_is_not_online(hec: cluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_checks, "_names_resolve", lambda: False)
    assert "is this computer online?" in check_of(blamed(hec, "unresolved"), "dns").found


def test_a_key_where_nothing_can_be_typed_is_somebody_else_s_to_add(hec: cluster.Cluster) -> None:
    assert "supervisor" in check_of(blamed(hec, "denied", VERBOSE.replace(",password", "")), "key").fix
    assert "authorized_keys" in check_of(blamed(hec, "denied", REFUSED), "key").fix


def test_no_username() -> None:
    results = CheckResults(checks.CLUSTER)
    assert connection_checks.check_profile(results, "penguins", sandbox=False) is None
    check = check_of(results, "username")
    assert check.fix.startswith("invoke login --cluster penguins --user YOUR_USERNAME")
    assert "Ask Mariusz or Cyrus" in check.fix


def test_maintenance(penguins: cluster.Cluster) -> None:
    data = {**penguins.data, "cluster_policies": {"at_risk": "Tuesdays 08:00 to 10:00"}}
    cluster = replace(penguins, data=data)
    for hour, state in ((9, "warning"), (11, "ok")):
        results = CheckResults(checks.CLUSTER)
        connection_checks.at_risk(results, cluster, time.strptime(f"2026-11-24 {hour:02}:00", "%Y-%m-%d %H:%M"))
        assert check_of(results, "at-risk").state == state


# -- the home


HEALTHY = """noise of a start-up file
rookery-doctor epoch 1000
rookery-doctor path-command /t/bin:/usr/bin
rookery-doctor writable yes
rookery-doctor startup quiet
rookery-doctor path-login /t/bin:/usr/bin
rookery-doctor expected "path": ["/t/bin"]
rookery-doctor variable HOME there /home/a
rookery-doctor variable global_storage there /s/a
rookery-doctor variable global_scratch there /c/a
rookery-doctor module yes
rookery-doctor r /opt/R/bin/Rscript Rscript (R) version 4.3.1 (2023-06-16)
rookery-doctor python /t/bin/python3.13 Python 3.13.5
rookery-doctor cache ~/.cache link /s/a/.cache
rookery-doctor slurm up
rookery-doctor partition serial|up|idle|4
rookery-doctor partition test|up|mix|4
rookery-doctor partition parallel|up|mix|4
rookery-doctor internet yes
rookery-doctor watches 524288
rookery-doctor instances 512
rookery-doctor vscode-server 204800 2000
rookery-quota:
Filesystem          Quota      Used     Avail     Use%     # files
home                  10G     5.50G     4.50G    55.00      24840
rookery-exit: 0
rookery-area: home /home/a
rookery-df: gpfs0 1000 500 500 50% /home
rookery-fact home /home/a
rookery-fact architecture x86_64
rookery-fact glibc 2.28
rookery-fact storage persistent /s/a
rookery-fact python 3.6.8 /usr/bin/python3
rookery-doctor complete yes
"""
LOOK = up_to_date.HomeComparison(
    sealed={"rookery": "0.1.0", "when": "2026-05-01T10:00", "python": "3.6.8", "facts": {}},
    entries=4, ended=True, python="3.6.8", answered=True,
)  # fmt: skip


def inspected(
    cluster: cluster.Cluster, text: str = HEALTHY, look: up_to_date.HomeComparison = LOOK, began: float = 999.5
) -> HomeInspection:
    return inspection.read(text, cluster.data, look, began, began + 2)


def judgement(
    cluster: cluster.Cluster, *changes: tuple[str, str], look: up_to_date.HomeComparison = LOOK
) -> CheckResults:
    text = HEALTHY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    results, home = CheckResults(checks.CLUSTER), inspected(cluster, text, look)
    home_checks.judge(results, cluster, home)
    slurm_checks.judge(results, cluster, home)
    return results


@pytest.fixture(autouse=True)
def same_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for now is what was asked for then."""
    monkeypatch.setattr(up_to_date, "asked", lambda _: {})
    monkeypatch.setattr(up_to_date, "differences", lambda *_: [])
    monkeypatch.setattr(up_to_date.HomeComparison, "reason_to_run", lambda self, _: "drift" if self.drift else "")


def test_a_healthy_home(hec: cluster.Cluster) -> None:
    assert set(states(judgement(hec)).values()) == {"ok"}


CHANGES: dict[str, tuple[str, str, str, str]] = {
    # what: the check, its state, what is said otherwise, and how
    "prints": ("startup", "fault", "startup quiet", "startup prints Hello"),
    "hangs": ("startup", "warning", "startup quiet", "startup unclear"),
    "closed": ("home-writable", "fault", "writable yes", "writable no sh: 1: cannot create x: Permission denied"),
    "read-only": ("home-writable", "fault", "writable yes", "writable no sh: cannot create x: Read-only file system"),
    "nearly full": ("quota", "warning", "5.50G     4.50G    55.00", "8.50G     1.50G    85.00"),
    "full": ("quota", "fault", "5.50G     4.50G    55.00", "9.99G     0.01G    99.90"),
    "login path": ("path-login", "fault", "path-login /t/bin:/usr/bin", "path-login /usr/bin"),
    "login ends": ("path-login", "fault", "path-login /t/bin:/usr/bin", "path-login "),
    "command path": ("path-command", "fault", "path-command /t/bin:/usr/bin", "path-command /usr/bin"),
    "no module": ("modules", "fault", "module yes", "module no"),
    "module gone": ("modules", "warning", "module yes", "module yes opence/1.10.0"),
    "conda": ("conda", "fault", "rookery-doctor slurm up", "rookery-doctor conda .bashrc\nrookery-doctor slurm up"),
    "other python": ("python", "fault", "Python 3.13.5", "Python 3.9.1"),
    "broken python": ("python", "fault", "Python 3.13.5", "libpython.so: cannot open"),
    "no python": ("python", "fault", "python /t/bin/python3.13 Python 3.13.5", "python "),
    "no R": (
        "r",
        "fault",
        "r /opt/R/bin/Rscript Rscript (R) version 4.3.1 (2023-06-16)",
        "r  bash: Rscript: not found",
    ),
    "own cache": ("caches", "fault", "~/.cache link /s/a/.cache", "~/.cache own"),
    "no cache": ("caches", "fault", "~/.cache link /s/a/.cache", "~/.cache absent"),
    "cache elsewhere": ("caches", "fault", "~/.cache link /s/a/.cache", "~/.cache link /c/a/.cache"),
    "broken cache": ("caches", "fault", "~/.cache link /s/a/.cache", "~/.cache broken /s/old"),
    "no variable": ("storage", "fault", "global_scratch there /c/a", "global_scratch absent"),
    "no folder": ("storage", "fault", "global_scratch there /c/a", "global_scratch missing /c/a"),
    "no access": ("storage", "fault", "global_scratch there /c/a", "global_scratch closed /c/a"),
    "offline": ("internet-login", "warning", "internet yes", "internet no curl: (6) Could not resolve host"),
    "no commands": ("slurm", "fault", "slurm up", "slurm missing"),
    "no slurm": ("slurm", "fault", "slurm up", "slurm down slurm_load_partitions: Unable to contact slurm controller"),
    "closed partition": ("partition", "fault", "serial|up|idle|4", "serial|inact|idle|4"),
    "drained": ("partition", "fault", "serial|up|idle|4", "serial|up|drained*|4"),
    "no partition": ("partition", "fault", "serial|up|idle|4", "series|up|idle|4"),
    "old glibc": ("vscode", "warning", "glibc 2.28", "glibc 2.17"),
    "no server": ("vscode", "warning", "architecture x86_64", "architecture ppc64le"),
    "watches": ("vscode-watching", "warning", "watches 524288", "watches 8192"),
    "large": ("vscode-server", "warning", "vscode-server 204800 2000", "vscode-server 4194304 2000"),
    "many": ("vscode-server", "warning", "vscode-server 204800 2000", "vscode-server 204800 90000"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_thing_that_is_otherwise(hec: cluster.Cluster, what: str) -> None:
    """It is named by its check and by no other, and there is something to be done about it."""
    check, state, old, new = CHANGES[what]
    results = judgement(hec, (old, new))
    state_of = states(results)
    assert state_of[check] == state
    assert {name for name, value in state_of.items() if value in {"fault", "warning"}} == {check}
    assert check_of(results, check).fix or what == "hangs"


def test_a_home_that_is_not_set_up(hec: cluster.Cluster) -> None:
    results = judgement(
        hec, ("~/.cache link /s/a/.cache", "~/.cache own"), look=up_to_date.HomeComparison(answered=True)
    )
    assert [check.name for check in results.faults] == ["set-up"]
    assert check_of(results, "set-up").fix == "invoke setup --cluster hec"
    assert states(results)["caches"] == states(results)["path-login"] == states(results)["python"] == "skipped"


def test_a_home_that_has_drifted(hec: cluster.Cluster) -> None:
    drift = tuple({"role": "tmux", "kind": "files", "path": "/h", "what": f"~/{n}", "how": "removed"} for n in range(5))
    check = check_of(judgement(hec, look=replace(LOOK, drift=drift)), "set-up")
    assert (check.state, check.fix) == ("warning", "invoke setup --cluster hec")
    assert check.found == "drifted: ~/0: removed; ~/1: removed; ~/2: removed and 2 more"


def by_others(reason: str) -> tuple[str, str]:
    """A change to what is said: others can replace folders of the storage."""
    mark = "rookery-fact glibc"
    return mark, f"rookery-fact replaceable yes\nrookery-fact replaceable_by {reason}\n{mark}"


@pytest.mark.parametrize("reason", ["owner eve /s/a", "group staff /s", "everybody 0 /s"])
def test_programs_that_others_can_replace(hec: cluster.Cluster, reason: str) -> None:
    """They are called what they are, nothing that depends on them is judged, and `setup` is never the answer."""
    by = (
        (
            "rookery-fact glibc",
            f"rookery-fact replaceable yes\nrookery-fact replaceable_by {reason}\nrookery-fact glibc",
        ),
    )
    facts = {"prefix": "/s/a/rookery/x86_64", "home": "/home/a", "roomy": "/s/a"}
    look = replace(LOOK, sealed={**LOOK.sealed, "facts": facts}, output=by[0][1], new=("replaceable yes",))
    results = judgement(hec, *by, ("path-login /t/bin:", "path-login "), look=look)
    (fault,) = results.faults
    assert fault.name == "programs"
    assert "programs in /s/a/rookery/x86_64 may not be yours; do not run them" in fault.found
    assert reason.split()[1] in fault.found or reason.startswith("everybody")
    for name in ("programs", "set-up", "path-login", "path-command", "python", "caches"):
        assert "setup" not in check_of(results, name).fix
    at_home = replace(look, sealed={**LOOK.sealed, "facts": {**facts, "prefix": "/home/a/.local/share/rookery/x"}})
    assert states(judgement(hec, *by, look=at_home))["programs"] == ("fault" if "/s/a" in reason else "ok")


def test_caches_stay_in_the_home_where_others_can_replace_folders_of_the_storage(hec: cluster.Cluster) -> None:
    by = (
        "rookery-fact glibc",
        "rookery-fact replaceable yes\nrookery-fact replaceable_by group x /s\nrookery-fact glibc",
    )
    assert states(judgement(hec, by, ("~/.cache link /s/a/.cache", "~/.cache own")))["caches"] == "ok"
    left = check_of(judgement(hec, by), "caches")
    assert (left.state, left.fix.partition(" # ")[0].strip()) == ("warning", "invoke undo --cluster hec")


def test_a_line_of_ones_own_that_sets_path_anew(hec: cluster.Cluster) -> None:
    changes = (
        ("path-login /t/bin:/usr/bin", "path-login /usr/bin"),
        ("rookery-doctor writable", "rookery-doctor resets .profile:12\nrookery-doctor writable"),
    )
    fix = check_of(judgement(hec, *changes), "path-login").fix
    assert "sed -i.old" in fix
    assert "line 12 of ~/.profile" in fix
    gone = replace(
        LOOK, drift=({"role": "shell", "what": "rookery's lines", "how": "removed", "path": "", "kind": ""},)
    )
    assert check_of(judgement(hec, *changes, look=gone), "path-login").fix == "invoke setup --cluster hec"


def test_a_full_home_is_named_once(hec: cluster.Cluster) -> None:
    full = ("5.50G     4.50G    55.00", "10.00G     0.00G    100.00")
    results = judgement(hec, full, ("writable yes", "writable no sh: write error: Disk quota exceeded"))
    assert [check.name for check in results.faults] == ["quota"]


def test_files(hec: cluster.Cluster) -> None:
    for limit, state in ((100_000, "ok"), (30_000, "warning"), (24_900, "fault")):
        areas = [
            {**area, "quota_files": limit} if area["name"] == "home" else area for area in hec.data["cluster_storage"]
        ]
        results = judgement(replace(hec, data={**hec.data, "cluster_storage": areas}))
        assert states(results)["quota-files"] == state


def test_a_disk_without_a_quota_is_full_by_what_is_left(penguins: cluster.Cluster) -> None:
    for left, state in ((50, "fault"), (500, "warning"), (5000, "ok")):
        results = CheckResults(checks.CLUSTER)
        area = Area("home", used_mb=1e6, limit_mb=1e6 + left, source="df", path="/home")
        storage_checks.judge(
            results, penguins, HomeInspection(values={"writable": ["yes"]}, areas=(area,)), is_set_up=True
        )
        assert states(results)["quota"] == state


def test_clocks(penguins: cluster.Cluster) -> None:
    assert abs(inspected(penguins, began=1000.9).skew) < 1  # date cuts seconds off
    assert inspected(penguins, began=1100.0).skew == pytest.approx(-99)
    assert inspected(penguins, began=900.0).skew == pytest.approx(98)
    for skew, words in ((98.0, "98 s ahead of"), (-7200.0, "120 minutes behind")):
        results = CheckResults(checks.CLUSTER)
        home_checks.clock(results, skew)
        assert words in check_of(results, "clock").found


@pytest.mark.parametrize(
    ("profile_says", "answer", "state"),
    [
        ("yes", "no timed out", "warning"),
        ("http", "no timed out", "warning"),
        ("unknown", "no timed out", "ok"),
        ("no", "no timed out", "ok"),
        ("no", "yes", "ok"),
        ("yes", "yes", "ok"),
        ("yes", "", "skipped"),
    ],
)
def test_a_missing_internet_matters_where_the_profile_promises_one(
    hec: cluster.Cluster, profile_says: str, answer: str, state: str
) -> None:
    cluster = replace(hec, data={**hec.data, "cluster_internet": {"login": "yes", "compute": profile_says}})
    results = CheckResults(checks.CLUSTER)
    home_checks.internet(results, cluster, "compute", answer)
    assert check_of(results, "internet-compute").state == state


def test_the_address_that_is_tried(hec: cluster.Cluster) -> None:
    def of(pypi: str) -> str:
        return inspection.address(replace(hec, data={**hec.data, "cluster_mirrors": {"pypi": pypi}}))

    assert inspection.address(hec) == "https://pypi.org/simple/pip/"
    assert of("http://mirror:8080/simple/") == "http://mirror:8080/simple/pip/"
    assert of("file:///srv/simple") == ""


@pytest.mark.parametrize(
    ("message", "check"),
    [
        (
            "your start-up files there end the shell before a command runs (exit status 1, last line: nothing).",
            "startup",
        ),
        ("… (exit status 1, last line: This account is currently not available.).", "account"),
    ],
)
def test_a_home_that_carries_nothing_out(penguins: cluster.Cluster, message: str, check: str) -> None:
    results = CheckResults(checks.CLUSTER)
    connection_checks.note_connected(results, penguins, "")
    home_checks.unreachable(results, penguins, SshError("startup", f"penguins: {message}"))
    assert [fault.name for fault in results.faults] == [check]
    assert states(results)["slurm"] == "skipped"


def test_a_home_that_hangs(penguins: cluster.Cluster) -> None:
    results = CheckResults(checks.CLUSTER)
    home_checks.silent(results, penguins, RookeryError("penguins: a script took longer than 120 s."))
    assert [fault.name for fault in results.faults] == ["startup"]


# -- the queue


def job_judgement(cluster: cluster.Cluster, **values: str) -> CheckResults:
    results, home = CheckResults(checks.CLUSTER), inspected(cluster)
    slurm_checks.judge_job(
        results, cluster, {key.replace("_", "-"): [value] for key, value in values.items()}, home=home
    )
    return results


RAN = {"submitted": "7", "ended": "1", "job_node": "wn01", "job_path": "/t/bin", "job_internet": "yes"}


@pytest.mark.parametrize(
    ("values", "check", "state", "words"),
    [
        (RAN, "job", "ok", "over after 1 s, on wn01"),
        ({**RAN, "job_path": "/usr/bin"}, "path-job", "fault", "/t/bin not on its PATH"),
        ({**RAN, "job_preamble": "source x"}, "path-job", "fault", "`source x`"),
        ({**RAN, "job_storage": "persistent"}, "job", "warning", "does not see your storage: persistent"),
        ({"submitted": "7", "waits": "PENDING|Priority"}, "job", "warning", "others are before it in the queue"),
        ({"submitted": "7", "waits": "PENDING|PartitionTimeLimit"}, "job", "fault", "ask for less"),
        ({"submitted": "7", "waits": "PENDING|ReqNodeNotAvail, UnavailableNodes:wn1"}, "job", "fault", "(wn1)"),
        ({"refused": "sbatch: error: Invalid account"}, "job", "fault", "sbatch refuses it: Invalid account"),
        ({"submitted": "7", "vanished": "7"}, "job", "fault", "left the queue"),
        ({}, "job", "fault", "could not be tried"),
    ],
)
def test_what_comes_of_the_job(
    hec: cluster.Cluster, values: dict[str, str], check: str, state: str, words: str
) -> None:
    results = job_judgement(hec, **values)
    assert check_of(results, check).state == state
    assert words in check_of(results, check).found
    assert {fault.name for fault in results.faults} <= {check}
    assert results.has(*checks.QUEUE) or set(checks.QUEUE) - set(states(results)) == {"slurm", "partition"}


def test_a_cluster_without_a_queue(penguins: cluster.Cluster) -> None:
    results = CheckResults(checks.CLUSTER)
    cluster = replace(penguins, data={**penguins.data, "cluster_scheduler": "none"})
    assert slurm_checks.judge(results, cluster, inspected(cluster)) is None
    assert {states(results)[name] for name in checks.QUEUE} == {"skipped"}


def test_a_job_that_needs_an_account(penguins: cluster.Cluster) -> None:
    results = CheckResults(checks.CLUSTER)
    cluster = replace(penguins, data={**penguins.data, "cluster_account": {"required": True, "example": "bdlan09"}})
    assert slurm_checks.judge(results, cluster, inspected(cluster)) is None
    assert "bdlan09" in check_of(results, "partition").found


def test_the_job_s_script_holds_the_profile_s_own_lines(penguins: cluster.Cluster) -> None:
    text = slurm_checks.text(penguins)
    assert text.startswith("#!/bin/bash\n")
    assert 'source "${HOME}/start-pyenv"\n' in text
    assert "'<<" not in text


# -- what is told


TOLD: dict[str, Any] = {
    "version": 1, "rookery": "0.1.0", "when": "2026-11-22T21:00:00Z", "exit": 3,
    "laptop": [{"name": "ssh", "title": "ssh", "state": "ok", "found": "9.2", "fix": ""}],
    "clusters": {"hec": {"state": "faults", "checks": [
        {"name": "dns", "title": "the name", "state": "fault", "found": "no such host", "fix": "look"},
        {"name": "port", "title": "port", "state": "skipped", "found": "the name comes first", "fix": ""},
        {"name": "clock", "title": "clocks", "state": "warning", "found": "late", "fix": ""},
    ]}},
}  # fmt: skip


def test_a_line_for_what_is_not_well() -> None:
    assert report.lines(TOLD) == [
        ("", "this computer: 1 check well"),
        ("", "hec: 1 fault, 1 to mind, 0 checks well, 1 not looked at"),
        ("fault", "the name: no such host"),
        ("fix", "look"),
        ("warning", "clocks: late"),
    ]
    assert len(report.lines(TOLD, all_of_them=True)) == 7


def test_the_report_is_text_and_then_the_same_as_data(tmp_path: Path) -> None:
    path = tmp_path / "ada.txt"
    report.writable(path)
    report.write(path, TOLD, str)
    text = path.read_text()
    assert text.startswith(f"{report.HEAD}\n")
    assert json.loads(text.partition(f"{report.RULE}\n")[2]) == TOLD
    report.writable(path)  # a report may take the place of a report
    (tmp_path / "thesis.tex").write_text("mine")
    for wrong in (tmp_path / "thesis.tex", tmp_path, tmp_path / "none/x.txt"):
        with pytest.raises(RookeryError):
            report.writable(wrong)


def test_a_cluster_that_is_not_known() -> None:
    with pytest.raises(RookeryError, match="No cluster is called 'penguin'"):
        command.run(options.DoctorOptions(cluster="penguin"))


def test_without_a_cluster_it_looks_at_this_computer(capsys: pytest.CaptureFixture[str]) -> None:
    code = command.run(options.DoctorOptions())
    output = capsys.readouterr().out
    assert output.startswith("this computer: ")
    assert code == 0
    assert "next: invoke doctor --cluster NAME" in output


def test_what_rookery_itself_failed_at_goes_into_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(
        sys, "argv", ["/opt/bin/rookery", "submit", "WANDB_TOKEN=hush", "https://ada:hush@index.example/"]
    )
    for number in range(failure_log.KEPT + 5):
        file = failure_log.write(KeyError(number))
    assert file is not None
    assert len(list(file.parent.iterdir())) == failure_log.KEPT
    assert "hush" not in file.read_text()
    report.write(tmp_path / "report.txt", TOLD, lambda text: text.replace(str(failure_log.KEPT + 4), "REDACTED"))
    content = (tmp_path / "report.txt").read_text()
    assert content.count("---- rookery itself failed:") == 3
    assert "KeyError: REDACTED" in content
    assert content.index("KeyError") < content.index(report.RULE)


def test_a_state_folder_that_cannot_be_written_to_hides_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rookery").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert failure_log.write(KeyError("x")) is None
    assert "ROOKERY_DEBUG=1" in invocation.explain(KeyError("x"))
