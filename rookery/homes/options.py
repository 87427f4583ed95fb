"""The options of the commands for homes."""

from rookery.clusters.option_texts import CHECK, CLUSTER, CLUSTERS, ITS_CLUSTER, JSON, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class ClustersListOptions(Options):
    """List the clusters: name, host, scheduler, GPUs, whether you have set it up."""

    sandbox: bool = option(default=False, help="the miniatures on this machine")
    json: bool = option(default=False, help=JSON)


class ClustersShowOptions(Options):
    """Print what is known of a cluster, and the file and line each value comes from."""

    name: str = option(help=CLUSTER)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class SetupOptions(Options):
    """Make your home on a cluster ready for work: shells, storage, Python, R, tmux, VS Code."""

    cluster: str = option(default="", help=CLUSTERS)
    check: bool = option(default=False, help="say what would change, and change nothing")
    diff: bool = option(default=False, help="show the lines that change")
    tags: str = option(default="", help="these roles alone: shell, storage, python, python_tools, r, tmux, vscode")
    user: str = option(default="", help="your name on the cluster; it is kept for the next time")
    account: str = option(default="", help="the account (project) that your jobs there are charged to; it is kept, too")
    sandbox: bool = option(default=False, help=SANDBOX)
    offline_mirrors: bool = option(
        default=False, help="with --sandbox: make local mirrors of what this machine can't reach"
    )
    force: bool = option(default=False, help="go through everything even where nothing seems to have changed")
    json: bool = option(default=False, help=JSON)
    timings: bool = option(default=False, help="say at the end where the time went")
    yes: bool = option(default=False, help=YES)
    verbose: int = option(default=0, help="say more; twice for Ansible's own words", incrementable=True)
    accept_host_key: str = option(default="", help="the fingerprint (SHA256:…) of a host key that you have checked")


class LoginOptions(Options):
    """Log in to clusters: password, code or passphrase are typed once, and every command goes through from then on."""

    cluster: str = option(default="", help=CLUSTERS + "; by default those where your username is known")
    user: str = option(default="", help="your name on the cluster; it is kept for the next time")
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    accept_host_key: str = option(default="", help="the fingerprint (SHA256:…) of a host key that you have checked")


class LogoutOptions(Options):
    """Close your connections to clusters; what runs through them ends, jobs go on."""

    cluster: str = option(default="", help=CLUSTERS + "; by default all")
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class StatusOptions(Options):
    """Say how your homes on the clusters stand: set up, drifted, out of date; tools and storage."""

    cluster: str = option(default="all", help=CLUSTERS)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class UndoOptions(Options):
    """Put a home back as it was before rookery; what you have changed since is left alone and named."""

    cluster: str = option(help=CLUSTERS)
    check: bool = option(default=False, help=CHECK)
    only: str = option(
        default="", help="what one role did alone: shell, storage, python, python_tools, r, tmux, vscode"
    )
    purge: bool = option(
        default=False, help="remove rookery's own record there too, and the old versions that were kept"
    )
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)


class TmuxOptions(Options):
    """Open a terminal on a cluster that goes on when your connection drops, or come back to it."""

    cluster: str = option(help=CLUSTER)
    session: str = option(default="rookery", help="name of the session")
    sandbox: bool = option(default=False, help=SANDBOX)


class CodeOptions(Options):
    """Open the project in VS Code on a cluster: where it is deployed, or with --job on a compute node."""

    cluster: str = option(default="", help=ITS_CLUSTER)
    project: str = option(default="", help=PROJECT)
    folder: str = option(default="", help="another folder there; by default the project's last release, or your home")
    job: bool = option(default=False, help="on a compute node, in a job of its own; so does `ssh CLUSTER-job`")
    gpu: str | bool = option(default="", help="with --job: a GPU, or one of this type", optional=True)
    cpus: int = option(default=0, help="with --job: cores; 2 by default")
    memory: str = option(default="", help="with --job: memory, such as 8G; 2G a core by default")
    time: str = option(default="", help="with --job: how long it may run, such as 02:00:00; 4 hours by default")
    editor: str = option(default="", help="code, code-insiders or codium; by default the first that is here")
    stop: bool = option(default=False, help="end the job")
    print: bool = option(default=False, help="print the command that opens it, and open nothing")
    sandbox: bool = option(default=False, help=SANDBOX)


class VscodeSettingsOptions(Options):
    """Write into the settings of VS Code on this computer what it needs for your clusters; yours stay as they are."""

    cluster: str = option(default="", help=CLUSTERS + "; by default those where your username is known")
    check: bool = option(default=False, help="say what would be written, and write nothing")
    json: bool = option(default=False, help=JSON)


class VscodePruneOptions(Options):
    """Remove old VS Code servers from a cluster; the newest, and any that runs, stay."""

    cluster: str = option(help=CLUSTER)
    check: bool = option(default=False, help=CHECK.replace("done", "removed"))
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
