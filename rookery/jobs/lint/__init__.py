"""Check job scripts against a cluster's rules before Slurm does: what is wrong, where, why, and the fixed line.

`check(text, cluster, path=…, files=…)` returns the findings, `fix` the text with all safe fixes made. The module
`rules` lists the rules.
"""

from rookery.jobs.lint.checker import check, fix
from rookery.jobs.lint.finding import Finding

__all__ = ["Finding", "check", "fix"]
