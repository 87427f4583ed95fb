"""Lines that fit the terminal: wrapped between words, with commands and paths whole; unchanged in a pipe."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.core import console, prompts, wrapping

SENTENCE = (
    "  ! variables that change what programs do: BASH_ENV. Commands and jobs pass over them; scripts do not always."
)
RELEASE = "/home/student/projects/demo/releases/c1925f02b51afb0f9d5467568a1a297511041c93"
UV = "/home/ada/code/rookery/.tools/bin/uv sync --extra plot"
CALL = "rookery submit --failed 41 --cluster hec --sandbox"


class Terminal(io.StringIO):
    """A terminal, as far as output can tell; its width comes from COLUMNS."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 60) -> Terminal:
    """Make both outputs a terminal; what it has got is its value."""
    monkeypatch.setenv("COLUMNS", str(columns))
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(sys, "stdout", made)
    return made


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_sentence_is_wrapped_between_words_and_indented_below_its_text(width: int) -> None:
    lines = wrapping.wrap(SENTENCE, width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert " ".join(line.strip() for line in lines) == SENTENCE.strip()
    assert all(line.startswith("    ") and line[4] != " " for line in lines[1:])
    assert len(lines) == {60: 2, 80: 2, 120: 1}[width]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (f"  next: {CALL}  # or mend the script first", [f"  next: {CALL}", "        # or mend the script first"]),
        (f"  next     {CALL}", ["  next", f"    {CALL}"]),
        (f"  next: {UV}", ["  next:", f"    {UV}"]),
        (f"  next   {CALL}", [f"  next   {CALL}"]),
        (f"12 of 20 tasks failed (1,3,5-7): {CALL}", ["12 of 20 tasks failed (1,3,5-7):", f"  {CALL}"]),
        ("  next: the same command again, once the login node has come back",
         ["  next: the same command again, once the login node has come", "        back"]),
        (f"  release      {RELEASE}", ["  release", f"    {RELEASE}"]),
        (f"  Python       {RELEASE} (there already)", ["  Python", f"    {RELEASE}", "    (there already)"]),
        (RELEASE, [RELEASE]),
        (f"  |   File {RELEASE}, line 8, in test", [f"  |   File {RELEASE}, line 8, in test"]),
        ("  home       /home/student/with/a/long/path  (10 GB of it free)",
         ["  home       /home/student/with/a/long/path  (10 GB of it", "             free)"]),
        ("No outputs: there is nothing, so `rookery fetch --max-size 50G` does it",
         ["No outputs: there is nothing, so", "  `rookery fetch --max-size 50G` does it"]),
        ('            git config --global user.email "YOU@EXAMPLE.AC.UK" once',
         ['            git config --global user.email "YOU@EXAMPLE.AC.UK" once']),
        ("    fix: mv ~/projects/demo ~/projects/demo.mine   # there, or another name in rookery.yml",
         ["    fix: mv ~/projects/demo ~/projects/demo.mine",
          "         # there, or another name in rookery.yml"]),
        ("  10s ✓ Put uv in place, and then everything else that needs it",
         ["  10s ✓ Put uv in place, and then everything else that needs", "        it"]),
        ("a miniature is not in ~/.ssh/config: ssh -F ~/state/ssh_config hec",
         ["a miniature is not in ~/.ssh/config:", "  ssh -F ~/state/ssh_config hec"]),
        ("  run what is new by rookery submit simulate --wait and rookery fetch",
         ["  run what is new by rookery submit simulate --wait and", "    rookery fetch"]),
        ("rookery itself failed at something that nobody has foreseen, sorry",
         ["rookery itself failed at something that nobody has foreseen,", "  sorry"]),
    ],
)  # fmt: skip
def test_commands_and_paths_stay_whole_at_60_columns(line: str, lines: list[str]) -> None:
    assert wrapping.wrap(line, 60).split("\n") == lines


def test_each_line_of_a_text_is_wrapped_by_itself() -> None:
    assert wrapping.wrap("What it is.\n  next: rookery doctor", 10) == "What it\n  is.\n  next:\n    rookery doctor"


def test_wide_and_combining_characters_count_as_the_terminal_shows_them() -> None:
    assert wrapping.cells("日本語") == 6
    assert wrapping.cells("e\u0301") == 1
    assert wrapping.wrap("日本語 日本語 日本語", 14) == "日本語 日本語\n  日本語"


@given(st.text(alphabet="ab-`'\"(;:. #\né日", max_size=300), st.integers(1, 130))
def test_nothing_is_lost_whatever_the_text(text: str, width: int) -> None:
    plain = text.replace("#", "")
    assert wrapping.wrap(plain, width).split() == plain.split()
    wrapping.wrap(text, width)


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console.say(SENTENCE)
    console.note(SENTENCE)
    assert capsys.readouterr() == (f"{SENTENCE}\n", f"{SENTENCE}\n")


def test_a_terminal_gets_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    console.say(f"{SENTENCE}\x1b[2J", "a\nb")
    assert max(map(len, terminal.getvalue().splitlines())) <= 60
    assert terminal.getvalue().endswith("\na b\n")
    assert "\x1b" not in terminal.getvalue()


def test_a_line_in_colours_fits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    console.show(console.writer(terminal), SENTENCE.removeprefix("  ! "), mark="  ! ", mark_style="yellow")
    assert terminal.getvalue().startswith("\x1b[33m  ! ")
    assert console.clean(terminal.getvalue()) == f"{wrapping.wrap(SENTENCE, 60)}\n"


QUESTION = "  Your jobs need an account, and the letter that you got names two of them. Which one is it"


@pytest.mark.parametrize("columns", [60, 80])
def test_a_question_is_wrapped_too(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal = on_terminal(monkeypatch, columns)
    answers = iter(["neither\n", "b\n"])

    class Keys(io.StringIO):
        def readline(self, size: int = -1, /) -> str:  # noqa: ARG002 as a file has it
            terminal.write("\n")  # what is typed is shown by the terminal
            return next(answers)

    monkeypatch.setattr(sys, "stdin", Keys())
    assert prompts.ask(QUESTION, "a", ("a", "b")) == "b"
    lines = terminal.getvalue().splitlines()
    assert all(len(line.rstrip()) <= columns for line in lines)
    assert lines[0].startswith("  Your jobs need an account")
    assert all(line.startswith("    ") for line in lines[1:2])
    assert " ".join(line.strip() for line in lines[:2]) == f"{QUESTION.strip()} (a or b) [a]:"
    assert "  Please answer a or b." in lines


def test_a_name_stands_once_before_what_is_said_of_it() -> None:
    assert console.named("penguins", "penguins: a script failed there") == "penguins: a script failed there"
    assert console.named("penguins", "penguins is not set up") == "penguins is not set up"
    assert console.named("hec", "hec-job: waits") == "hec: hec-job: waits"
    assert console.named("hec", "hec.lancs.ac.uk is not known") == "hec: hec.lancs.ac.uk is not known"
    assert console.named("hec", "no room left") == "hec: no room left"
