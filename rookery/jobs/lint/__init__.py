"""Check job scripts against a cluster's rules before Slurm does: what is wrong, where, why, and the fixed line.

`check(text, cluster, path=…, files=…)` returns the findings, `examine` also those that comments overrule, `fix` the
text with all safe fixes made. The module `rules` lists the rules.
"""

from rookery.jobs.lint.checker import LintResult, check, examine, fix
from rookery.jobs.lint.finding import Finding

__all__ = ["Finding", "LintResult", "check", "examine", "fix"]
