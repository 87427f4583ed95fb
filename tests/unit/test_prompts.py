"""Questions on the terminal, and what counts as an answer."""

import io
import sys

import pytest

from rookery.core import prompts
from rookery.support.cluster_profiles import questions


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["y"], True),
        (["YES"], True),
        ([" n "], False),
        (["No"], False),
        ([""], None),
        (["maybe", "y"], True),
        ([], False),
    ],
)  # fmt: skip
def test_a_yes_and_a_no(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: list[str],
    answer: bool | None,
    default: bool,
) -> None:
    typed(monkeypatch, *lines)
    assert prompts.confirm("Shall it?", default=default) == (default if answer is None else answer)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count(f"Shall it? [{'Y/n' if default else 'y/N'}] ") == max(1, len(lines))


def test_blanks_before_a_question_indent_what_follows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "perl", "R")
    assert prompts.ask("  Which", "python", ("python", "r")) == "r"
    assert "  Please answer python or r.\n" in capsys.readouterr().err


def test_enter_alone_can_be_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, "perhaps", "")
    assert prompts.ask("Needed", choices=("never", "always", "")) == ""
    said = capsys.readouterr().err
    assert "Needed (never or always): " in said
    assert "Please answer never or always.\n" in said


def test_a_template_is_no_answer_about_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "Berg {{ x }}", "Berg", "", "")
    assert questions.site("berg") == {"cluster_title": "Berg"}
    assert "It can't contain {{, {% or {#, which Ansible" in " ".join(capsys.readouterr().err.split())


def test_what_is_asked_about_comes_before_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw))
    print("+ a line of a diff")
    typed(monkeypatch, "y")
    assert prompts.confirm("Write it?")
    assert raw.getvalue() == b"+ a line of a diff\n"
