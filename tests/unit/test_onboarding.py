"""What onboarding finds out and makes on this side: keys, answers, a result in the terminal."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hints import problems_in
from user_home import at_home

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh.diagnosis import is_locked
from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.projects import config, scaffold
from rookery.projects.options import NewOptions
from rookery.support.onboarding import added_cluster, command, details, first_project, key, result
from rookery.support.onboarding.key import Key
from rookery.support.options import OnboardOptions


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = at_home(tmp_path / "my home", monkeypatch)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(folder)
    return folder


def penguins(**values: object) -> cluster.Cluster:
    return profile.load("penguins", overrides=values)


def test_a_key_is_made_once_and_never_written_over(home: Path) -> None:
    place = home / ".ssh/id_ed25519"
    assert key.find(penguins(), "") is None
    made = key.make(place, ask=False)
    assert (made.made, made.shown) == (True, "~/.ssh/id_ed25519")
    assert oct(place.stat().st_mode & 0o777) == "0o600"
    assert oct(place.parent.stat().st_mode & 0o777) == "0o700"
    assert sorted(file.name for file in place.parent.iterdir()) == ["id_ed25519", "id_ed25519.pub"]
    before = place.read_bytes()
    with pytest.raises(RookeryError, match="exists already and was not changed"):
        key.make(place, ask=False)
    assert place.read_bytes() == before
    assert key.find(penguins(), "") == place
    line = key.public_line(made, ask=False)
    made.public.unlink()
    assert key.public_line(made, ask=False).split()[:2] == line.split()[:2]


def test_the_key_that_is_found(home: Path) -> None:
    """The one named, then that of the settings, then what ssh itself would try."""
    (home / ".ssh").mkdir()
    for name in ("id_rsa", "id_ecdsa", "mine"):
        (home / ".ssh" / name).write_text("")
    path = key.make(home / "one key", ask=False).path
    assert key.find(penguins(), "") == home / ".ssh/id_ecdsa"
    assert key.find(penguins(cluster_identity_file=str(path)), "") == path
    assert key.find(penguins(), f"{path}.pub") == path
    assert key.find(penguins(), "~/.ssh/none yet") is None
    with pytest.raises(RookeryError, match="is not an ssh key"):
        key.find(penguins(), "~/.ssh/mine")
    with pytest.raises(RookeryError, match="is not an ssh key"):
        key.find(penguins(), str(home))


@pytest.mark.parametrize("how", ["file", "dangling"])
def test_a_place_where_no_key_can_be(home: Path, how: str) -> None:
    folder = home / ".ssh"
    if how == "file":
        folder.write_text("")
    else:
        folder.symlink_to("nowhere")
    with pytest.raises(RookeryError, match=r"Can't make a key in .*\.ssh: ") as caught:
        key.make(folder / "id_ed25519", ask=False)
    assert "--key PATH" in str(caught.value.hint)


def test_a_key_with_a_passphrase(home: Path) -> None:
    """Its public half can't be made where nobody can be asked; without an agent, nothing holds it."""
    path = home / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(path)], check=True)
    assert is_locked(path)
    assert not is_locked(key.make(home / "open", ask=False).path)
    assert key.unlock(Key(path)) is False
    Path(f"{path}.pub").write_text("ssh-ed25519 not-a-key\n")
    with pytest.raises(RookeryError, match="is not a public key"):
        key.public_line(Key(path), ask=False)
    Path(f"{path}.pub").unlink()
    with pytest.raises(RookeryError, match="could not be made from") as caught:
        key.public_line(Key(path), ask=False)
    assert str(caught.value.hint).startswith("ssh-keygen -y -f ")


