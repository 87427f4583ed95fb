"""What `submit` is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SubmitOptions:
    """What a user asks of `submit`; each field is the flag of that name.

    Attributes:
        job: A job of rookery.yml, or a script of the project.
        cluster: Where; "" for the project's first.
        project: The project's folder; "" for the one found upwards.
        after: Numbers or names of jobs that must have ended well before.
        test: Ask Slurm whether and when it could start.
        wait: Stay until it has ended.
        failed: Number of the run whose failed tasks are meant.
        tag: Name of a git tag to make.
        json: One JSON document on standard output.
        sandbox: On the cluster's miniature.
    """

    job: str = ""
    cluster: str = ""
    project: str = ""
    after: tuple[str, ...] = ()
    test: bool = False
    wait: bool = False
    failed: str = ""
    tag: str = ""
    json: bool = False
    sandbox: bool = False
