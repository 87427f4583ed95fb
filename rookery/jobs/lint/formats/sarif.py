"""Findings as SARIF 2.1.0, the format that code scanning and editors read (OASIS, sarif-v2.1.0).

Columns are counted in characters. Fixes are given where `lint --fix` would make them, for files with Unix line ends.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rookery import __version__
from rookery.core.console import clean
from rookery.jobs.lint.checked_script import CheckedScript
from rookery.jobs.lint.checks import form
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.formats import github
from rookery.jobs.lint.ignores import Ignored
from rookery.jobs.lint.rules import table as rules
from rookery.jobs.lint.rules.rule import Rule

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SITE: Final = "https://rookery-hpc.github.io/rookery"
_FOLDER: Final = "%SRCROOT%"
_INDEX: Final = {rule.code: index for index, rule in enumerate(rules.RULES)}


def document(scripts: Sequence[CheckedScript]) -> dict[str, Any]:
    """Return the document of a run of `lint`."""
    results = [result for script in scripts for result in _results(script)]
    driver = {
        "name": "rookery lint",
        "version": __version__,
        "informationUri": f"{_SITE}/how-to/check-job-scripts/",
        "rules": [_rule(rule) for rule in rules.RULES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_FOLDER: {"uri": f"{github.root().as_uri()}/"}},
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    fix = f" `lint --fix` {rule.fix}." if rule.fix and not rule.fix.startswith("by hand") else ""
    text = f"{rule.what}: {rule.why}.{fix}"
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.what.replace("`", "")},
        "fullDescription": {"text": text.replace("`", "")},
        "help": {"text": text.replace("`", ""), "markdown": text},
        "helpUri": f"{_SITE}/reference/lint-rules/#{rule.code.lower()}",
        "defaultConfiguration": {"level": rule.severity},
    }


def _results(script: CheckedScript) -> Iterator[dict[str, Any]]:
    for finding in script.findings:
        yield _result(script, finding)
    for each in script.ignored:
        yield {**_result(script, each.finding), "suppressions": [_suppression(each)]}


def _suppression(ignored: Ignored) -> dict[str, str]:
    return {"kind": "inSource", **({"justification": clean(ignored.reason)} if ignored.reason else {})}


def _result(script: CheckedScript, finding: Finding) -> dict[str, Any]:
    """Return a finding; in rookery.yml, where that describes the script."""
    text = finding.why
    path, line = finding.path, finding.line
    if script.source:
        text, path, line = f"{path}, line {line}: {text}", script.source, 1
    location = {"artifactLocation": _place(path), "region": {"startLine": line}}
    result = {
        "ruleId": finding.code,
        "ruleIndex": _INDEX[finding.code],
        "level": finding.severity,
        "message": {"text": clean(text)},
        "locations": [{"physicalLocation": location}],
    }
    if finding.safe and finding.edits and finding.path == script.path and not _is_changed_first(script.text):
        result["fixes"] = [_fix(script, finding)]
    return result


def _place(path: str) -> dict[str, str]:
    """Return a file's URI: relative to the folder from which paths count, where it is in that."""
    relative = os.path.relpath(path, github.root())
    if relative.startswith("../"):
        return {"uri": Path(os.path.abspath(path)).as_uri()}  # noqa: PTH100 links stay as they are
    return {"uri": quote(os.fsencode(Path(relative).as_posix())), "uriBaseId": _FOLDER}


def _is_changed_first(text: str) -> bool:
    """Return whether edits are of another text than the file's: its line ends, or a byte order mark, come first."""
    return "\r" in text or text.startswith(form.BOM)


def _fix(script: CheckedScript, finding: Finding) -> dict[str, Any]:
    starts = [0, *(index + 1 for index, character in enumerate(script.text) if character == "\n")]
    replacements = [_replacement(edit, starts) for edit in finding.edits]
    change = {"artifactLocation": _place(finding.path), "replacements": replacements}
    return {"description": {"text": f"Fix {finding.code}"}, "artifactChanges": [change]}


def _replacement(edit: Edit, starts: Sequence[int]) -> dict[str, Any]:
    first, last = bisect_right(starts, edit.start), bisect_right(starts, edit.end)
    region = {
        "startLine": first,
        "startColumn": edit.start - starts[first - 1] + 1,
        "endLine": last,
        "endColumn": edit.end - starts[last - 1] + 1,
    }
    return {"deletedRegion": region, **({"insertedContent": {"text": edit.text}} if edit.text else {})}
