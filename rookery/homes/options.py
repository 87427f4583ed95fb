"""The options of the commands for homes."""

from rookery.clusters.option_texts import (
    ACCOUNT,
    CHECK,
    CLUSTER,
    CLUSTERS,
    HOST_KEY,
    ITS_CLUSTER,
    JSON,
    MIRRORS,
    OFFLINE,
    PROJECT,
    ROLES,
    SANDBOX,
    USER,
    YES,
    YOUR_CLUSTERS,
)
from rookery.core.options import Options, option


class ClustersListOptions(Options):
    """List the clusters.

    Shows the name, host, scheduler and GPUs of each, and whether your home there is set up.
    """

    examples = ("clusters", "clusters --json")

    sandbox: bool = option(default=False, help="list the miniatures on this machine")
    json: bool = option(default=False, help=JSON)


class ClustersShowOptions(Options):
    """Show the settings of a cluster.

    Each value is shown with the file and the line that it comes from.
    """

    examples = ("clusters.show penguins",)

    cluster: str = option(help=CLUSTER)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class ClustersKeysOptions(Options):
    """List the keys of a cluster's profile.

    Says what each means and what its value may be. With a word, shows the keys that have it in their names, and those
    inside mappings too.
    """

    examples = ("clusters.keys", "clusters.keys qos")

    key: str = option(default="", help="a word of the key's name", positional=True)
    json: bool = option(default=False, help=JSON)


class SetupOptions(Options):
    """Set up your home on a cluster.

    Prepares shells, storage, Python, R, tmux and VS Code. Safe to run again: changes only what is missing or different.
    """

    examples = ("setup penguins", "setup penguins,hec --check")

    cluster: str = option(default="", help=CLUSTERS, positional=True, several=True)
    check: bool = option(default=False, help=CHECK)
    diff: bool = option(default=False, help="show the lines that change")
    tags: str = option(default="", value="ROLES", help=ROLES)
    user: str = option(default="", help=USER)
    account: str = option(default="", help=ACCOUNT)
    sandbox: bool = option(default=False, help=SANDBOX)
    offline: bool = option(default=False, help=OFFLINE)
    offline_mirrors: bool = option(default=False, help=f"with --sandbox: {MIRRORS}")
    force: bool = option(default=False, help="run every step, even if nothing seems to have changed")
    json: bool = option(default=False, help=JSON)
    timings: bool = option(default=False, help="show at the end how long each part took")
    yes: bool = option(default=False, help=YES)
    verbose: int = option(default=0, help="show more; -v -v shows Ansible's own output", incrementable=True)
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)


class LoginOptions(Options):
    """Open a connection to clusters.

    You type your password, code or passphrase once. All commands then use this connection.
    """

    examples = ("login hec", "login all")

    cluster: str = option(default="", help=YOUR_CLUSTERS, positional=True, several=True)
    user: str = option(default="", help=USER)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)


class LogoutOptions(Options):
    """Close your connections to clusters.

    Commands that use them end. Jobs continue.
    """

    examples = ("logout hec", "logout")

    cluster: str = option(default="", help="clusters [all]", positional=True, several=True)
    check: bool = option(default=False, help=CHECK)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)


class StatusOptions(Options):
    """Show whether each cluster is set up and up to date.

    Shows what has changed since setup, the tools and their versions, and the storage.
    """

    examples = ("status", "status hec")

    cluster: str = option(default="all", help="clusters [all]", positional=True, several=True)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class UndoOptions(Options):
    """Restore a home to what it was before setup.

    What you have changed since is kept, and listed.
    """

    examples = ("undo hec --check", "undo hec --tags r")

    cluster: str = option(help=CLUSTERS, several=True)
    check: bool = option(default=False, help=CHECK)
    tags: str = option(default="", value="ROLES", help=ROLES)
    purge: bool = option(default=False, help="remove rookery's own records and kept old versions as well")
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)


class TmuxOptions(Options):
    """Open a terminal on a cluster that survives disconnects.

    Run the same command again to return to it.
    """

    examples = ("tmux hec",)

    cluster: str = option(help=CLUSTER)
    session: str = option(default="rookery", value="NAME", help="name of the tmux session [rookery]")
    sandbox: bool = option(default=False, help=SANDBOX)


class CodeOptions(Options):
    """Open the project in VS Code on a cluster.

    Opens the deployed project, or your home. With --job, VS Code runs on a compute node, in a separate job.
    """

    examples = ("code", "code hec --job --cpus 4")

    cluster: str = option(default="", help=ITS_CLUSTER, positional=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    folder: str = option(
        default="", value="DIR", help="another folder on the cluster [the deployed project, or your home]"
    )
    job: bool = option(default=False, help="on a compute node, in a separate job; `ssh CLUSTER-job` uses it too")
    gpu: str | bool = option(default="", value="TYPE", help="with --job: a GPU, or one of this type", optional=True)
    cpus: int = option(default=0, value="N", help="with --job: cores [2]")
    memory: str = option(default="", value="SIZE", help="with --job: memory, such as 8G [2G per core]")
    time: str = option(default="", help="with --job: time limit, such as 02:00:00 [4 hours]")
    editor: str = option(default="", help="code, code-insiders or codium [the first that is installed]")
    stop: bool = option(default=False, help="end the job")
    print: bool = option(default=False, help="print the command that opens it, and do nothing")
    sandbox: bool = option(default=False, help=SANDBOX)


class SshConfigOptions(Options):
    """Make `ssh CLUSTER` work on this computer.

    Writes an entry that your ~/.ssh/config includes, as `onboard` does. --into-config is for programs that do not
    follow Include: paramiko, and so Fabric and AiiDA.
    """

    examples = ("ssh.config hec --check", "ssh.config hec --into-config")

    cluster: str = option(help=CLUSTER, positional=True)
    into_config: bool = option(default=False, help="write host, user and key into ~/.ssh/config itself, too")
    alias: str = option(default="", value="NAME", help="name for ssh [the cluster's]")
    remove: bool = option(default=False, help="remove what this command wrote")
    check: bool = option(default=False, help=CHECK)


class VscodeSettingsOptions(Options):
    """Write VS Code's settings for your clusters.

    Changes the settings of VS Code on this computer. Settings of your own are kept.
    """

    examples = ("vscode.settings --check",)

    cluster: str = option(default="", help=YOUR_CLUSTERS, positional=True, several=True)
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)


class VscodePruneOptions(Options):
    """Remove old VS Code servers from a cluster.

    The newest one, and any that is running, are kept.
    """

    examples = ("vscode.prune hec --check",)

    cluster: str = option(help=CLUSTER)
    check: bool = option(default=False, help=CHECK)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