@pytest.mark.parametrize(
    ("logins", "keys", "passwords"),
    [
        (["key"], True, False),
        (["password", "key"], True, True),
        (["key+totp"], True, False),
        (["password+totp"], False, True),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_a_cluster_takes(logins: list[str], keys: bool, passwords: bool) -> None:
    cluster = penguins(cluster_logins=logins)
    assert (key.takes_keys(cluster), key.takes_passwords(cluster)) == (keys, passwords)


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_an_answer_that_is_no_choice_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "perl", "R", "", "maybe", "n")
    assert prompts.ask("Which", "python", ("python", "r")) == "r"
    assert "Please answer python or r." in capsys.readouterr().err
    assert prompts.ask("Which", "python", ("python", "r")) == "python"
    assert not prompts.confirm("Shall it?")
    with pytest.raises(RookeryError, match="No answer"):
        prompts.ask("Which")


@pytest.mark.usefixtures("home")
def test_two_people_on_one_account_of_a_laptop() -> None:
    with pytest.raises(RookeryError, match="uses penguins as ada, not as bob") as caught:
        details.username(penguins(cluster_user="ada"), OnboardOptions("penguins", user="bob"))
    assert "XDG_CONFIG_HOME=~/bob/config" in str(caught.value.hint)
    assert "--key ~/.ssh/id_bob" in str(caught.value.hint)
    with pytest.raises(RookeryError, match="your username on penguins") as caught:
        details.username(penguins(), OnboardOptions("penguins"))
    assert "--request" in str(caught.value.hint)


def test_who_signs_the_project(home: Path) -> None:
    assert details.author(OnboardOptions("penguins", name="Ada", email="ada@example.ac.uk")) == (
        "Ada",
        "ada@example.ac.uk",
    )
    (home / ".gitconfig").write_text("[user]\n\tname = Bea\n")
    assert details.author(OnboardOptions("penguins", email="b@example.ac.uk")) == ("Bea", "b@example.ac.uk")
    (home / ".gitconfig").write_text("[user]\n\tname = Bea\n\temail = bea@example.ac.uk\n")
    assert details.author(OnboardOptions("penguins", name="Ada", email="ada@example.ac.uk")) == ("", "")


@pytest.mark.parametrize("everywhere", [True, False])
def test_name_and_address_are_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch, *, everywhere: bool) -> None:
    answers = {"Your full name": "Ada Ü", "Your email address": "ada@example.ac.uk"}
    asked = []

    def ask(question: str) -> str:
        asked.append(question.strip())
        return answers[question.strip()]

    monkeypatch.setattr(OnboardOptions, "asks", property(lambda _: True))
    monkeypatch.setattr(prompts, "ask", ask)
    monkeypatch.setattr(prompts, "confirm", lambda *_, **__: everywhere)
    wanted = ("Ada Ü", "ada@example.ac.uk")
    assert details.author(OnboardOptions("penguins")) == wanted
    assert details.known_author(OnboardOptions("hec")) == wanted
    assert details.author(OnboardOptions("hec")) == (("", "") if everywhere else wanted)
    assert asked == list(answers)
    assert (home / ".gitconfig").exists() == everywhere


def test_what_cant_be_is_refused_before_anything_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RookeryError, match="Unknown --language 'perl'"):
        details.check(OnboardOptions("penguins", language="perl"))
    with pytest.raises(RookeryError, match="can't be a project's name") as caught:
        details.check(OnboardOptions("penguins", project="my study"))
    assert caught.value.hint == "invoke onboard penguins --project my-study"
    with pytest.raises(RookeryError, match="not a valid username"):
        details.username(penguins(), OnboardOptions("penguins", user="-oProxyCommand=x"))
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(RookeryError, match="current folder does not exist"):
        details.check(OnboardOptions("penguins"))
    monkeypatch.chdir(home)
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(RookeryError, match="git is not installed"):
        details.check(OnboardOptions("penguins"))


def test_a_public_half_alone_is_never_written_over(home: Path) -> None:
    """Its private half may be on a token, or in another program's keeping."""
    lone = home / ".ssh/id_ed25519.pub"
    lone.parent.mkdir()
    lone.write_text("ssh-ed25519 AAAA somewhere else\n")
    assert key.find(penguins(), "") is None
    place = key.place(penguins(), "")
    assert place == home / ".ssh/id_ed25519_rookery"
    with pytest.raises(RookeryError, match=r"id_ed25519\.pub exists already and was not changed"):
        key.make(home / ".ssh/id_ed25519", ask=False)
    key.make(place, ask=False)
    assert lone.read_text() == "ssh-ed25519 AAAA somewhere else\n"
    assert key.place(penguins(), "~/new.pub") == home / "new"


