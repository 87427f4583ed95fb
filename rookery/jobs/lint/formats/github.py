"""Findings as annotations of GitHub Actions: workflow commands, which its runner reads from a step's output.

Their form is that of actions/toolkit (packages/core/src/command.ts): `::error file=…,line=…,title=…::text`, where `%`,
CR and LF are percent-encoded, and in properties also `:` and `,`.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rookery.core.console import clean
from rookery.jobs.lint.checked_script import CheckedScript
from rookery.jobs.lint.finding import Finding

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def root() -> Path:
    """Return the folder from which paths count: that of the repository in a workflow, elsewhere the current one."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())


def annotations(scripts: Sequence[CheckedScript]) -> Iterator[str]:
    """Yield a line for each finding, and for what was fixed."""
    for script in scripts:
        for finding in script.mended:
            yield _annotation("notice", finding, script, f"Fixed: {finding.why}")
        for finding in script.findings:
            mended = f"\nCorrected: {finding.mended}" if finding.mended is not None else ""
            yield _annotation(finding.severity, finding, script, f"{finding.why}{mended}")


def _annotation(kind: str, finding: Finding, script: CheckedScript, text: str) -> str:
    """Return a finding's annotation; in rookery.yml, where that describes the script."""
    if script.source:
        file, line, text = script.source, 1, f"{finding.path}, line {finding.line}: {text}"
    else:
        file, line = finding.path, finding.line
    properties = {"file": Path(os.path.relpath(file, root())).as_posix(), "line": str(line), "title": finding.code}
    given = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{kind} {given}::{_escaped(text, _DATA)}"


def _escaped(text: str, characters: dict[str, str]) -> str:
    shown = "\n".join(clean(line) for line in text.split("\n"))
    return "".join(characters.get(character, character) for character in shown)
