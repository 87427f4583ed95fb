"""Readers of what clusters answer: whatever it is, a RookeryError or an answer, and soon.

Each input is a good one with some parts replaced. `ROOKERY_FUZZ` says how many are tried of each (fuzzing.py).
"""

import base64
import json
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from frames import framed
from fuzz_inputs import COMMIT, CONNECTION, MADE, tolerated
from fuzzing import broken, contents, garbled, in_time
from hypothesis import example, given
from hypothesis import strategies as st

from rookery.clusters.login_node import answers, frame, remote_client
from rookery.clusters.login_node import facts as probe
from rookery.clusters.ssh.process import Completed
from rookery.homes import undo, up_to_date
from rookery.homes.vscode import prune as servers
from rookery.jobs import run_record
from rookery.jobs.monitor import accounting, job_table, queue, quota
from rookery.jobs.results import remote_listing
from rookery.jobs.results.download import Arrivals
from rookery.projects import prune, release_protocol
from rookery.projects.slurm_values import task_ranges
from rookery.remote.slurm import accounting as account_reader
from rookery.remote.slurm import ended_jobs, following, forms, tables
from rookery.remote.slurm.jobs import SlurmJob, SlurmTask

pytestmark = pytest.mark.usefixtures("state_of_its_own")


STAMP = {"commit": COMMIT, "dirty": False, "when": "2026-11-22T10:00:00Z"}
SUBMISSIONS = [
    {"state": "submitted", "record": MADE, "stamp": STAMP, "said": "", "warnings": ["x"]},
    {"state": "tested", "ok": True, "said": "to start at", "stamp": STAMP},
    {"state": "look", "script": "#!", "path": "a.sh", "digest": "0" * 64, "base": COMMIT, "stamp": STAMP},
    {"state": "refused", "said": "no", "stamp": STAMP},
    {"state": "failed-before", "number": "7", "name": "a", "states": ["FAILED"], "stamp": STAMP},
]
QUEUED = {"number": "7", "state": "PENDING", "reason": "None", "node": "", "start": "N/A", "end": "N/A"}
HOSTS = [
    {"state": "ready", "number": "7", "node": "wn1", "end": "17", "key": "ssh-ed25519 " + "A" * 68, "overlap": True},
    {**QUEUED, "state": "waiting"},
    {"state": "stopped", "jobs": [QUEUED]},
    {"state": "other", "number": "7", "node": "wn1", "about": {"cpus": 2}},
]
LOGS = [
    {"state": "begin", "path": "/a", "task": "1", "why": "", "total": 1, "job": "RUNNING", "reason": ""},
    {"state": "no-task", "tasks": [1, 2], "array": True},
]


@given(st.one_of([broken({"program": program, "answer": answer})
                  for program, all_ in (("submission", SUBMISSIONS), ("host", HOSTS), ("following", LOGS))
                  for answer in all_]))  # fmt: skip
def test_answers_of_programs(told: Any) -> None:
    with tolerated():
        program = told.get("program") if isinstance(told, dict) else None
        if not isinstance(program, str) or program not in answers.PROGRAMS:
            return
        parsed = remote_client.read(CONNECTION, program, framed(told.get("answer"))) or {}
        if parsed["state"] in {"submitted", "already"} and program == "submission":
            assert run_record.read(parsed["record"]).id.isdigit()


ACCOUNTS = "\x1f".join(
    ["12_1", "13", "simulate", "FAILED", "1:0", "60", "120", "4G", "", "00:01.5", "2", "1", "", "None", "/home/a", "p",
     "1700000000", "1700000010", "1700000070", ""]
) + "\n" + "\x1f".join(
    ["12_1.batch", "13.batch", "batch", "FAILED", "0:9", "60", "", "", "4000K", "00:01.5", "2", "1", "1", "", "", "",
     "1700000000", "1700000010", "1700000070", ""]
) + "\n" + "\x1f".join(
    ["12_[2-4%2]", "12", "simulate", "CANCELLED by 1000", "0:0", "0", "120", "4Gn", "", "", "2", "1", "", "None",
     "/home/a", "p", "1700000000", "Unknown", "Unknown", ""]
) + "\n"  # fmt: skip
QUEUE = "\x1f".join(
    ["12_[5-9]", "12", "5-9", "simulate", "PENDING", "Resources", "0:00", "1-00:00:00", "N/A", "N/A", "2", "4G", "/h",
     "p", "1700000000", "(null)", ""]
) + "\n"  # fmt: skip


@given(garbled(ACCOUNTS), garbled(QUEUE))
def test_squeue_and_sacct(accounts: str, queued: str) -> None:
    """What is made of them there is never refused here."""
    jobs: dict[int, SlurmJob] = {}
    with in_time():
        tables.read_accounts(accounts, jobs)
        tables.read_queue(queued, jobs)
        tables.cancel_forgotten(jobs, {7: "1-3"}, 1.8e9)
        entries = [job.entry() for job in account_reader.chosen(jobs, {}).values()]
    assert all(ended_jobs._is_entry(entry) for entry in entries)
    answer = {"now": 1, "uid": 1, "squeue": accounts[:50], "sacct": "", "jobs": entries}
    text = json.dumps(answer).replace("\\u0000", "").encode()
    shown(accounting.read(remote_client.read(CONNECTION, "accounting", framed(None, text=text)) or {}))


