"""A rule of `lint`, and the reasons that most of them have."""

from typing import Final, Literal, NamedTuple

from rookery.jobs.lint.finding import Severity

REFUSED: Final = "sbatch rejects the script"
REJECTED: Final = "Slurm rejects the job"
PENDING: Final = "Slurm rejects the job, or it never starts"


class Rule(NamedTuple):
    """A rule of `lint`.

    Attributes:
        code: Its code, which never means anything else.
        severity: The severity of its findings; some rules name exceptions in `why`.
        what: What is wrong, as Markdown.
        why: What happens if nothing is done, as Markdown.
        fix: What `--fix` does, as the end of a sentence; `by hand: …` for what it leaves to the user; empty where it
            suggests nothing.
    """

    code: str
    severity: Severity
    what: str
    why: str
    fix: str = ""

    @property
    def refused(self) -> Literal["always", "sometimes", "never"]:
        """How often sbatch rejects a script with such an error, by `why`; lint is held to this on real Slurm.

        Everything that sbatch reads, RK1 to RK4, may be a reason to reject a script: so may a line that it does not
        read, where the site requires the option.
        """
        if self.why.startswith((REFUSED, REJECTED)) and not self.why.startswith(PENDING):
            return "always"
        return "sometimes" if self.code < "RK5" else "never"
