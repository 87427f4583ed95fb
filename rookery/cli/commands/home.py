"""A home on a cluster: made ready, looked at, taken back."""

from typing import Any

from rookery.cli.commands.help_texts import CHECK, CLUSTER, CLUSTERS, JSON, SANDBOX, YES
from rookery.cli.program import command


@command(
    incrementable=["verbose"],
    help={
        "cluster": CLUSTERS,
        "check": "say what would change, and change nothing",
        "diff": "show the lines that change",
        "tags": "these roles alone: shell, storage, python, python_tools, r, tmux, vscode",
        "user": "your name on the cluster; it is kept for the next time",
        "account": "the account (project) that your jobs there are charged to; it is kept, too",
        "sandbox": SANDBOX,
        "offline-mirrors": "with --sandbox: make local mirrors of what this machine can't reach",
        "force": "go through everything even where nothing seems to have changed",
        "json": JSON,
        "timings": "say at the end where the time went",
        "yes": YES,
        "verbose": "say more; twice for Ansible's own words",
        "accept-host-key": "the fingerprint (SHA256:…) of a host key that you have checked",
    },
)
def setup(
    _c: Any,
    cluster: str = "",
    check: bool = False,
    diff: bool = False,
    tags: str = "",
    user: str = "",
    account: str = "",
    sandbox: bool = False,
    offline_mirrors: bool = False,
    force: bool = False,
    json: bool = False,
    timings: bool = False,
    yes: bool = False,
    verbose: int = 0,
    accept_host_key: str = "",
) -> int | None:
    """Make your home on a cluster ready for work: shells, storage, Python, R, tmux, VS Code."""
    from rookery.homes import setup

    return setup.run(
        setup.SetupOptions(
            cluster=cluster,
            check=check,
            diff=diff,
            tags=tags,
            user=user,
            account=account,
            sandbox=sandbox,
            offline_mirrors=offline_mirrors,
            force=force,
            json=json,
            timings=timings,
            yes=yes,
            verbosity=verbose,
            accept_host_key=accept_host_key,
        )
    )


@command(
    help={
        "cluster": CLUSTERS + "; by default those where your username is known",
        "user": "your name on the cluster; it is kept for the next time",
        "sandbox": SANDBOX,
        "json": JSON,
        "yes": YES,
        "accept-host-key": "the fingerprint (SHA256:…) of a host key that you have checked",
    }
)
def login(
    _c: Any,
    cluster: str = "",
    user: str = "",
    sandbox: bool = False,
    json: bool = False,
    yes: bool = False,
    accept_host_key: str = "",
) -> int | None:
    """Log in to clusters: password, code or passphrase are typed once, and every command goes through from then on."""
    from rookery.homes import login

    return login.run(
        login.LoginOptions(
            cluster=cluster, user=user, sandbox=sandbox, json=json, yes=yes, accept_host_key=accept_host_key
        )
    )


@command(help={"cluster": CLUSTERS + "; by default all", "sandbox": SANDBOX, "json": JSON})
def logout(_c: Any, cluster: str = "", sandbox: bool = False, json: bool = False) -> int | None:
    """Close your connections to clusters; what runs through them ends, jobs go on."""
    from rookery.homes import login

    return login.logout(login.LoginOptions(cluster=cluster, sandbox=sandbox, json=json))


@command(help={"cluster": CLUSTERS, "json": JSON, "sandbox": SANDBOX})
def status(_c: Any, cluster: str = "all", json: bool = False, sandbox: bool = False) -> int | None:
    """Say how your homes on the clusters stand: set up, drifted, out of date; tools and storage."""
    from rookery.homes import status

    return status.run(cluster=cluster, json=json, sandbox=sandbox)


@command(
    help={
        "cluster": CLUSTERS,
        "check": CHECK,
        "only": "what one role did alone: shell, storage, python, python_tools, r, tmux, vscode",
        "purge": "remove rookery's own record there too, and the old versions that were kept",
        "json": JSON,
        "yes": YES,
        "sandbox": SANDBOX,
    }
)
def undo(
    _c: Any,
    cluster: str,
    check: bool = False,
    only: str = "",
    purge: bool = False,
    json: bool = False,
    yes: bool = False,
    sandbox: bool = False,
) -> int | None:
    """Put a home back as it was before rookery; what you have changed since is left alone and named."""
    from rookery.homes import undo

    return undo.run(
        undo.UndoOptions(cluster=cluster, check=check, only=only, purge=purge, json=json, yes=yes, sandbox=sandbox)
    )


@command(help={"cluster": CLUSTER, "session": "name of the session", "sandbox": SANDBOX})
def tmux(_c: Any, cluster: str, session: str = "rookery", sandbox: bool = False) -> int | None:
    """Open a terminal on a cluster that goes on when your connection drops, or come back to it."""
    from rookery.clusters.connect import connect
    from rookery.clusters.login_node import tmux

    return tmux.tmux(connect(cluster, sandbox=sandbox), session)
