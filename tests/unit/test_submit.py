"""What `submit` decides on this side, and what its program does there where a disk is full."""

import errno
import os
import resource
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rookery.clusters.config import profile
from rookery.clusters.login_node import remote_client
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError
from rookery.core.errors import RookeryError
from rookery.jobs.run_record import RunRecord
from rookery.jobs.submit import deploy_first, report, request, sending, tags
from rookery.jobs.submit.request import SubmitRequest
from rookery.projects import commit
from rookery.projects.target import Target
from rookery.remote.slurm import basics, following


def test_a_file_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "12.json"
    basics.write(str(path), "before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            basics.write(str(path), "after" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("12.json", "before")]


def test_the_command_of_a_hint_asks_for_the_same_again() -> None:
    wanted = SubmitRequest("seals", path="own script.sh", after=("4711", "fit"), tag="run-1")
    cluster = replace(profile.load("hec", overrides={"cluster_user": "ada"}), sandbox=True)
    command = "invoke submit 'own script.sh' --after 4711 --after fit --tag run-1 --cluster hec --sandbox"
    assert Target(None, Connection(cluster)).next(request.command(wanted)) == command
    assert request.command(SubmitRequest("seals", job="fit", failed_of="12")) == "invoke submit fit --failed 12"
    assert request.command(SubmitRequest("seals", job="fit", fit=("--mem=1G",))) == "invoke submit fit --fit"


def target_of(cluster: Any, root: Path) -> Any:
    """A project without jobs and a cluster that nothing is asked of."""
    project = SimpleNamespace(root=root, jobs={})
    return SimpleNamespace(
        cluster=cluster, project=project, required_project=project, flags=" --cluster hec", next=str, connection=None
    )


@pytest.mark.parametrize(
    ("path", "command", "whole"),
    [
        ("", "invoke jobs 41   # shows why", "invoke jobs 41 --cluster hec   # shows why"),
        ("a b", "invoke jobs 41", "invoke jobs 41 --cluster hec"),
        ("a b", "invoke deploy   # then submit", "invoke deploy --cluster hec --project 'a b'   # then submit"),
        ("a b", "invoke setup", "invoke setup --cluster hec"),
        ("a b", "invoke docs rookery-yml", "invoke docs rookery-yml"),
        ("a b", "run the same command again", "run the same command again"),
    ],
)
def test_a_hint_names_cluster_and_project(path: str, command: str, whole: str) -> None:
    cluster = profile.load("hec", overrides={"cluster_user": "ada"})
    assert Target(None, Connection(cluster), path).next(command) == whole


@pytest.mark.parametrize(("state", "stays"), [("unknown", True), ("broken", True), ("no-script", False)])
def test_a_submission_of_which_nothing_is_known_is_looked_for_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, stays: bool
) -> None:
    cluster = profile.load("hec", overrides={"cluster_user": "ada"})
    target = target_of(cluster, tmp_path)
    wanted = SubmitRequest("seals", job="fit", failed_of="12", token="0" * 32)
    monkeypatch.setattr(request, "local_text", lambda *_: None)
    monkeypatch.setattr(sending.remote_client, "call", lambda *_: {"state": state, "said": "no answer"})
    with pytest.raises(RookeryError) as raised:
        sending._send(target, wanted)
    assert request.token_file(target, wanted).exists() == stays
    assert str(raised.value.hint).startswith("invoke submit fit --failed 12   # checks first") == (state == "unknown")


@pytest.mark.parametrize(
    ("state", "stays"), [("no-job", True), ("not-deployed", True), ("refused", False), ("changed", False)]
)
def test_one_that_may_have_been_submitted_is_not_forgotten_before_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, stays: bool
) -> None:
    cluster = profile.load("hec", overrides={"cluster_user": "ada"})
    target = target_of(cluster, tmp_path)
    wanted = SubmitRequest("seals", job="fit", token="0" * 32)
    earlier = "1" * 32
    request.save_token(request.token_file(target, wanted), earlier, "")
    asked: list[dict[str, Any]] = []
    answer = {"state": state, "said": "", "jobs": [], "stamp": {}, "what": ["rows"], "before": "a" * 40}
    monkeypatch.setattr(request, "local_text", lambda *_: None)
    monkeypatch.setattr(sending.remote_client, "call", lambda *given: asked.append(given[2]) or answer)
    with pytest.raises(RookeryError):
        sending._send(target, wanted)
    assert (asked[0]["token"], asked[0]["again"]) == (earlier, True)
    assert request.read_token(request.token_file(target, wanted))[0] == (earlier if stays else "")


