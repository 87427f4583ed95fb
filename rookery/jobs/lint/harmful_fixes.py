"""Find fixes that would have sbatch reject a script which it accepts: those are left to the user.

A line that sbatch has not read so far may ask for what it refuses: `#BATCH -p batch` is a comment until it is fixed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rookery.jobs.lint import rules
from rookery.jobs.lint.finding import Finding, apply

_REFUSED = {rule.code: rule.refused for rule in rules.RULES}


def left_out(findings: Sequence[Finding], text: str, check: Callable[[str], Iterable[Finding]]) -> list[Finding]:
    """Return the findings; those whose fix brings a new reason to reject the script are no longer safe, and say why.

    Args:
        findings: What the rules find.
        text: The script.
        check: What the rules find in another text in its place.
    """

    def judged(finding: Finding) -> Finding:
        if not finding.safe or _REFUSED[finding.code] != "sometimes":  # sbatch rejects it now, or reads none of it
            return finding
        reason = new_refusal(findings, check(apply(text, finding.edits)))
        why = f"{finding.why} --fix leaves it to you, because then: {reason}"
        return replace(finding, safe=False, why=why) if reason else finding

    return [judged(finding) for finding in findings]


def new_refusal(before: Iterable[Finding], after: Iterable[Finding]) -> str:
    """Return why sbatch rejects a script that had other findings before; "" where it has no new reason.

    What is fixed next is no reason.
    """
    known = Counter(finding.code for finding in before if _is_refusal(finding))
    now = [finding for finding in after if _is_refusal(finding) and not finding.safe]
    more = Counter(finding.code for finding in now) - known
    return next((finding.why for finding in now if finding.code in more), "")


def _is_refusal(finding: Finding) -> bool:
    return finding.severity == "error" and _REFUSED[finding.code] != "never"
