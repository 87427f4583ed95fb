"""The command `docs`: topics, the browser, and the terminal."""

import sys
import webbrowser
from pathlib import Path

import pytest

from rookery.cli import commands, help  # noqa: A004
from rookery.core.errors import RookeryError
from rookery.support import docs_command
from rookery.support.options import DocsOptions

SITE = "https://example.ac.uk/rookery/"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was asked to open, for a user who has a display."""
    addresses: list[str] = []

    def take(address: str) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr(docs_command, "has_display", lambda: True)
    monkeypatch.setattr(webbrowser, "open", take)
    monkeypatch.setattr(docs_command, "address", lambda: SITE)
    return addresses


@pytest.mark.parametrize(
    ("topic", "path"),
    [
        ("submit-jobs", "how-to/submit-jobs/"),
        ("how-to/submit-jobs.md", "how-to/submit-jobs/"),
        ("Submit", "how-to/submit-jobs/"),
        ("vscode", "how-to/use-vscode/"),
        ("undo", "how-to/undo/"),
        ("explanation/undo", "explanation/undo/"),
        ("hec", "clusters/hec/"),
        ("quota", "reference/commands/#quota"),
        ("clusters.show", "reference/commands/#clustersshow"),
        ("rk601", "reference/lint-rules/#rk601"),
        ("reliability", "explanation/reliability/"),
    ],
)
def test_a_topic_opens_its_page(topic: str, path: str, opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_command.run(DocsOptions(topic)) == 0
    assert opened == [SITE + path]
    assert capsys.readouterr().out == f"Opened {SITE}{path}\n"


def test_without_a_topic_the_site_opens(opened: list[str]) -> None:
    assert docs_command.run(DocsOptions()) == 0
    assert opened == [SITE]


def test_every_page_and_every_command_is_a_topic() -> None:
    for page in docs_command.pages():
        assert docs_command.find(f"{page.section}/{page.topic}") == page
    for command in docs_command.command_names():
        assert docs_command.find(command)


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("submti", r"Unknown page 'submti' \(did you mean 'submit'\?\)\.\n  next: invoke docs submit$"),
        ("vscod", r"did you mean 'use-vscode'"),
        ("RK999", r"Unknown page 'RK999'"),
        ("qqqqqq", r"Unknown page 'qqqqqq'\.\n  next: invoke docs   # lists all pages"),
        ("a", r"Several pages match 'a': add-a-cluster, .*\n  next: invoke docs add-a-cluster"),
    ],
)
def test_an_unknown_topic_is_answered_with_a_suggestion(topic: str, message: str) -> None:
    with pytest.raises(RookeryError, match=message):
        docs_command.run(DocsOptions(topic))


def test_without_a_display_the_page_is_text(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs_command, "has_display", lambda: False)
    assert docs_command.run(DocsOptions("watch-jobs")) == 0
    text = capsys.readouterr().out
    assert opened == []
    assert "Watch and cancel jobs" in text
    assert "rookery jobs --watch" in text
    assert "../pictures" not in text


@pytest.mark.parametrize("options", [DocsOptions("deploy", text=True), DocsOptions("deploy")])
def test_text_is_shown_where_it_is_asked_for_and_where_there_is_no_site(
    options: DocsOptions, opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs_command, "address", lambda: SITE if options.text else "")
    assert docs_command.run(options) == 0
    assert opened == []
    assert "See also" in capsys.readouterr().out


@pytest.mark.usefixtures("opened")
def test_a_browser_that_does_not_open_leaves_the_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    assert docs_command.run(DocsOptions("hex")) == 0
    assert "HeX" in capsys.readouterr().out


def test_text_into_a_pipe_has_no_colours_and_no_marks(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_command.run(DocsOptions("rookery-yml")) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "<!--" not in text
    assert "made: keys" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_rule_and_a_command_are_shown_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_command.run(DocsOptions("RK601")) == 0
    text = capsys.readouterr().out
    assert "Rscript" in text
    assert "RK602" not in text
    assert docs_command.run(DocsOptions("quota")) == 0
    text = capsys.readouterr().out
    assert "--cluster" in text
    assert "rookery render" not in text


@pytest.mark.parametrize("command", ["lint", "jobs", "status", "config.set"])
def test_a_command_is_shown_as_its_help_is(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "78")
    monkeypatch.setattr("sys.argv", ["rookery"])
    options = {name: each for group in commands.by_title().values() for name, each in group}[command]
    page = help.page(command, options)
    assert docs_command.run(DocsOptions(command)) == 0
    text = capsys.readouterr().out
    assert [line.strip() for line in page.splitlines()] == [line.strip() for line in text.strip().splitlines()][
        -len(page.splitlines()) :
    ]
    assert "core-opts" not in text


def test_a_pager_shows_text_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("LESS", raising=False)
    monkeypatch.setenv("PAGER", f"sh -c 'cat >{tmp_path}/text; echo $LESS >>{tmp_path}/text'")
    docs_command.paged("a page\n")
    assert (tmp_path / "text").read_text() == "a page\nFRX\n"
    monkeypatch.setenv("PAGER", "no-such-pager")
    docs_command.paged("a page\n")
    assert capsys.readouterr().out == "a page\n"


def test_the_list_has_every_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_command.run(DocsOptions()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  submit-jobs             Submit jobs" in lines
    assert len([line for line in lines if line.startswith("  ")]) == len(docs_command.pages())


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"BROWSER": "firefox"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "1 2 3 4"}, False),
    ],
)
def test_what_counts_as_a_display(
    platform: str, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert docs_command.has_display() is expected
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert not docs_command.has_display()
