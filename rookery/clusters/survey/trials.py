"""Read what sbatch accepted (remote/scripts/survey/trials.sh): which options made it take a job, and where."""

from rookery.clusters.survey.slurm_answers import SlurmSite


def accepted(site: SlurmSite, start: str) -> list[str]:
    """Return the names of the accepted trials that begin so."""
    return [name for name, trial in site.trials.items() if trial.accepted and name.startswith(start)]


def is_way_in(trial: str, partition: str) -> bool:
    """Return whether a trial named a partition."""
    return f"{trial}:".startswith((f"in:{partition}:", f"partition:{partition}:"))


def way_in(site: SlurmSite, partition: str) -> str:
    """Return what made a partition accept a job that it refuses otherwise: `gres`, `qos:NAME`, `account:NAME:gres`."""
    start = f"in:{partition}"
    plain = site.trials.get(start)
    if plain is None or plain.accepted:
        return ""
    return next((name.removeprefix(f"{start}:") for name in accepted(site, f"{start}:")), "")


def named(site: SlurmSite, partition: str, option: str) -> str:
    """Return the value of an option (qos, account) without which a partition refused a job; "" where it needs none."""
    kind, _, rest = way_in(site, partition).partition(":")
    return rest.partition(":")[0] if kind == option else ""


def base_account(site: SlurmSite) -> str:
    """Return the account that the other trials were made with, where each job needs one; "" where not known."""
    return next((name.partition(":")[2] for name in accepted(site, "account:")), "")
