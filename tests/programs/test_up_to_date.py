"""`setup` of a home that is up to date: it never says that nothing is to do where a full run would change something."""

import io
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from frames import framed
from home_helpers import Login, pythons

from rookery.clusters import cluster as cluster_module
from rookery.clusters.config import profile
from rookery.clusters.login_node import answers, bundle, frame
from rookery.clusters.ssh.process import Completed
from rookery.core import paths
from rookery.homes import up_to_date
from rookery.remote.apply import fingerprint_check
from rookery.remote.apply import last_run as notes

RUN = {"id": "run-1", "who": "sam", "laptop": "teapot"}
LOOKS = 'for path in "$HOME/lib" "$HOME/version"; do echo "rookery-sees: $path"; done; test -e "$HOME/lib/wanted"'


def declarations(login: Login) -> dict[str, dict[str, Any]]:
    """What three roles declare: something of every kind."""
    install = 'mkdir -p "$HOME/lib" && touch "$HOME/lib/wanted"; echo x >> "$HOME/runs"'
    return {
        "shell": {
            "directories": [{"path": "~/.config/rookery"}, {"path": "~/strict", "mode": "0700", "enforce": True}],
            "files": [
                {"path": "~/.config/rookery/env.sh", "content": "one\ntwo\n"},
                {"path": "~/program", "content": "#!/bin/sh\n", "mode": "0755"},
                {"path": "~/.condarc", "content": "mine\n", "keep": True},
            ],
            "blocks": [{"path": "~/.bashrc", "content": "echo ours\n", "position": "top"}],
            "environment": {"name": "10-shell", "variables": {"A": "b"}, "path": ["~/bin"]},
        },
        "storage": {
            "moves": [{"path": "~/.cache", "storage": str(login.storage)}],
            "links": [{"path": "~/link", "target": "~/strict"}],
            "json": [{"path": "~/settings.json", "values": {"ours": {"a": 1}, "b": True}}],
        },
        "tools": {
            "commands": [
                {"what": "Make", "argv": ["sh", "-c", 'echo 1 >"$HOME/made"'], "creates": "~/made"},
                {"what": "Install", "argv": ["sh", "-c", install], "unless": ["sh", "-c", LOOKS], "makes": ["~/lib"]},
            ]
        },
    }


def whole_run(login: Login, run: str) -> None:
    """A run as `setup` makes it, to its end."""
    payload = {"whole": True, "run": {"id": run, "who": "sam", "laptop": "teapot"}}
    for role, declaration in declarations(login).items():
        answer = login.converge(declaration, role=role, **payload)
        assert not answer.get("failed"), answer
    seal = {"glance": "echo rookery-fact shell bash", "digest": "d", "facts": {}}
    login.converge({"release": True}, role="playbook", seal=seal, **payload)


def would_change(login: Login) -> bool:
    """Whether a full run has something to do, or would stop; asked of the apply program's check mode."""
    answers = [login.converge(declaration, role=role, check=True) for role, declaration in declarations(login).items()]
    return any(answer["changed"] or answer.get("failed") for answer in answers)


