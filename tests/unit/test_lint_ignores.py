"""Comments that overrule lint: for a line, for the next command, for the whole file; and what is wrong with them."""

import json
from pathlib import Path

import pytest
from linting import check, codes, fix
from projects import known

from rookery.jobs import lint
from rookery.jobs.lint import run
from rookery.jobs.options import LintOptions

HEAD = "#!/bin/bash\n#SBATCH --partition=serial\n#SBATCH --mem=1G\n"
BODY = "source /etc/profile\nRScript a.R\nRScript b.R\n"


def examined(text: str, **files: str) -> lint.LintResult:
    return lint.examine(text, known("hec"), path="job.sh", files=files.get)


def lines(text: str) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in check(text)]


def test_behind_a_command_it_is_for_that_line() -> None:
    assert lines(HEAD + BODY) == [("RK601", 5), ("RK601", 6)]
    assert lines(HEAD + BODY.replace("a.R", "a.R  # rookery: ignore RK601")) == [("RK601", 6)]


def test_above_a_command_it_is_for_that_command_alone() -> None:
    text = HEAD + BODY.replace("RScript a.R", "# rookery: ignore RK601\n\n# more\nRScript a.R")
    assert lines(text) == [("RK601", 9)]
    later = HEAD + BODY.replace("RScript b.R", "# rookery: ignore RK601\nRScript b.R")
    assert lines(later) == [("RK601", 5)]


def test_above_the_first_command_it_is_for_the_whole_script() -> None:
    for place in ("#SBATCH --mem", "source"):
        text = (HEAD + BODY).replace(place, f"# rookery: ignore RK601 (a wrapper of ours)\n{place}")
        result = examined(text)
        assert result.findings == []
        assert [(each.finding.line, each.reason) for each in result.ignored] == [
            (6, "a wrapper of ours"),
            (7, "a wrapper of ours"),
        ]


def test_behind_an_option_it_is_for_that_line() -> None:
    wrong = HEAD.replace("serial", "nonesuch") + "source /etc/profile\npython3 a.py\n"
    assert codes(wrong) == ["RK301"]
    assert codes(wrong.replace("nonesuch", "nonesuch # rookery: ignore RK301: it is new")) == []
    assert codes(wrong.replace("--mem=1G", "--mem=1G # rookery: ignore RK301")) == ["RK301", "RK002"]


def test_a_command_of_several_lines() -> None:
    text = HEAD + "source /etc/profile\nRScript a.R \\\n  --rows 10 \\\n  --seed 1 # rookery: ignore RK601\n"
    assert codes(text) == []
    above = HEAD + "source /etc/profile\n# rookery: ignore RK601\ntrue && \\\n  RScript a.R\nRScript b.R\n"
    assert lines(above) == [("RK601", 8)]


@pytest.mark.parametrize(
    "comment",
    [
        "#rookery:ignore RK601",
        "# rookery: ignore rk601",
        "# rookery: ignore RK604, RK601 both on purpose",
        "# rookery: ignore RK604 RK601",
        "# rookery: ignore=RK601",
        "# mine # rookery: ignore RK601",
    ],
)
def test_how_it_may_be_written(comment: str) -> None:
    assert "RK601" not in codes(f"{HEAD}source /etc/profile\nRScript a.R {comment}\n")


def test_a_fix_leaves_what_is_ignored() -> None:
    text = HEAD + BODY.replace("a.R", "a.R  # rookery: ignore RK601")
    assert fix(text) == text.replace("RScript b", "Rscript b")


@pytest.mark.parametrize(
    ("comment", "code", "why"),
    [
        ("# rookery: ignore", "RK001", "names no rule"),
        ("# rookery: ignore conda", "RK001", "names no rule"),
        ("# rookery: ignore RK999", "RK001", "no rule RK999"),
        ("# rookery: ignore RK605", "RK002", "no RK605 in that line"),
    ],
)
def test_a_comment_without_effect_is_a_warning(comment: str, code: str, why: str) -> None:
    (finding,) = check(f"{HEAD}source /etc/profile\npython3 a.py {comment}\n")
    assert (finding.code, finding.line, finding.severity, finding.safe) == (code, 5, "warning", False)
    assert why in finding.why


