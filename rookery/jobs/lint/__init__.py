"""Job scripts held against a cluster's rules before Slurm does: what is wrong, where, why, and how it reads mended.

`check(text, cluster, path=…, files=…)` gives the findings, `fix` the text with what is safe mended. docs/lint.md lists
the rules.
"""

from rookery.jobs.lint.checker import check, fix
from rookery.jobs.lint.finding import Finding

__all__ = ["Finding", "check", "fix"]