def test_a_result_in_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "combined.csv"
    rows = "".join(f"{task},{task % 20 / 10},{'NA' if task == 3 else 1},word,\x1b[31m\n" for task in range(1, 101))
    table.write_text(f"task,estimate,same,what,bad\x1b[0m\n{rows}")
    columns = {column.name: column for column in result.columns(table)}
    assert list(columns) == ["estimate", "same"]
    assert (len(columns["estimate"].values), len(columns["same"].values)) == (100, 99)
    assert columns["estimate"].mean == pytest.approx(0.95)
    assert columns["same"].spread == 0
    shown = list(result.lines(table))
    assert not any("\x1b" in line for line in shown)
    bars = shown[shown.index("estimate") + 1 :]
    assert sum(int(line.split()[-1]) for line in bars) == 100
    monkeypatch.setattr("rookery.core.wrapping.columns", lambda _: 50)
    narrow = list(result.lines(table))
    assert max(map(len, narrow[narrow.index("estimate") :])) <= 48
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    result.show(table)  # every character of it is ASCII then


@pytest.mark.parametrize("text", ["", "a\n", "a,b\n,\n", "a\nx\n", "a\n1\n", "a\n1\n1\n", "a\n1,2,3\n\n2\n"])
def test_a_table_with_little_in_it_is_shown_without_a_plot(tmp_path: Path, text: str) -> None:
    table = tmp_path / "combined.csv"
    table.write_text(text)
    assert len(list(result.lines(table))) in {0, 2}