def seen(login: Login) -> dict[str, Any]:
    """What the fast way sees, in a fork of this process."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            os.environ["HOME"] = str(login.home)
            sys.stdin = io.TextIOWrapper(io.BytesIO(b"rookery-fact shell bash"))
            os.dup2(writer, 1)
            fingerprint_check.main()
        finally:
            os._exit(0)
    os.close(writer)
    os.wait()
    with os.fdopen(reader, "rb") as stream:
        answer = frame.last(stream.read().decode(), answers.apply_program)
    assert answer is not None
    return answer


def intact(answer: dict[str, Any]) -> bool:
    look = up_to_date.read_quick(Completed(0, framed(answer), "", ""))
    return look.intact and look.ended and not look.new and look.sealed is not None


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Login, Path]:
    """A home after a whole run, and a copy of it."""
    top = tmp_path_factory.mktemp("login")
    made = Login(top / "there")
    (made.home / ".bashrc").write_text("# mine\n")
    (made.home / ".cache").mkdir()
    (made.home / ".cache/file").write_text("x")
    whole_run(made, "run-1")
    shutil.copytree(top / "there", top / "kept", symlinks=True)
    return made, top / "kept"


@pytest.fixture
def login(set_up: tuple[Login, Path]) -> Login:
    made, kept = set_up
    shutil.rmtree(made.home.parent)
    shutil.copytree(kept, made.home.parent, symlinks=True)
    return made


def test_after_a_whole_run_all_is_intact_and_nothing_is_written_by_looking(login: Login) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in login.home.rglob("*"))
    assert intact(seen(login))
    assert not would_change(login)
    assert before == sorted((path, path.lstat().st_mtime_ns) for path in login.home.rglob("*"))
    assert (login.home / "runs").read_text() == "x\n"


@pytest.mark.parametrize(
    ("what", "do"),
    [
        ("a run that was cut off", lambda login: login.converge({"files": []}, run={**RUN, "id": "run-2"})),
        ("a run of some roles", lambda login: login.converge({"release": True}, run={**RUN, "id": "run-2"})),
        ("what a role declared is lost", lambda login: (login.state / "declared/tools").unlink()),
        ("or damaged", lambda login: damage(login.state / "declared/tools")),
        ("or the whole of it", lambda login: (login.state / "asked").unlink()),
        ("a half-written note", lambda login: damage(login.state / "asked")),
    ],
)
def test_what_no_whole_run_has_left_is_not_trusted(login: Login, what: str, do: Callable[[Login], Any]) -> None:
    do(login)
    assert not intact(seen(login)), what


def damage(file: Path) -> None:
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(bytes(text))


def rewrite(path: Path, pick: random.Random) -> None:
    path.write_bytes(pick.choice([b"", b"other\n", path.read_bytes() + b"#\n", path.read_bytes()[:-1]]))


def replace_by(path: Path, pick: random.Random, login: Login) -> None:
    path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
    kind = pick.choice(["file", "folder", "link", "nothing", "broken"])
    if kind == "file":
        path.write_text("theirs\n")
    elif kind == "folder":
        path.mkdir()
        (path / "in").write_text("x")
    elif kind != "nothing":
        path.symlink_to(login.storage if kind == "link" else login.home / "nowhere")


def disturb(login: Login, pick: random.Random) -> str:
    """One change to a home, of a kind that people and programs make."""
    inside = sorted(path for path in login.home.rglob("*") if login.state not in (path, *path.parents))
    inside = [path for path in inside if path not in login.state.parents and "cache" not in path.parts[:-1]]
    path = pick.choice(inside)
    kind = pick.choice(["content", "mode", "replace", "mtime", "new", "lib", "block"])
    if kind == "content" and path.is_file():
        rewrite(path, pick)
    elif kind == "mode" and not path.is_symlink():
        path.chmod(pick.choice([0o600, 0o644, 0o700, 0o755, 0o750]) | (0o100 if path.is_dir() else 0))
    elif kind == "mtime":
        os.utime(path, (1, pick.randrange(10**9)), follow_symlinks=False)
    elif kind == "new":
        new = login.home / pick.choice([".profile", "version", "x", "lib/x", "strict/x"])
        if new.parent.is_dir():
            new.write_text("new\n")
    elif kind == "lib":
        (login.home / "lib/wanted").unlink(missing_ok=True)
    elif kind == "block":
        text = (login.home / ".bashrc").read_text()
        (login.home / ".bashrc").write_text(pick.choice([text.replace("ours", "theirs"), text + "ll\n", "x\n" + text]))
    else:
        kind = "replace"
        replace_by(path, pick, login)
    return f"{kind} {path.relative_to(login.home)}"


@pytest.mark.parametrize("seed", range(int(os.environ.get("ROOKERY_TEST_SEEDS", "20"))))
def test_it_holds_against_a_full_run_after_any_change(login: Login, seed: int) -> None:
    pick = random.Random(seed)
    done = [disturb(login, pick) for _ in range(pick.choice([1, 1, 1, 2]))]
    if intact(seen(login)):
        assert not would_change(login), done


@pytest.mark.parametrize(
    "change",
    [
        lambda home: (home / "notes").write_text("x"),
        lambda home: (home / "strict/new").write_text("x"),
        lambda home: os.utime(home / ".bashrc", (1, 1)),
        lambda home: (home / ".cache/new").write_text("x"),
        lambda home: (home / "program").write_text((home / "program").read_text()),
    ],
)
def test_what_no_run_looks_at_keeps_nobody_from_the_fast_way(login: Login, change: Callable[[Path], Any]) -> None:
    change(login.home)
    assert intact(seen(login))


def test_a_command_whose_test_does_not_tell_what_it_looks_at_is_always_gone_through(tmp_path: Path) -> None:
    login = Login(tmp_path)
    payload = {"whole": True, "run": RUN}
    login.converge({"commands": [{"what": "Do", "argv": ["true"], "unless": ["true"]}]}, **payload)
    login.converge({"release": True}, role="playbook", seal={"glance": "true", "digest": "d"}, **payload)
    assert (login.state / "asked").exists()
    assert not intact(seen(login))


def test_a_home_that_is_not_as_declared_after_all_is_always_gone_through(tmp_path: Path) -> None:
    login = Login(tmp_path)
    payload = {"whole": True, "run": RUN}
    login.converge({"files": [{"path": "~/a", "content": "x"}]}, **payload)
    (login.home / "a").write_text("y")
    login.converge({"release": True}, role="playbook", seal={"glance": "true", "digest": "d"}, **payload)
    assert not intact(seen(login))


@pytest.mark.parametrize("python", pythons()[:3])
def test_each_python_notices_all_that_is_looked_at(tmp_path: Path, python: str) -> None:
    """Some of a library may be written in C one day, where nothing is noticed: then nothing is kept."""
    login = Login(tmp_path, python)
    payload = {"whole": True, "run": RUN}
    for role, declaration in declarations(login).items():
        assert not login.send(declaration, role=role, **payload).get("failed")
    seal = {"glance": "echo rookery-fact shell bash", "digest": "d"}
    whole = login.payload({"release": True}, role="playbook", seal=seal, **payload)
    line, standard_input = bundle.command(python, bundle.pack("apply.main", whole))
    environment = {"HOME": str(login.home), "PATH": os.environ["PATH"]}
    subprocess.run(["/bin/sh", "-c", line], input=standard_input, env=environment, capture_output=True, check=True)
    looks = {look.split("\t", 2)[2] for look in (login.state / "seen").read_text().partition("\n")[2].split("\0")}
    for path in (".bashrc", "program", "link", "settings.json", "made", "lib", ".condarc", "strict", ".cache"):
        assert str(login.home / path) in looks
    line = [python, "-IS", "-c", bundle.FROM_ARGUMENT, bundle.pack("apply.fingerprint_check")]
    done = subprocess.run(line, input=b"rookery-fact shell bash", env=environment, capture_output=True, check=True)
    answer = frame.last(done.stdout.decode(), answers.apply_program)
    assert answer is not None
    assert answer["same"] is True


def test_the_script_that_is_sent_answers(login: Login) -> None:
    """The whole way: packed, started by a shell, with facts that come on its input."""
    line, _ = bundle.command(login.python, bundle.pack("apply.verify", {"full": True}))
    assert len(line) < 100_000
    for facts, new in (("rookery-fact shell bash\nnoise", []), ("rookery-fact shell zsh", ["shell zsh"])):
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            input=facts.encode(),
            capture_output=True,
            env={"HOME": str(login.home)},
            check=True,
        )
        answer = frame.last(done.stdout.decode(), answers.apply_program)
        assert answer is not None
        assert answer["sealed"]["digest"] == "d"
        assert answer["drift"] == []
        assert answer["new"] == new


def test_facts_that_come_and_go_by_themselves_do_not_count() -> None:
    output = (
        b"rookery-fact node a\nrookery-fact free_mb home 1\nmotd\nrookery-fact shells zsh\nrookery-fact shells bash\n"
    )
    assert notes.facts_in(output) == ["shells bash", "shells zsh"]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cluster_module.Cluster:
    """Penguins, with a copy of the checkout that a test may change."""
    for folder in ("roles", "plugins", "playbooks"):
        shutil.copytree(paths.root() / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(paths.root() / "ansible.cfg", tmp_path)
    for name in (name for name in up_to_date._PLAY if name.startswith("rookery/")):
        path = paths.package().parent / name
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tmp_path / name)
    loaded = profile.load("penguins", [paths.root() / "inventory"])
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    monkeypatch.setattr(paths, "package", lambda: tmp_path / "rookery")
    return loaded


def test_any_change_of_what_a_run_is_made_of_is_asked_otherwise(
    cluster: cluster_module.Cluster, tmp_path: Path
) -> None:
    before = up_to_date.asked(cluster)["digest"]
    elsewhere = ("roles/sandbox/", "roles/workstation/", "playbooks/sandbox", "playbooks/workstation")
    files = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "README.md" and not str(path.relative_to(tmp_path)).startswith(elsewhere)
    ]
    assert len(files) > 60
    for file in files:
        text = file.read_bytes()
        file.write_bytes(text + b"\n")
        assert up_to_date.asked(cluster)["digest"] != before, file
        file.write_bytes(text)
    assert up_to_date.asked(cluster)["digest"] == before
    (tmp_path / "plugins/action/__pycache__").mkdir()
    (tmp_path / "plugins/action/__pycache__/home.cpython-311.pyc").touch()
    assert up_to_date.asked(cluster)["digest"] == before  # which a run itself makes
    (tmp_path / "roles/shell/README.md").write_text("for people\n")
    assert up_to_date.asked(cluster)["digest"] == before
    (tmp_path / "roles/shell/templates/more.j2").touch()
    assert up_to_date.asked(cluster)["digest"] != before


def with_value(cluster: cluster_module.Cluster, key: str, value: Any) -> cluster_module.Cluster:
    return replace(cluster, variables={**cluster.variables, key: value})


def test_any_setting_counts_but_how_a_laptop_gets_there(cluster: cluster_module.Cluster) -> None:
    before = up_to_date.asked(cluster)
    for key in ("python_versions", "r_packages", "cluster_modules", "mine", *cluster.variables):
        now = up_to_date.asked(with_value(cluster, key, ["another"]))
        assert (now["digest"] == before["digest"]) is key.startswith("ansible_"), key
    assert up_to_date.asked(with_value(cluster, "cluster_identity_file", "~/k"))["digest"] == before["digest"]
    now = up_to_date.asked(with_value(cluster, "r_packages", ["glue"]))
    assert up_to_date.differences(before, now) == ["setting r_packages"]


@pytest.mark.parametrize("template", ["{{ lookup('file', 'x') }}", "{{ now() }}", "{% if 1 | random %}a{% endif %}"])
def test_a_setting_that_may_change_by_itself_is_never_up_to_date(
    cluster: cluster_module.Cluster, template: str
) -> None:
    asked = up_to_date.asked(with_value(cluster, "r_packages", [template]))
    sealed = {**asked, "python": "3.11.2", "facts": {}}
    look = up_to_date.HomeComparison(sealed=sealed, entries=1, ended=True, python="3.11.2", answered=True)
    assert look.reason_to_run(asked) == "new since the last setup: setting r_packages, which can differ each time"


def test_each_doubt_is_told() -> None:
    asked = {"digest": "d", "unsteady": [], "rookery": "2", "roles": {}, "variables": {}, "play": "p", "engines": []}
    whole = up_to_date.HomeComparison(
        sealed={**asked, "python": "3.6.8"}, entries=1, ended=True, python="3.6.8", answered=True
    )
    assert whole.reason_to_run(asked) == ""
    assert "no complete setup" in up_to_date.HomeComparison().reason_to_run(asked)
    assert "interrupted, or ran only some roles" in replace(whole, ended=False).reason_to_run(asked)
    assert "shells zsh" in replace(whole, new=("shells zsh",)).reason_to_run(asked)
    assert "storage home /a" in replace(whole, gone=("storage home /a",)).reason_to_run(asked)
    assert "something in the home" in replace(whole, intact=False).reason_to_run(asked)
    assert "its Python" in replace(whole, python="3.9.1").reason_to_run(asked)
    assert "~/a" in replace(whole, drift=({"path": "~/a", "what": "a"},)).reason_to_run(asked)
    assert "rookery 2 (was 1)" in replace(whole, sealed={**asked, "digest": "e", "rookery": "1"}).reason_to_run(asked)
    assert replace(whole, problem="no answer").reason_to_run(asked) == "no answer"


@pytest.mark.skipif(os.getuid() != 0, reason="another user's files need root")
def test_a_folder_that_cannot_be_moved_is_looked_at_by_what_keeps_it(tmp_path: Path) -> None:
    login = Login(tmp_path / "there")
    cache = login.home / ".cache"
    cache.mkdir()
    for number in range(50):
        (cache / f"mine-{number}").write_text("x")
    (cache / "theirs").write_text("x")
    os.chown(cache / "theirs", 1234, 1234)
    whole_run(login, "run-1")
    assert not (login.state / "seen").read_bytes().count(b".cache/mine")
    (cache / "mine-3").write_text("changed")
    (cache / "new").write_text("x")
    assert intact(seen(login))
    os.chown(cache / "theirs", os.getuid(), os.getgid())
    assert not intact(seen(login))


@pytest.mark.parametrize("name", ["lease.json", "asked", "seen"])
def test_a_fifo_in_rookery_s_folder_holds_nothing_up(tmp_path: Path, name: str) -> None:
    login = Login(tmp_path / "there")
    whole_run(login, "run-1")
    (login.state / name).unlink()
    os.mkfifo(login.state / name)
    assert not intact(seen(login))
