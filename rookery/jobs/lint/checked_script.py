"""The result of checking one file, as `lint` reports it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.ignores import Ignored


@dataclass
class CheckedScript:
    """The result of checking one script.

    Attributes:
        path: As it is shown.
        findings: What is wrong with it, now.
        mended: What was wrong, and has been fixed.
        ignored: What its comments overrule.
        text: Its text, now.
        source: The file that describes it, where the script itself is no file: a rookery.yml.
    """

    path: str
    findings: list[Finding]
    mended: list[Finding] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    text: str = ""
    source: str = ""


def drop_repeated(scripts: Sequence[CheckedScript]) -> None:
    """Report the findings in a program that several scripts run only once."""
    keys: set[tuple[str, str, int]] = set()
    for script in scripts:
        for finding in list(script.findings):
            if finding.path == script.path:
                continue
            key = (finding.code, finding.path, finding.line)
            if key in keys:
                script.findings.remove(finding)
            keys.add(key)