ENTRY = SlurmJob(7)
ENTRY.tasks[1], ENTRY.is_array = SlurmTask("FAILED"), True


@given(broken({"now": 1, "uid": 1, "squeue": "", "sacct": "", "jobs": [ENTRY.entry()]}))
def test_answers_about_jobs(told: Any) -> None:
    with tolerated():
        shown(accounting.read(remote_client.read(CONNECTION, "accounting", framed(told)) or {}))


def shown(snapshot: accounting.SlurmSnapshot) -> None:
    target = cast("Any", SimpleNamespace(project=None, cluster=CONNECTION.cluster, next=str))
    json.dumps(job_table.document(snapshot, target))
    for run in snapshot.runs:
        run.failed(snapshot.uid)
    job_table.table(snapshot.runs)
    list(job_table.remarks(snapshot, snapshot.runs, target))


@given(garbled("1-3%2", "[1,5-9:2]", "0-90:10"))
def test_arrays(text: str) -> None:
    with in_time():
        assert len(forms.numbers(text)) <= forms.LAST_TASK + 1
        try:
            sum(map(len, task_ranges(text)))
        except ValueError:
            return


@given(garbled("12_3\x1f13\x1fRUNNING\x1fNone\x1fa\x1f/h\x1f17\x1f\n"), garbled("%x_%A_%4a.out"))
@example("12_3\x1f13\x1f\n\x1f\x1f/h\x1f17\x1f\n", "%x.out")
def test_logs(line: str, pattern: str) -> None:
    tasks: dict[str, following.LoggedTask] = {}
    following._take(tasks, "12", line.split("\x1f"))
    if tasks and "" not in tasks:
        following.chosen(tasks)
    for task in tasks.values():
        following.expand(pattern, "12", task)


SINFO = "".join(value.ljust(width) for value, width in zip(
    ("p*", "up", "1-00:00:00", "4", "idle", "0/8/0/8", "gpu:v100:3(S:0)", "gpu:v100:1"), queue._COLUMNS.values(),
    strict=True,
))  # fmt: skip
GPFS = "Filesystem Quota Used Avail Use% # files\nhome 10G 5.50G 4.50G 55.00 24840\n"
DF = f"rookery-quota:\n{GPFS}rookery-exit: 0\nrookery-area: home /home/a\nrookery-df: /dev/a 10 5 5 50% /home\n"


@given(garbled(SINFO), garbled(DF), st.sampled_from(("gpfsquota", "quota-s")))
def test_sinfo_and_quotas(sinfo: str, df: str, form: str) -> None:
    with tolerated():
        queue.read(sinfo, {})
        quota.read(df, {"cluster_quota": {"format": form}})


PROFILE = {
    "cluster_title": "HEC", "cluster_storage": [{"name": "home", "expression": "$HOME"}],
    "cluster_quota": {"format": "gpfsquota"},
}  # fmt: skip
PROBE = "".join(
    f"rookery-fact {line}\n"
    for line in (
        "home /home/a", "user a", "architecture x86_64", "storage home /home/a", "free_mb home 100", "moving_mb 1",
        "python 3.6.8 /usr/bin/python3", "installed_mb home 5", "quota home 10G 5.50G 4.50G 55.00 24840",
        "complete yes",
    )
)  # fmt: skip
SERVERS = "1\t1700000000\t200000\t2000\t/home/a/.vscode-server/bin/abc\n"
LISTING = "f 5 1700000000.5 current/results/a\0l 3 1.0 current/results/l\0missing current/logs\0times 10 Unknown\0"


@given(garbled(PROBE), garbled(SERVERS), garbled(LISTING))
@example("rookery-fact python 3.0A6.8 /usr/bin/python3\n" + PROBE, SERVERS, LISTING)
def test_facts_servers_and_listings(tmp_path: Path, facts: str, list_: str, listing: str) -> None:
    with tolerated():
        servers.read(list_, 1.8e9)
        remote_listing.of_job(remote_listing.read(listing), "12")
        Arrivals(tmp_path, "hec").plan(remote_listing.read(listing).files, ["results"])
        assert probe.read(facts, PROFILE)["home"].startswith("/")


RELEASE = (
    f"have {COMMIT}\nstate new\nbefore {COMMIT}\nrelease /home/a/r\nenvironment python built /p\nseconds python 4\n"
    f"kept /a\nremoved {COMMIT}\nkept {COMMIT} a job uses it\nfreed 100\nfree 100 /home\nstop slurm no answer\n"
)


