"""RK5: mail that is asked for and never sent."""

from collections.abc import Iterator

from rookery.jobs.lint.checks import lines
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script.context import Context


def never_sent(script: Context) -> Iterator[Finding]:
    """Yield findings for an address without events: Slurm sends mail only for those that --mail-type names.

    sbatch takes such a job, and `scontrol show job` shows no MailUser (22.05, 24.11). The other way round, mail
    without an address goes to the user who submits.
    """
    elsewhere = lines.intended_options(script)
    for part in range(script.directives.parts):
        user = script.directives.get("mail-user", part=part)
        if not user or _misspelt(script) or script.directives.get("mail-type", part=part) or "mail-type" in elsewhere:
            continue
        may = (script.cluster.data.get("cluster_array") or {}).get("may_mail", True)
        refused = script.directives.get("array", part=part) and not may
        yield script.finding(
            "RK502",
            user.line,
            "--mail-user alone sends no mail: --mail-type names the events to send mail for.",
            severity="warning",
            edits=[] if refused else [script.new_line("#SBATCH --mail-type=END,FAIL", part=part)],
        )


def _misspelt(script: Context) -> bool:
    """Return whether an option that sbatch does not have was meant as --mail-type: another rule reports it."""
    unknown = [slip.word.text for slip in script.directives.slips if slip.kind == "unknown"]
    return any(word.lower().startswith("--mail") for word in unknown)