def test_a_choice_from_a_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By number or by name, in any case of letters; again where it is neither."""
    typed(monkeypatch, "7", "HEC", "1")
    clusters = {"bede": "Bede", "hec": "The HEC"}
    assert prompts.choose("Which cluster?", clusters) == "hec"
    shown = capsys.readouterr().err
    assert "Which cluster?\n   1  bede  Bede\n   2  hec   The HEC\n" in shown
    assert "Answer 1 to 2, or a name." in shown
    assert prompts.choose("Which cluster?", clusters) == "bede"
    with pytest.raises(RookeryError, match="No answer"):
        prompts.choose("Which cluster?", clusters)


@pytest.mark.usefixtures("home")
def test_onboard_without_a_cluster_asks_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RookeryError, match="Missing argument CLUSTER: penguins, hec") as caught:
        details.cluster_name(OnboardOptions(sandbox=True))
    assert caught.value.hint == "invoke onboard penguins --sandbox"
    monkeypatch.setattr(prompts, "is_interactive", lambda: True)
    typed(monkeypatch, "penguins")
    assert details.cluster_name(OnboardOptions()) == "penguins"
    assert "Penguins" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_the_same_command_carries_its_options_along() -> None:
    options = OnboardOptions("hec", name="Ada L", run=False, sandbox=True, yes=True)
    assert details.again(options, "hec", user="ada") == (
        "invoke onboard hec --user ada --name 'Ada L' --no-run --sandbox --yes"
    )
    with pytest.raises(RookeryError, match="one cluster at a time") as caught:
        details.cluster_name(OnboardOptions("hec,bede", sandbox=True))
    assert caught.value.hint == "invoke onboard hec --sandbox"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("clusters: [penguins] # mine\n", "clusters: [penguins, hec] # mine\n"),
        ("clusters: [\n  penguins, bede\n]\n", "clusters: [\n  penguins, bede, hec]\n"),
        ("clusters:\n  # all\n  - penguins # mine\n", "clusters:\n  # all\n  - penguins # mine\n  - hec\n"),
        ("clusters:\n- penguins\n", "clusters:\n- penguins\n- hec\n"),
        ("clusters: penguins\n", "clusters: [penguins, hec]\n"),
        ("clusters: penguins # mine\n", "clusters: [penguins, hec] # mine\n"),
    ],
)
def test_a_cluster_is_added_to_any_usual_form_of_the_list(before: str, after: str) -> None:
    rest = "jobs:\n  simulate:\n    command: ./run\n    clusters:\n      bede: {gpus: 1}\n"
    assert added_cluster.with_cluster(f"name: x\n{before}{rest}", profile.load("hec")) == f"name: x\n{after}{rest}"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("language", ["python", "r"])
def test_a_project_for_one_cluster_gets_a_second(home: Path, language: str) -> None:
    """It is committed, alone, and the project is then for both; on a cluster of GPUs, the job asks for one."""
    scaffold.make(NewOptions("study", language, cluster="penguins"), home)
    root = home / "study"
    (root / "notes.txt").write_text("mine")
    git(root, "add", "notes.txt")
    for name in ("hec", "bede"):
        added_cluster.add(root, profile.load(name))
        added_cluster.add(root, profile.load(name))  # nothing more
    project = config.load(root)
    assert project.clusters == ("penguins", "hec", "bede")
    assert config.job(project, "simulate", "bede").gpus == 1
    assert config.job(project, "simulate", "hec").gpus == 0
    assert git(root, "log", "--format=%s", "-2").splitlines() == ["Run on bede, too", "Run on hec, too"]
    assert git(root, "status", "--porcelain") == "A  notes.txt\n"
    assert git(root, "show", "--name-only", "--format=") == "rookery.yml\n"


def test_a_cluster_is_not_added_where_that_could_lose_something(home: Path) -> None:
    scaffold.make(NewOptions("study", "python", cluster="penguins"), home)
    file = home / "study/rookery.yml"
    file.write_text(f"{file.read_text()}# mine\n")
    with pytest.raises(RookeryError, match="has uncommitted changes") as caught:
        added_cluster.add(home / "study", profile.load("hec"))
    assert str(caught.value.hint).startswith(f"git -C '{home}/study' commit rookery.yml")
    file.write_text(file.read_text().replace("clusters: [penguins]", "? clusters\n: [penguins]"))
    git(home / "study", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qam", "mine")
    before = file.read_text()
    with pytest.raises(RookeryError, match="does not list hec") as caught:
        added_cluster.add(home / "study", profile.load("hec"))
    assert "add hec to `clusters:` in" in str(caught.value.hint)
    assert file.read_text() == before


def test_next_steps_are_for_the_cluster_and_its_miniature(home: Path) -> None:
    """They can be pasted: with --cluster where it is not the project's first, with --sandbox for a miniature."""
    scaffold.make(NewOptions("study", "python", cluster="penguins,hec"), home)
    study = first_project.Study(home / "study")
    text = (home / "study/README.md").read_text().replace("invoke ", "rookery ")
    text = text.replace(
        "`rookery run simulate`", "`rookery run simulate`, then `rookery combine`"
    )  # as earlier ones had
    (home / "study/README.md").write_text(text)

    def steps(name: str, **values: object) -> list[str]:
        lines = first_project.next_steps(study, replace(profile.load(name), **values))  # type: ignore[arg-type]
        assert not any("`" in line for line in lines)
        assert problems_in("\n".join(lines)) == {}
        return [line.strip() for line in lines if line.startswith("    ")]

    assert steps("penguins") == [
        'git commit -am "What changed"',
        "rookery run simulate",
        "rookery combine",
        "rookery render simulate",
        "ssh penguins",
        "rookery shell",
        "rookery code penguins",
        "rookery doctor penguins",
    ]
    other = steps("hec")
    assert {"rookery run simulate --cluster hec", "ssh hec", "rookery doctor --cluster hec"} <= {*other}
    assert "rookery combine --cluster hec --output combined-hec.csv" in other
    sandbox = steps("penguins", sandbox=True)
    assert {"rookery run simulate --sandbox", "rookery doctor penguins --sandbox"} <= {*sandbox}
    assert "ssh penguins" not in sandbox
    assert any(command.startswith("ssh -F ") and command.endswith(" penguins") for command in sandbox)


def test_the_plan_for_a_miniature_promises_nothing_for_the_cluster(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rookery"])
    assert command.run(OnboardOptions("penguins", sandbox=True, check=True)) == 0
    plan = capsys.readouterr().out
    assert "  1. start the miniature of penguins, if it is not running\n" in plan
    assert "`rookery setup penguins --sandbox`" in plan
    assert "username" not in plan
    assert "~/.ssh" not in plan
    assert "password" not in plan
    assert not (home / ".ssh").exists()


def test_the_plan_for_a_cluster(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rookery"])
    assert command.run(OnboardOptions("penguins", check=True)) == 0
    plan = capsys.readouterr().out
    assert "a line in ~/.ssh/config" in plan
    assert "`rookery setup penguins`" in plan
    assert not (home / ".ssh").exists()
