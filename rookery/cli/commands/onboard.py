"""A new student in one command."""

from typing import Any

from rookery.cli.commands.help_texts import CLUSTER, SANDBOX
from rookery.cli.program import command


@command(
    help={
        "cluster": CLUSTER,
        "user": "your username on the cluster",
        "account": "the account (project) that your jobs there are charged to, where it asks for one",
        "name": "your full name, for the account request and your project's commits",
        "email": "your email address, likewise",
        "key": "your private ssh key; by default one in ~/.ssh, made where there is none",
        "project": "name of your first project, and of its folder here",
        "language": "its language: python or r",
        "request": "you have no account yet: print the mail that asks for one",
        "run": "go on to a first project and its result; --no-run stops before",
        "sandbox": SANDBOX,
        "offline-mirrors": "with --sandbox: make local mirrors of what this machine can't reach",
        "yes": "ask nothing but what a login takes",
        "accept-host-key": "the fingerprint (SHA256:…) of a host key that you have checked",
    },
)
def onboard(
    _c: Any,
    cluster: str = "",
    user: str = "",
    account: str = "",
    name: str = "",
    email: str = "",
    key: str = "",
    project: str = "",
    language: str = "",
    request: bool = False,
    run: bool = True,
    sandbox: bool = False,
    offline_mirrors: bool = False,
    yes: bool = False,
    accept_host_key: str = "",
) -> int | None:
    """From nothing to a first result from a cluster: key, login, home, project, job, table. Again, it goes on."""
    from rookery.support.onboarding import command, options

    return command.run(
        options.OnboardOptions(
            cluster=cluster,
            user=user,
            account=account,
            name=name,
            email=email,
            key=key,
            project=project,
            language=language,
            request=request,
            run=run,
            sandbox=sandbox,
            offline_mirrors=offline_mirrors,
            yes=yes,
            accept_host_key=accept_host_key,
        )
    )
