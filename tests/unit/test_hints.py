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
        ("cd study && invoke deploy --sandbox && invoke submit --sandbox", ""),
        ("cd study && invoke deploy --frobnicate", "Unknown option --frobnicate of deploy."),
        ("invoke new NAME", "NAME is a placeholder"),
        ("invoke undo hec --only r", "Unknown option --only of undo (did you mean --tags?)."),
        ("invoke undo --check --sandbox", "Missing argument CLUSTER."),
        ("invoke setup --check", "Missing argument CLUSTER."),
        ("invoke login --sandbox", "Missing argument CLUSTER."),
        ("invoke undo --help", ""),
        ("invoke new", "Missing argument NAME."),
        ("invoke cancel", "Missing argument NUMBER."),
        ("invoke frobnicate", "Unknown command 'frobnicate'."),
        ("invoke new it's", "No closing quotation"),
    ],
)
def test_what_is_wrong_with_a_hint(hint: str, problem: str) -> None:
    assert problem_of(hint) == problem


@pytest.mark.parametrize(
    "line",
    [
        "  next: rookery undo",
        "  next     rookery undo",
        "next         rookery undo",
        "    fix: rookery undo   # restores it",
        "  rookery undo",
    ],
)
def test_every_line_with_a_command_to_run_is_looked_at(line: str) -> None:
    text = f"done\n{line}\n  home  /home/ada\n  next: rookery jobs\nrookery undo was run.\n"
    assert list(problems_in(text).values()) == ["Missing argument CLUSTER."]