@given(garbled(RELEASE))
def test_answers_of_deploys(text: str) -> None:
    from rookery.projects.deploy_report import Result
    from rookery.projects.options import DeployOptions

    with tolerated():
        answer = release_protocol.read(text)
        made = release_protocol.Release(release_protocol.Order("a", COMMIT, "", "w"), {})
        commit = SimpleNamespace(id=COMMIT, dirty=False, changes=(), results=())
        if answer.state:
            for check in (True, False):
                request = DeployOptions(check=check)
                result = Result(request, made, cast("Any", commit), answer, CONNECTION, 1.0)
                json.dumps(result.document()) and list(result.lines())
        connection = SimpleNamespace(cluster=CONNECTION.cluster, run=lambda **_: SimpleNamespace(stdout=text))
        pruned = prune.prune(cast("Any", connection), "seals", check=False)
        json.dumps(pruned.document()) and list(pruned.lines())


DOCTORED = PROBE + "".join(
    f"rookery-doctor {line}\n"
    for line in (
        "epoch 1700000000", "path-command /usr/bin:/bin", "writable yes", "shell bash", "startup quiet",
        "path-login /usr/bin:/bin", 'expected "path": ["~/x/bin"]', "resets .bashrc:3",
        "variable global_storage there /s/a", "module yes R/4.3.1", "r /usr/bin/Rscript Rscript (R) version 4.2",
        "python /usr/bin/python3 Python 3.9.2", "conda .bashrc", "cache home/.cache link /s/a/.cache", "slurm up",
        "partition serial|up|idle|4", "internet yes", "watches 100", "instances 128", "vscode-server 1000 20",
        "complete yes", "submitted 12", "ended 3.5", "job-node wn1", "job-path /usr/bin", "job-internet no x",
        "waits PENDING|Resources", "refused sbatch: error: no",
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def hec() -> Any:
    from dataclasses import replace

    from rookery.clusters.config import profile
    from rookery.core import paths

    return replace(profile.load("hec", [paths.root() / "inventory"]), user="ada")


@given(garbled(DOCTORED))
def test_answers_of_doctor(hec: Any, text: str) -> None:
    from rookery.support.doctor import checks, home_checks, inspection
    from rookery.support.doctor import slurm_checks as slurm
    from rookery.support.doctor.checks import CheckResults

    with tolerated():
        results, home = (
            CheckResults(checks.CLUSTER),
            inspection.read(text, hec.data, up_to_date.HomeComparison(problem="x"), 1.7e9, 1.7e9 + 1),
        )
        home_checks.judge(results, hec, home)
        slurm.judge(results, hec, home)
        slurm.judge_job(results, hec, inspection.marked_values(text, "rookery-doctor "), home=home)


SEALED = {
    "version": 1, "run": "r", "digest": "d", "rookery": "0.1", "play": "p", "engines": ["a"], "roles": {"r": "1"},
    "variables": {"v": "1"}, "unsteady": [], "facts": {"home": "/h", "pythons": [{"version": "3.6"}]}, "glance": ["a"],
    "when": "2026", "python": "3.6.8", "declared": ["r"],
}  # fmt: skip
THING = {"kind": "files", "path": "/h/a", "what": "a", "state": "removed", "note": "", "role": "r", "how": "changed"}
QUICK = {"same": True, "python": "3.6.8", "asked": "", "lease": "7b7d", "facts": ""}
CONVERGED = [
    {"found": True, "outcomes": [THING], "notes": ["n"]},
    {"entries": 1, "ended": True, "complete": True, "drift": [THING], "tests": [], "untold": False, "sealed": SEALED,
     "new": [], "gone": [], "python": "3.6.8", "tools": {"uv": "1"}, "output": PROBE},
    {"failed": True, "msg": "m", "hint": None, "details": ["d"], "changed": False, "outcomes": [], "diff": []},
    {"to": "", "probed": PROBE}, QUICK,
]  # fmt: skip
ASKED = {"rookery": "0.1", "play": "p", "engines": [], "roles": {}, "variables": {}, "unsteady": [], "digest": "d"}


@given(st.one_of([broken(one) for one in CONVERGED]), st.sampled_from(("good", "cut", "bomb")), contents(SEALED))
def test_answers_of_the_apply_program(value: Any, packed: str, sealed: bytes) -> None:
    if isinstance(value, dict) and "asked" in value:
        import hashlib

        value["asked"] = (hashlib.sha256(sealed).hexdigest().encode() + b"\n" + sealed).hex()
    data = zlib.compress(json.dumps(value).encode(errors="surrogatepass"))
    data = {"good": data, "cut": data[:-3], "bomb": data + b"x"}[packed]
    done = Completed(0, f"noise\n<<<rookery:{base64.b64encode(data).decode()}:rookery>>>\n", "", "")
    for use in (up_to_date.read, up_to_date.read_quick):
        with tolerated():
            look = use(done)
            look.reason_to_run(ASKED)
    with tolerated():
        answer = frame.last(done.stdout, answers.apply_program)
        account = undo.Account()
        account.take(answer or {})
        undo._show("hec", account, cast("Any", SimpleNamespace(check=True, purge=False)))
