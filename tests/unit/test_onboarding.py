"""What onboarding finds out and makes on this side: keys, answers, a result in the terminal."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.clusters import cluster
from rookery.clusters.config import profile
from rookery.clusters.ssh.diagnosis import is_locked
from rookery.core import prompts
from rookery.core.errors import RookeryError
from rookery.support.onboarding import details, key, result
from rookery.support.onboarding.key import Key
from rookery.support.options import OnboardOptions


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my home"
    folder.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
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
    with pytest.raises(RookeryError, match="is there, and is left as it is"):
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
    with pytest.raises(RookeryError, match="is no ssh key"):
        key.find(penguins(), "~/.ssh/mine")
    with pytest.raises(RookeryError, match="is no ssh key"):
        key.find(penguins(), str(home))


@pytest.mark.parametrize("how", ["file", "dangling"])
def test_a_place_where_no_key_can_be(home: Path, how: str) -> None:
    folder = home / ".ssh"
    if how == "file":
        folder.write_text("")
    else:
        folder.symlink_to("nowhere")
    with pytest.raises(RookeryError, match=r"No key can be made in .*\.ssh: ") as caught:
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
    with pytest.raises(RookeryError, match="is no public key"):
        key.public_line(Key(path), ask=False)
    Path(f"{path}.pub").unlink()
    with pytest.raises(RookeryError, match="could not be made") as caught:
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
    with pytest.raises(RookeryError, match="used as ada, not as bob") as caught:
        details.username(penguins(cluster_user="ada"), OnboardOptions("penguins", user="bob"))
    assert "XDG_CONFIG_HOME=~/bob/config" in str(caught.value.hint)
    assert "--key ~/.ssh/id_bob" in str(caught.value.hint)
    with pytest.raises(RookeryError, match="what is your username") as caught:
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


def test_what_cant_be_is_refused_before_anything_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RookeryError, match="no --language 'perl'"):
        details.check(OnboardOptions("penguins", language="perl"))
    with pytest.raises(RookeryError, match="can't be a project's name") as caught:
        details.check(OnboardOptions("penguins", project="my study"))
    assert caught.value.hint == "invoke onboard --cluster penguins --project my-study"
    with pytest.raises(RookeryError, match="can't be a username"):
        details.username(penguins(), OnboardOptions("penguins", user="-oProxyCommand=x"))
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(RookeryError, match="folder that you are in is gone"):
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
    with pytest.raises(RookeryError, match=r"id_ed25519\.pub is there, and is left as it is"):
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
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    result.show(table)  # every character of it is ASCII then


@pytest.mark.parametrize("text", ["", "a\n", "a,b\n,\n", "a\nx\n", "a\n1\n", "a\n1\n1\n", "a\n1,2,3\n\n2\n"])
def test_a_table_with_little_in_it_is_shown_without_a_plot(tmp_path: Path, text: str) -> None:
    table = tmp_path / "combined.csv"
    table.write_text(text)
    assert len(list(result.lines(table))) in {0, 2}
