"""Find fixes that would have sbatch reject a script which it accepts: those are left to the user.

A line that sbatch has not read so far may ask for what it refuses: `#BATCH -p batch` is a comment until it is fixed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rookery.jobs.lint.finding import Finding, apply
from rookery.jobs.lint.rules import table as rules

_REFUSED = {rule.code: rule.refused for rule in rules.RULES}

HIDDEN = {"RK201", "RK202"}
"""The rules on lines that sbatch does not read at all."""


def left_out(findings: Sequence[Finding], text: str, check: Callable[[str], Iterable[Finding]]) -> list[Finding]:
    """Return the findings; those whose fix brings a new reason to reject the script are no longer safe, and say why.

    Args:
        findings: What the rules find.
        text: The script.
        check: What the rules find in another text in its place.
    """
    reasons = {finding: _reason(finding, findings, text, check) for finding in findings}
    refused = [finding for finding, reason in reasons.items() if reason]

    def judged(finding: Finding) -> Finding:
        reason = reasons[finding]
        if finding.code in HIDDEN and refused and not reason:  # the options of the others count as given
            reason = f"line {refused[0].line} must be corrected first."
        if not finding.safe or not reason:
            return finding
        return replace(finding, safe=False, why=f"{finding.why} --fix leaves it to you: {reason}")

    return [judged(finding) for finding in findings]


def _reason(finding: Finding, findings: Sequence[Finding], text: str, check: Callable[[str], Iterable[Finding]]) -> str:
    """Return why sbatch rejects the script once this is fixed; "" where it rejects it now, or still accepts it."""
    if not finding.safe or _REFUSED[finding.code] != "sometimes":
        return ""
    return new_refusal(findings, check(apply(text, finding.edits)))


def new_refusal(before: Iterable[Finding], after: Iterable[Finding]) -> str:
    """Return why sbatch rejects a script that had other findings before; "" where it has no new reason.

    What is fixed next is no reason.
    """
    known = Counter(finding.code for finding in before if _is_refusal(finding))
    now = [finding for finding in after if _is_refusal(finding) and not finding.safe]
    more = Counter(finding.code for finding in now) - known
    return next((finding.why for finding in now if finding.code in more), "")


def _is_refusal(finding: Finding) -> bool:
    return _REFUSED[finding.code] != "never" and finding.code not in HIDDEN
