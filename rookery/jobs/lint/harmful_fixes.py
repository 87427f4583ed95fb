"""Find fixes that would have sbatch reject a script which it accepts: those are left to the user.

A line that sbatch has not read so far may ask for what it refuses: `#BATCH -p batch` is a comment until it is fixed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from rookery.jobs.lint.finding import Finding, apply
from rookery.jobs.lint.rules import table as rules

_REFUSED = {rule.code: rule.refused for rule in rules.RULES}

HIDDEN = {"RK201", "RK202"}
"""The rules on lines that sbatch does not read at all."""


_MOST = 12
"""How many fixes of a script are tried one by one."""


def left_out(findings: Sequence[Finding], text: str, check: Callable[[str], Iterable[Finding]]) -> list[Finding]:
    """Return the findings; those whose fix brings a new reason to reject the script are no longer safe, and say why.

    Args:
        findings: What the rules find.
        text: The script.
        check: What the rules find in another text in its place.
    """
    reasons = dict(_reasons([finding for finding in findings if _is_risky(finding)], findings, text, check))
    refused = [finding for finding, reason in reasons.items() if reason]

    def judged(finding: Finding) -> Finding:
        reason = reasons.get(finding, "")
        if finding.code in HIDDEN and refused and not reason:  # the options of the others count as given
            reason = f"line {refused[0].line} must be corrected first."
        if not finding.safe or not reason:
            return finding
        return replace(finding, safe=False, why=f"{finding.why} --fix leaves it to you: {reason}")

    return [judged(finding) for finding in findings]


def _is_risky(finding: Finding) -> bool:
    """Return whether sbatch may accept the script as it is, so that a fix could do harm."""
    return finding.safe and _REFUSED[finding.code] == "sometimes"


def _reasons(
    risky: Sequence[Finding], findings: Sequence[Finding], text: str, check: Callable[[str], Iterable[Finding]]
) -> Iterator[tuple[Finding, str]]:
    """Yield each fix with why sbatch rejects the script once it is made; "" where it still accepts it.

    Each is tried alone; many are tried together, since each trial checks the whole script.
    """
    groups = [[finding] for finding in risky] if len(risky) <= _MOST else [risky]
    for group in groups:
        edits = [edit for finding in group for edit in finding.edits]
        reason = new_refusal(findings, check(apply(text, edits)))
        yield from ((finding, reason) for finding in group)


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
