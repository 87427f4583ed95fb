"""The check of all tests' hints (hints.py) finds what can't be run."""

import pytest
from hints import problem_of, problems_in


@pytest.mark.parametrize(
    ("hint", "problem"),
    [
        ("invoke undo hec --check   # or NAME", ""),
        ("rookery submit simulate --wait", ""),
        ("df -h ~   # free some", ""),
        ("edit line 5 of rookery.yml, then run the command again", ""),
        ("invoke onboard --cluster hec --user NAME", ""),
        ("invoke new NAME", "NAME is a placeholder"),
        ("invoke undo hec --only r", "Unknown option --only of undo (did you mean --tags?)."),
        ("invoke cancel", "Missing argument JOB."),
        ("invoke frobnicate", "Unknown command 'frobnicate'."),
        ("invoke new it's", "No closing quotation"),
    ],
)
def test_what_is_wrong_with_a_hint(hint: str, problem: str) -> None:
    assert problem_of(hint) == problem


def test_of_what_was_printed_the_next_lines_alone_are_looked_at() -> None:
    text = "done\n  next: rookery undo hec --only r\n  home  /home/ada\n  next: rookery jobs\n"
    assert list(problems_in(text)) == ["rookery undo hec --only r"]
