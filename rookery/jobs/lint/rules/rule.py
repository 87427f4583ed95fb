"""A rule of `lint`, as its reference describes it."""

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

        A line that sbatch does not read as intended (RK2) may be a reason, too: the site may require the option.
        """
        rejects = [self.why.removeprefix(says) for says in (REFUSED, REJECTED) if self.why.startswith(says)]
        if rejects and rejects[0][:1] in {"", ".", ":"}:
            return "always"
        return "sometimes" if "rejects" in self.why or self.code.startswith("RK2") else "never"
