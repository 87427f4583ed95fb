"""The formats of lint for other programs: annotations of GitHub Actions, and SARIF."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rookery.core.errors import RookeryError
from rookery.jobs.lint import run
from rookery.jobs.lint.rules import table as rules
from rookery.jobs.options import LintOptions

SCRIPT = """\
#!/bin/bash
#SBATCH -p Penguin --mem=1G
#SBATCH --array=1-1000
RScript 'é.R' # rookery: ignore RK601 ours, 100%
Rscript a.R & RScript b.R
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return tmp_path


def lint(capsys: pytest.CaptureFixture[str], *files: str, code: int = 1, **flags: Any) -> str:
    assert run.run(LintOptions(files, cluster="" if flags.pop("project", "") else "penguins", **flags)) == code
    return capsys.readouterr().out


def test_annotations(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a, b:1%.sh").write_text(SCRIPT)
    lines = lint(capsys, "a, b:1%.sh", format="github").splitlines()
    name = "a%2C b%3A1%25.sh"
    assert lines[0].startswith(f"::error file={name},line=2,title=RK301::")
    assert lines[0].endswith("%0ACorrected: #SBATCH -p PenguinPartition --mem=1G")
    assert lines[1].startswith(f"::warning file={name},line=3,title=RK403::All 1000 tasks")
    assert "Add %2550 to run" in lines[1]
    assert lines[2].startswith(f"::error file={name},line=5,title=RK601::Unknown command RScript: its name is")
    assert lines[3:] == ["2 errors, 1 warning in 1 script for penguins (1 ignored)"]


def test_a_script_can_t_write_workflow_commands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text("#!/bin/bash\n#SBATCH -p 'x\r\n::set-output name=a::b'\ntrue\n")
    for line in lint(capsys, "job.sh", format="github").splitlines()[:-1]:
        assert line.startswith("::error file=job.sh,line=")


def test_what_was_fixed_is_a_notice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "job.sh").write_text("#!/bin/bash\n#SBATCH --mem=1G\nRScript a.R\n")
    assert lint(capsys, "job.sh", format="github", fix=True, code=0).startswith(
        "::notice file=job.sh,line=3,title=RK601::Fixed: Unknown command"
    )


def test_a_job_of_rookery_yml_is_annotated_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "rookery.yml").write_text("name: x\nclusters: [penguins]\njobs:\n  fit: {command: RScript a.R}\n")
    line = lint(capsys, format="github", project=True).splitlines()[0]
    assert re.match(r"::error file=rookery\.yml,line=1,title=RK601::slurm/fit\.sh, line \d+: Unknown", line)
    (result,) = json.loads(lint(capsys, format="sarif", project=True))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("rookery.yml", {"startLine": 1})


_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_PLACE = {
    "type": "object",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}, "uriBaseId": {"const": "%SRCROOT%"}},
    "additionalProperties": False,
}
_NUMBER = {"type": "integer", "minimum": 1}
_LEVEL = {"enum": ["error", "warning", "note", "none"]}
SCHEMA = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}}},
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "originalUriBaseIds": {"additionalProperties": {"properties": {"uri": {"pattern": "/$"}}}},
                "results": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/result"}},
                "tool": {"properties": {"driver": {"$ref": "#/$defs/driver"}}, "required": ["driver"]},
            },
        },
        "driver": {
            "required": ["name"],
            "properties": {
                "informationUri": {"type": "string", "format": "uri"},
                "rules": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {
                        "required": ["id"],
                        "properties": {
                            "shortDescription": _TEXT,
                            "fullDescription": _TEXT,
                            "help": _TEXT,
                            "helpUri": {"type": "string", "format": "uri"},
                            "defaultConfiguration": {"properties": {"level": _LEVEL}},
                        },
                    },
                },
            },
        },
        "result": {
            "required": ["message"],
            "properties": {
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": _LEVEL,
                "message": _TEXT,
                "locations": {"type": "array", "items": {"properties": {"physicalLocation": {
                    "required": ["artifactLocation"],
                    "properties": {"artifactLocation": _PLACE, "region": {"$ref": "#/$defs/region"}},
                    "additionalProperties": False,
                }}}},
                "suppressions": {"type": "array", "items": {
                    "required": ["kind"],
                    "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
                }},
                "fixes": {"type": "array", "items": {
                    "required": ["artifactChanges"],
                    "properties": {"artifactChanges": {"minItems": 1, "items": {
                        "required": ["artifactLocation", "replacements"],
                        "properties": {"artifactLocation": _PLACE, "replacements": {"minItems": 1, "items": {
                            "required": ["deletedRegion"],
                            "properties": {"deletedRegion": {"$ref": "#/$defs/region"}, "insertedContent": _TEXT},
                            "additionalProperties": False,
                        }}},
                    }}},
                }},
            },
        },
        "region": {
            "type": "object",
            "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), _NUMBER),
            "additionalProperties": False,
        },
    },
}  # fmt: skip
"""Of the schema of SARIF 2.1.0, what lint uses."""


def test_sarif(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a b.sh").write_text(SCRIPT)
    document = json.loads(lint(capsys, "a b.sh", format="sarif"))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    (each,) = document["runs"]
    known = [rule["id"] for rule in each["tool"]["driver"]["rules"]]
    assert known == [rule.code for rule in rules.RULES]
    results = each["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("RK301", "error"), ("RK403", "warning"), ("RK601", "error"), ("RK601", "error"),
    ]  # fmt: skip
    assert all(known[result["ruleIndex"]] == result["ruleId"] for result in results)
    assert [result.get("suppressions") for result in results] == [
        None, None, None, [{"kind": "inSource", "justification": "ours, 100%"}],
    ]  # fmt: skip
    place = results[0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "a%20b.sh", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2},
    }
    assert "fixes" not in results[1], "--fix leaves it to the user"
    (change,) = results[2]["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 5, "startColumn": 15, "endLine": 5, "endColumn": 22},
            "insertedContent": {"text": "Rscript"},
        }
    ]


def test_sarif_of_a_file_elsewhere_and_of_windows_lines(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "deep").mkdir()
    (here / "job.sh").write_bytes(SCRIPT.encode().replace(b"\n", b"\r\n"))
    import os

    os.chdir(here / "deep")
    document = json.loads(lint(capsys, "../job.sh", format="sarif"))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    results = document["runs"][0]["results"]
    assert all("fixes" not in result for result in results)
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert uri == {"uri": (here / "job.sh").as_uri()}


def test_in_a_folder_of_a_workflow_s_repository(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "deep").mkdir()
    (here / "deep/job.sh").write_text(SCRIPT)
    monkeypatch.chdir(here / "deep")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here))
    assert lint(capsys, "job.sh", format="github").startswith("::error file=deep/job.sh,line=2,")
    (each,) = json.loads(lint(capsys, "job.sh", format="sarif"))["runs"]
    place = each["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "deep/job.sh", "uriBaseId": "%SRCROOT%"}
    assert each["originalUriBaseIds"] == {"%SRCROOT%": {"uri": f"{here.as_uri()}/"}}


def test_two_formats(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    (here / "job.sh").write_text(SCRIPT)
    with pytest.raises(RookeryError, match="Use either --json or --format sarif"):
        lint(capsys, "job.sh", json=True, format="sarif")
    one, two = (lint(capsys, "job.sh", **flags) for flags in ({"json": True}, {"format": "json"}))
    assert one == two