def test_a_miniature_s_submissions_are_its_own(tmp_path: Path) -> None:
    cluster = profile.load("hec", overrides={"cluster_user": "ada"})
    target = target_of(cluster, tmp_path)
    assert (cluster.label, request.token_file(target, SubmitRequest("seals", job="fit")).name) == (
        "hec",
        ".submitting-hec-fit",
    )
    target.cluster = replace(cluster, sandbox=True)
    assert target.cluster.label == "hec-sandbox"
    assert request.token_file(target, SubmitRequest("seals", job="fit")).name == ".submitting-hec-sandbox-fit"


def test_each_submission_has_a_note_of_its_own(tmp_path: Path) -> None:
    cluster = profile.load("hec", overrides={"cluster_user": "ada"})
    target = target_of(cluster, tmp_path)
    requests = [{"path": "runs/a.sh"}, {"path": "runs_a.sh"}, {"job": "runs_a"}, {"job": "fit", "failed_of": "12"},
              {"job": "fit-failed-12"}, {"path": "x" * 300}]  # fmt: skip
    names = {request.token_file(target, SubmitRequest("seals", **fields)).name for fields in requests}
    assert len(names) == len(requests)
    assert max(map(len, names)) < 200


@pytest.mark.parametrize(
    ("error", "looks"),
    [
        (RookeryError("a script took longer than 180 s."), True),
        (RookeryError("hec gave no answer: no", hint="invoke doctor --cluster hec"), True),
        (SshError("lost", "The connection broke.", hint="again"), True),
        (SshError("startup", "Start-up files end the shell.", hint="edit"), False),
        (remote_client.NoPythonError("hec has no Python yet.", hint="invoke setup --cluster hec"), False),
    ],
)
def test_what_kept_a_submission_from_beginning_has_its_own_next_command(
    monkeypatch: pytest.MonkeyPatch, error: RookeryError, looks: bool
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(sending.remote_client, "call", fails)
    target: Any = SimpleNamespace(connection=None, next=str)
    before = error.hint
    with pytest.raises(RookeryError) as raised:
        sending._call(target, SubmitRequest("seals", job="fit"), {})
    assert ("checks first" in str(raised.value.hint), raised.value.hint != before) == (looks, looks)


def test_a_start_beyond_all_calendars_is_said_as_slurm_says_it() -> None:
    assert report._clock("9999-12-31T23:59:59Z")
    assert report._clock("9999-12-31T23:59:59-14:00") == "9999-12-31T23:59:59-14:00"


@pytest.mark.parametrize("there", [False, True])
def test_a_file_is_put_in_nobodys_place_without_hard_links_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(basics.os, "link", refused)
    (tmp_path / "made").write_text("mine")
    if there:
        (tmp_path / "key").write_text("theirs")
        with pytest.raises(FileExistsError):
            basics.put(str(tmp_path / "made"), str(tmp_path / "key"))
    else:
        basics.put(str(tmp_path / "made"), str(tmp_path / "key"))
    assert (tmp_path / "key").read_text() == ("theirs" if there else "mine")


@pytest.mark.parametrize("age", [0, basics.CUT_OFF + 1])
def test_what_was_cut_off_between_the_two_steps_of_a_put_is_in_nobodys_way_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(basics.os, "link", refused)
    (tmp_path / "made").write_text("mine")
    key = tmp_path / "key"
    key.touch()
    when = time.time() - age
    os.utime(key, (when, when))
    assert basics.stands(str(key)) == (age == 0)
    if age:
        basics.put(str(tmp_path / "made"), str(key))
        assert key.read_text() == "mine"
    else:
        with pytest.raises(FileExistsError):
            basics.put(str(tmp_path / "made"), str(key))


@pytest.mark.parametrize(
    ("asked", "noted", "state", "tag"),
    [
        ("run-1", "", "submitted", "run-1"),
        ("", "", "submitted", ""),
        ("", "run-0", "submitted", ""),
        ("", "run-0", "already", "run-0"),
        ("run-1", "run-0", "already", "run-1"),
        ("", "", "already", ""),
    ],
)
def test_a_tag_is_the_one_that_was_asked_for_on_this_side(
    tmp_path: Path, asked: str, noted: str, state: str, tag: str
) -> None:
    target = target_of(SimpleNamespace(label="hec"), tmp_path)
    wanted = SubmitRequest("seals", job="fit", tag=asked, token="ab" * 16)
    request.save_token(request.token_file(target, wanted), wanted.token, noted)
    record = {"job": "x", "id": "7", "cluster": "penguins", "project": "other", "tag": "--file=/etc/passwd"}
    made = sending._record_of(target, wanted, {"state": state, "record": record})
    assert (made.tag, made.job, made.cluster, made.project) == (tag, "fit", "hec", "seals")


@pytest.mark.parametrize("content", [b"", b"\xff", b"../../x\n", b"a" * 20_000])
def test_a_note_of_a_submission_that_is_none_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note").write_bytes(content)
    assert request.read_token(tmp_path / "note") == ("", "")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    for message in ("first", "second"):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", message)
    return tmp_path


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def test_a_tag_stands_on_the_commit_below_a_snapshot_not_on_what_is_checked_out(repository: Path) -> None:
    below = git(repository, "rev-parse", "HEAD^")
    assert tags.head(repository) != below
    tags.make(repository, RunRecord("fit", "12", "hec", commit="b" * 40, base=below, dirty=True, tag="run-1"))
    assert git(repository, "rev-parse", "run-1^{commit}") == below


def test_a_tag_is_signed_before_anything_is_submitted(repository: Path, tmp_path: Path) -> None:
    base, key = git(repository, "rev-parse", "HEAD"), tmp_path / "key"
    wanted = SubmitRequest("seals", job="fit", tag="run-1", token="ab" * 16)
    assert tags.signed(repository, wanted, "hec", base) == "", "git does not sign tags"
    for name, value in {"gpg.format": "ssh", "user.signingkey": str(key), "tag.gpgSign": "true"}.items():
        git(repository, "config", name, value)
    with pytest.raises(RookeryError, match="Nothing was submitted: git can't sign tag run-1"):
        tags.signed(repository, wanted, "hec", base)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signed = tags.signed(repository, wanted, "hec", base)
    assert git(repository, "tag") == "", "the job may be refused"
    key.unlink()  # nothing is asked for any more
    record = RunRecord("fit", "12", "hec", commit=base, base=base, tag="run-1", token=wanted.token)
    assert tags.make(repository, record, signed) == ""
    tag = git(repository, "cat-file", "tag", "run-1")
    assert "BEGIN SSH SIGNATURE" in tag
    assert f"submission: {wanted.token}" in tag
    assert git(repository, "rev-parse", "run-1^{commit}") == base


@pytest.mark.parametrize("commit", ["b" * 40, ""])
def test_what_was_deployed_from_elsewhere_can_t_be_tagged(repository: Path, commit: str) -> None:
    with pytest.raises(RookeryError, match="not in this repository"):
        tags.make(repository, RunRecord("fit", "12", "hec", commit="b" * 40, base=commit, tag="run-1"))
    assert git(repository, "tag") == ""


def test_a_task_that_is_being_signalled_has_not_failed() -> None:
    tasks = {str(number): following.LoggedTask(str(number), ["", state, "", "", "/w", str(number)])
             for number, state in enumerate(("COMPLETED", "SIGNALING", "REQUEUE_FED"))}  # fmt: skip
    task, why = following.chosen(tasks)
    assert (task.state, why) == ("SIGNALING", "the latest to start")


@pytest.mark.parametrize(
    ("job", "log", "shown"),
    [
        ("fit", "/r/logs/%x_%A_%a.out", "logs/fit_41_*.out"),
        ("fit", "/r/logs/%x_%j.out", "logs/fit_41.out"),
        ("slurm/fit.sh", "/elsewhere/%x-%j-%N.out", "/elsewhere/*-41-*.out"),
    ],
)
def test_the_log_is_shown_as_a_shell_finds_it(
    job: str, log: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = RunRecord(job, "41", "hec", release="/r", log=log)
    target: Any = SimpleNamespace(cluster=SimpleNamespace(name="hec", sandbox=False), project=None, next=str)
    report.submitted(target, {"state": "submitted", "stamp": {}, "warnings": [], "said": ""}, made)
    assert f"  log      {shown}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("log", "note"),
    [
        ("/r/slurm_logs/x_%j.out", ""),
        ("/r/logs/x/%j.out", ""),
        ("/r/logs2/%j.out", "slurm_logs, logs"),
        ("/r/slurm-%j.out", "slurm_logs, logs"),
        ("/elsewhere/%j.out", ""),
    ],
)
def test_a_log_that_fetch_will_not_copy_is_named(log: str, note: str) -> None:
    notes = report._log_notes(RunRecord("fit", "41", "hec", release="/r", log=log, outputs=("slurm_logs", "logs")))
    assert [text.partition("(")[2].rstrip(")") for text in notes] == [note] * bool(note)


def test_what_has_completed_is_no_job_to_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--chdir=/r", "--dependency=afterok:40:41", "--kill-on-invalid-dep=yes")
    made = RunRecord("fit", "42", "hec", after=("39", "40", "41"), options=options)
    target: Any = SimpleNamespace(cluster=SimpleNamespace(name="hec", sandbox=False), project=None, next=str)
    report.submitted(target, {"state": "submitted", "stamp": {}, "warnings": [], "said": ""}, made)
    assert "Submitted job 42 (fit) to hec, to start after job 40, 41\n" in capsys.readouterr().out


def test_nothing_that_a_cluster_answers_reaches_the_terminal_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    bad = "\x1b]0;mine\x07\x1b[2J\nnext: evil"
    texts = {key: f"{key}{bad}" for key in ("job", "id", "log", "when", "failed_of", "tag")}
    made = RunRecord(cluster="hec", release="/r", array="1-2", options=(f"--dependency=afterok:{bad}",), **texts)
    target: Any = SimpleNamespace(
        cluster=SimpleNamespace(name="hec", sandbox=False), project=None, next=str, connection=None
    )
    for state in ("submitted", "already"):
        answer = {"state": state, "stamp": {}, "warnings": [bad], "said": bad, "record": {}}
        report.submitted(target, answer, made)
        out = capsys.readouterr().out
        assert all(line.isprintable() for line in out.splitlines())
        assert not [line for line in out.splitlines() if line.startswith("next: evil")]
    answer = {"ok": True, "stamp": {}, "said": f"sbatch: Job 1 to start at {bad} in partition {bad}"}
    report.tested(target, SubmitRequest("seals", job=f"fit{bad}"), answer, json=False)
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("identity", "changes", "question"),
    [
        ("a", (), ""),
        ("b", (), "hec has commit aaaaaaa, not your current one, bbbbbbb. Deploy that first?"),
        ("c", ("fit.py",), "Uncommitted changes are not on hec: fit.py. Deploy them first, marked as uncommitted?"),
    ],
)
def test_a_deploy_is_proposed_where_other_files_are_deployed(
    tmp_path: Path, identity: str, changes: tuple[str, ...], question: str
) -> None:
    head = "b" if changes else identity
    local = commit.Commit(tmp_path, identity * 40, head * 40, changes=changes)
    assert deploy_first.question_about(local, "a" * 40, "hec") == question


def test_uncommitted_changes_that_are_deployed_are_not_asked_about(tmp_path: Path) -> None:
    local = commit.Commit(tmp_path, "c" * 40, "b" * 40, changes=("fit.py",))
    assert deploy_first.question_about(local, "c" * 40, "hec") == ""
