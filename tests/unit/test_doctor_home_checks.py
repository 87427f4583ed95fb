"""Doctor's checks of a home, its storage and its tools, by what was seen there."""

from dataclasses import replace

import pytest
from doctor_homes import HEALTHY, LOOK, check_of, inspected, states

from rookery.clusters import cluster
from rookery.clusters.login_node.quota_formats import Area
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.homes import up_to_date
from rookery.support.doctor import checks, connection_checks, home_checks, inspection, slurm_checks, storage_checks
from rookery.support.doctor.checks import CheckResults
from rookery.support.doctor.inspection import HomeInspection

pytestmark = pytest.mark.usefixtures("home_of_its_own")


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
    "system python3": (
        "python",
        "fault",
        "python3 /t/bin/python3 Python 3.13.5",
        "python3 /usr/bin/python3 Python 3.6.8",
    ),
    "broken python": ("python", "fault", "Python 3.13.5", "libpython.so: cannot open"),
    "no python": ("python", "fault", "python /t/bin/python Python 3.13.5", "python "),
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
    "no place for outputs": ("storage", "fault", "ROOKERY_STORAGE there /s/a", "ROOKERY_STORAGE absent"),
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


def test_a_python_that_a_start_up_file_puts_first(hec: cluster.Cluster) -> None:
    path = ("path-login /t/bin:/usr/bin", "path-login /opt/conda/bin:/t/bin:/usr/bin")
    other = ("python /t/bin/python Python 3.13.5", "python /opt/conda/bin/python Python 3.11.2")
    check = check_of(judgement(hec, path, other), "python")
    assert (
        "`python` is 3.11.2 (/opt/conda/bin/python) instead of 3.13: a start-up file puts /opt/conda/bin" in check.found
    )
    assert "setup" not in check.fix
    assert "grep" in check.fix


def test_a_home_that_is_not_set_up(hec: cluster.Cluster) -> None:
    results = judgement(
        hec, ("~/.cache link /s/a/.cache", "~/.cache own"), look=up_to_date.HomeComparison(answered=True)
    )
    assert [check.name for check in results.faults] == ["set-up"]
    assert check_of(results, "set-up").fix == "invoke setup hec"
    assert states(results)["caches"] == states(results)["path-login"] == states(results)["python"] == "skipped"


def test_a_home_that_has_drifted(hec: cluster.Cluster) -> None:
    drift = tuple({"role": "tmux", "kind": "files", "path": "/h", "what": f"~/{n}", "how": "removed"} for n in range(5))
    check = check_of(judgement(hec, look=replace(LOOK, drift=drift)), "set-up")
    assert (check.state, check.fix) == ("warning", "invoke setup hec")
    assert check.found == "changed since setup: ~/0: removed; ~/1: removed; ~/2: removed and 2 more"


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
    assert "programs in /s/a/rookery/x86_64 may have been replaced; do not run them" in fault.found
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
    assert (left.state, left.fix.partition(" # ")[0].strip()) == ("warning", "invoke undo hec")


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
    assert check_of(judgement(hec, *changes, look=gone), "path-login").fix == "invoke setup hec"


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
            "your start-up files on the cluster end the shell before a command runs "
            "(exit status 1, last line: nothing).",
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
