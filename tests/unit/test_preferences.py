"""`config`: the user's choices for all commands."""

import io
import json
from pathlib import Path

import pytest
from user_home import at_home

from rookery.clusters.config import profile
from rookery.core import preferences, secret_settings
from rookery.core.errors import RookeryError
from rookery.projects import target
from rookery.support import config_command, options


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path, monkeypatch)


def change(key: str, value: str) -> int:
    return config_command.set_(options.ConfigSetOptions(key, value))


def test_what_is_set_is_got_listed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert config_command.get(options.ConfigGetOptions("cluster")) == 1
    assert change("cluster", "hec") == 0
    assert change("name", 'Ada "the first" Lovelace \\') == 0
    preferences.values.cache_clear()  # as the next command reads it
    capsys.readouterr()
    assert config_command.get(options.ConfigGetOptions("name")) == 0
    assert capsys.readouterr().out == 'Ada "the first" Lovelace \\\n'
    config_command.show_all(options.ConfigListOptions(json=True))
    assert json.loads(capsys.readouterr().out) == {"cluster": "hec", "name": 'Ada "the first" Lovelace \\'}
    assert config_command.unset(options.ConfigUnsetOptions("name")) == 0
    assert dict(preferences.values()) == {"cluster": "hec"}


@pytest.mark.parametrize(
    ("key", "value", "message", "following"),
    [
        ("clutser", "hec", "Unknown key 'clutser' (did you mean `cluster`?).", "invoke config.set cluster hec"),
        ("cluster", "pengins", "Unknown cluster 'pengins' (did you mean `penguins`?).",
         "invoke config.set cluster penguins"),
        ("cluster", "nosuch", f"Unknown cluster 'nosuch' (known clusters: {', '.join(profile.names())}).",
         "invoke clusters"),
        ("email", "notanemail", "`email` must be one email address, not 'notanemail'.", "invoke config"),
        ("color", "red", "`color` must be auto, always or never, not 'red'.", "invoke config"),
        ("name", "a\nb", "`name` must be text on one line.", "invoke config"),
        ("name", " ", "The value is empty.", "invoke config.unset name   # removes it"),
    ],
)  # fmt: skip
def test_what_can_t_be_set(key: str, value: str, message: str, following: str) -> None:
    with pytest.raises(RookeryError) as refused:
        change(key, value)
    assert (refused.value.message, refused.value.hint) == (message, following)
    assert not preferences.file().exists()


def write(text: str) -> None:
    preferences.file().parent.mkdir(parents=True, exist_ok=True)
    preferences.file().write_text(text)
    preferences.values.cache_clear()


def test_all_problems_of_the_file_at_once() -> None:
    write('# mine\nclutser = "hec"\ncolor = "red"\n\n[name]\nfull = 3\n')
    with pytest.raises(RookeryError) as refused:
        preferences.values()
    place = "~/.config/rookery/config.toml"
    assert [line.partition(" `")[0] for line in refused.value.message.splitlines()] == [
        f"{place}:2: unknown key", f"{place}:3:", f"{place}:5:",
    ]  # fmt: skip
    assert refused.value.hint == f"edit lines 2, 3 and 5 of {place}, then run the command again"
    assert preferences.color() == "auto"  # no reason not to print the error


@pytest.mark.parametrize(("text", "line"), [("cluster = hec\n", 1), ('name = "a"\n\ncluster', 3), ("[a", 1)])
def test_a_file_that_is_not_toml_is_refused_with_its_line(text: str, line: int) -> None:
    write(text)
    with pytest.raises(RookeryError) as refused:
        preferences.values()
    assert refused.value.message.startswith(f"~/.config/rookery/config.toml:{line}: not valid TOML: ")
    assert refused.value.hint == f"edit line {line} of ~/.config/rookery/config.toml, then run the command again"


def test_an_unknown_cluster_in_the_file_is_named_with_its_line() -> None:
    write('color = "never"\n"cluster" = "pengins"\n')
    says = "~/.config/rookery/config.toml:2: unknown cluster 'pengins' (did you mean `penguins`?)"
    for use in (lambda: target.find(needs_project=False), lambda: config_command.show_all(options.ConfigListOptions())):
        with pytest.raises(RookeryError) as refused:
            use()
        assert refused.value.message == says
    assert change("cluster", "penguins") == 0


def test_the_default_cluster_is_that_of_commands_outside_a_project(home: Path) -> None:
    with pytest.raises(RookeryError, match="Missing cluster"):
        target.find(needs_project=False)
    change("cluster", "hec")
    assert target.find(needs_project=False).cluster.name == "hec"
    (home / "rookery.yml").write_text("name: seals\nclusters: [penguins]\n")
    assert target.find(needs_project=False).cluster.name == "penguins"
    assert target.find("bede", needs_project=False).cluster.name == "bede"


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_secret_is_read_from_standard_input_and_shown_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, "https://example.org/hook/SECRET\n")
    assert change("notify_webhook", "") == 0
    assert secret_settings.values() == {"notify_webhook": "https://example.org/hook/SECRET"}
    assert secret_settings.file().stat().st_mode & 0o777 == 0o600
    assert not preferences.file().exists()
    config_command.show_all(options.ConfigListOptions())
    config_command.show_all(options.ConfigListOptions(json=True))
    config_command.get(options.ConfigGetOptions("notify_webhook"))
    printed = capsys.readouterr()
    assert printed.out.count("https://example.org/(hidden)") == 4
    assert "SECRET" not in printed.out + printed.err
    config_command.unset(options.ConfigUnsetOptions("notify_webhook"))
    assert secret_settings.values() == {}


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("notify_webhook", "http://example.org/SECRET", "must begin with https://"),
        ("notify_webhook", "https://me:SECRET@example.org/", "must not have a user name or password"),
        ("notify_webhook", "SECRET", "must be an address such as https://HOST/"),
        ("notify_webhook", "https://example.org:SECRET/", "must be an address such as https://HOST/"),
        ("notify_ntfy", "https://ntfy.sh/", "must end with a topic"),
        ("notify_ntfy_token", "SECRET\nSECRET", "must be text on one line"),
        ("notify_ntfy_token", "", "must be text on one line, and not empty"),
    ],
)
def test_a_secret_that_can_t_be_one_is_not_repeated(
    key: str, text: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, text)
    with pytest.raises(RookeryError) as refused:
        change(key, "")
    assert says in refused.value.message
    assert "SECRET" not in f"{refused.value.message} {refused.value.hint}"
    assert not secret_settings.file().exists()


def test_a_secret_on_the_command_line_or_in_the_open_file_is_refused() -> None:
    with pytest.raises(RookeryError, match="other users of this computer can see a command line") as refused:
        change("notify_webhook", "https://example.org/SECRET")
    assert "SECRET" not in f"{refused.value.message} {refused.value.hint}"
    preferences.file().parent.mkdir(parents=True)
    preferences.file().write_text('notify_webhook = "https://example.org/SECRET"\n')
    with pytest.raises(RookeryError, match="is secret and is kept apart") as refused:
        preferences.values()
    assert "SECRET" not in refused.value.message


def test_ways_to_notify_are_checked() -> None:
    assert change("notify", "desktop, webhook") == 0
    with pytest.raises(RookeryError, match="not 'ntyf' \\(did you mean `ntfy`\\?\\)"):
        change("notify", "ntyf")
    with pytest.raises(RookeryError, match="Missing argument VALUE"):
        change("name", "")