def test_a_comment_that_another_cluster_may_need_is_none_without_effect() -> None:
    text = f"{HEAD}# rookery: ignore RK301\nsource /etc/profile\npython3 a.py\n"
    one, two = "name: x\nclusters: [hec]\n", "name: x\nclusters: [hec, bede]\n"
    assert codes(text, files={"rookery.yml": one}) == ["RK002"]
    assert codes(text, files={"rookery.yml": two}) == []
    assert codes(text.replace("RK301", "RK999"), files={"rookery.yml": two}) == ["RK001"]


@pytest.mark.parametrize("comment", ["# rookery: see RK601", "# do not ignore RK601", "# rookery ignore RK601"])
def test_other_comments_overrule_nothing(comment: str) -> None:
    assert codes(f"{HEAD}source /etc/profile\nRScript a.R {comment}\n") == ["RK601"]


@pytest.mark.parametrize(
    "line",
    [
        "echo 'see # rookery: ignore RK601 for this'; RScript a.R",
        'echo "see # rookery: ignore RK601"; RScript a.R',
        "RScript a.R <<'EOF'\n# rookery: ignore RK601\nEOF",
    ],
)
def test_text_is_no_comment(line: str) -> None:
    assert codes(f"{HEAD}source /etc/profile\n{line}\n") == ["RK601"]
    assert codes(f"{HEAD}source /etc/profile\n{line.partition('<')[0]} # rookery: ignore RK601\n") == []


def test_of_several_codes_those_without_effect_are_named() -> None:
    text = f"{HEAD}source /etc/profile\nRScript a.R # rookery: ignore RK601, RK605, RK999\n"
    assert sorted((finding.code, finding.why.partition(" `")[0]) for finding in check(text)) == [
        ("RK001", "lint has no rule RK999, so the word has no effect."),
        ("RK002", "lint finds no RK605 in that line, so remove it from this comment."),
    ]


def test_findings_about_comments_are_overruled_as_others() -> None:
    body = "source /etc/profile\npython3 a.py"
    assert codes(f"{HEAD}{body} # rookery: ignore RK605\n") == ["RK002"]
    assert codes(f"{HEAD}{body} # rookery: ignore RK605, RK002 only on bede\n") == []
    assert codes(f"{HEAD}# rookery: ignore RK001, RK002\n{body} # rookery: ignore RK605, RK999\n") == []
    assert codes(f"{HEAD}{body} # rookery: ignore RK002\n") == ["RK002"]


def test_a_program_has_comments_of_its_own() -> None:
    script = HEAD + "source /etc/profile\nRscript work.R\n"
    program = "x <- 1\nparallel::detectCores()\n"
    assert [finding.code for finding in examined(script, **{"work.R": program}).findings] == ["RK701"]
    ignored = program.replace("()", "() # rookery: ignore RK701 it is only printed")
    result = examined(script, **{"work.R": ignored})
    assert (result.findings, [each.reason for each in result.ignored]) == ([], ["it is only printed"])
    result = examined(script.replace("source", "# rookery: ignore RK701\nsource"), **{"work.R": program})
    assert (result.findings, [each.finding.path for each in result.ignored]) == ([], ["work.R"])


def test_the_report_counts_and_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.sh").write_text(HEAD + "source /etc/profile\nRScript a.R  # rookery: ignore RK601 ours\n")
    assert run.run(LintOptions(("job.sh",), cluster="hec")) == 0
    assert capsys.readouterr().out == "No problems in 1 script for hec (1 ignored)\n"
    assert run.run(LintOptions(("job.sh",), cluster="hec", json=True)) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [(each["code"], each["line"], each["reason"]) for each in file["ignored"]] == [("RK601", 5, "ours")]
