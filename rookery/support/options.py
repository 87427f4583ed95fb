"""The options of the commands that get users started."""

from rookery.clusters.option_texts import (
    ACCOUNT,
    CHECK,
    CLUSTER,
    CLUSTERS,
    HOST_KEY,
    JSON,
    MIRRORS,
    SANDBOX,
    USER,
    YOUR_CLUSTERS,
)
from rookery.core.options import Options, option


class ClustersAddOptions(Options):
    """Add a cluster, by its address or from the library.

    Asks the cluster about its partitions, modules and storage, and you what it can't say. Without --host, it takes the
    library's profile of that name (`invoke clusters.search`), and asks for your username and account. Writes a profile
    into ~/.config/rookery/inventory; an existing one stays as it is.
    """

    examples = (
        "clusters.add archer2 --user ada --account t01",
        "clusters.add iceberg --host login.iceberg.example.ac.uk --user ada",
        "clusters.add iceberg --host my-ssh-alias --print",
        "clusters.add iceberg --from iceberg.yml",
    )

    name: str = option(help="what you want to call the cluster")
    host: str = option(default="", help="its login node, or your ssh alias for it")
    user: str = option(default="", help=USER)
    port: str = option(default="", value="NUMBER", help="port of its ssh server [22, or your ~/.ssh/config]")
    jump: str = option(default="", value="HOST", help="hosts to go through ([USER@]HOST[:PORT], comma between)")
    account: str = option(default="", help=ACCOUNT)
    from_: str = option(
        default="", value="FILE", help="copy a profile: a file, an https address, or a name of the library"
    )
    job: bool = option(default=False, help="run a job of some seconds on each kind of compute node, too")
    print: bool = option(default=False, help="print the profile, and write nothing")
    yes: bool = option(default=False, help="ask nothing but what a login needs")
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)

    @property
    def source(self) -> str:
        """The profile to copy; "" for none."""
        return self.from_


class ClustersSearchOptions(Options):
    """Search the library of cluster profiles.

    Looks in the name, title, site and country of each; lists all of them if no word is given.
    """

    examples = ("clusters.search sheffield", "clusters.search")

    word: str = option(default="", help="part of a name, such as archer, cambridge or finland", positional=True)
    json: bool = option(default=False, help=JSON)


class ClustersCheckOptions(Options):
    """Compare the profile of a cluster with the cluster.

    Asks the cluster again and lists the differences. The exit code is 1 if there are any.
    """

    examples = ("clusters.check hec", "clusters.check hec --job")

    cluster: str = option(help=CLUSTERS, several=True)
    job: bool = option(default=False, help="run a job of some seconds on each kind of compute node, too")
    sandbox: bool = option(default=False, help=SANDBOX)
    json: bool = option(default=False, help=JSON)
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)


class ClustersUpdateOptions(Options):
    """Bring the profile of a cluster up to date.

    Asks the cluster again and writes what differs into your own inventory. Your comments and other settings stay.
    """

    examples = ("clusters.update hec --check",)

    cluster: str = option(help=CLUSTER)
    job: bool = option(default=False, help="run a job of some seconds on each kind of compute node, too")
    check: bool = option(default=False, help=CHECK)
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)


class ClustersPublishOptions(Options):
    """Print the profile of a cluster, to share it.

    Your username, your account and your key are left out.
    """

    examples = ("clusters.publish hec > hec.yml",)

    cluster: str = option(help=CLUSTER)


class ClustersGuideOptions(Options):
    """Print a page about a cluster for its users."""

    examples = ("clusters.guide penguins", "clusters.guide --output pages")

    cluster: str = option(default="", help=CLUSTER, positional=True)
    output: str = option(default="", value="DIR", help="write NAME.md into this folder; all clusters if none is named")
    check: bool = option(default=False, help="with --output: show which files would change, and write none")


class CohortOptions(Options):
    """Prepare and follow a group of students.

    For supervisors: writes each student's account requests and instructions, and shows how far each of them is.
    """

    examples = ("cohort students.yml --check", "cohort students.yml --reports reports")

    file: str = option(help="YAML list of students (`invoke docs onboard-a-cohort`)")
    output: str = option(default="", value="DIR", help="folder for their files [beside FILE, with its name]")
    reports: str = option(default="", value="DIR", help="folder with the reports they sent (`invoke doctor --report`)")
    html: str = option(default="", value="FILE", help="write the table as a web page")
    wheel: str = option(
        default="", value="FILE", help="rookery's wheel, for its checksum [looked for here and in dist]"
    )
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)


class ReportOptions(Options):
    """Sum up what your jobs took, and how much of it was lost.

    Core hours, waiting times, failures, energy and CO2, for each project and cluster. Energy and CO2 are estimates;
    what they assume is listed. Nothing is sent anywhere: give your supervisor the file that --json prints, who reads
    those of a group with --from.
    """

    examples = ("report", "report --days 30 --html report.html", "report --json > ada.json", "report --from reports")

    cluster: str = option(default="all", help="clusters [all]", several=True, positional=True)
    days: int = option(default=90, value="N", help="how many days to look back [90]")
    from_: str = option(default="", value="DIR", help="folder with reports of a group (`invoke report --json`)")
    html: str = option(default="", value="FILE", help="write the report as a web page")
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)

    @property
    def source(self) -> str:
        """The folder with the reports of a group; "" for none."""
        return self.from_


class CompletionInstallOptions(Options):
    """Complete commands with Tab in your shell.

    Completes commands, options, clusters, jobs, run numbers and files in bash, zsh and fish.
    """

    examples = ("completion.install", "completion.install zsh --check")

    shell: str = option(default="", help="bash, zsh or fish [your login shell]", positional=True)
    check: bool = option(default=False, help=CHECK)


class CompletionShowOptions(Options):
    """Print the completion script of a shell."""

    examples = ("completion.show bash",)

    shell: str = option(default="", help="bash, zsh or fish [your login shell]", positional=True)


class CompletionRemoveOptions(Options):
    """Remove completion from your shells."""

    examples = ("completion.remove --check",)

    check: bool = option(default=False, help=CHECK)


_KEY = "such as cluster, name, email, color or notify; `config` lists all"


class ConfigListOptions(Options):
    """Show your settings for all commands.

    They are kept in ~/.config/rookery/config.toml; secret ones, in secrets.toml beside it, are not shown.
    """

    examples = ("config", "config --json")

    json: bool = option(default=False, help=JSON)


class ConfigGetOptions(Options):
    """Print one of your settings."""

    examples = ("config.get cluster",)

    key: str = option(help=_KEY)


class ConfigSetOptions(Options):
    """Change one of your settings.

    A secret one, such as notify_webhook, is asked for or read from standard input.
    """

    examples = ("config.set cluster hec", "config.set color never", "config.set notify_webhook")

    key: str = option(help=_KEY)
    value: str = option(default="", help="its new value [asked for, where it is secret]", positional=True)
    check: bool = option(default=False, help=CHECK)


class ConfigUnsetOptions(Options):
    """Remove one of your settings."""

    examples = ("config.unset cluster",)

    key: str = option(help=_KEY)
    check: bool = option(default=False, help=CHECK)


class DocsOptions(Options):
    """Read the documentation.

    Opens a page in the browser, or shows it in the terminal where there is none.
    """

    examples = ("docs", "docs submit", "docs RK601")

    topic: str = option(
        default="",
        help="a page, a command or a lint code [a list of all pages]",
        positional=True,
    )
    text: bool = option(default=False, help="show it in the terminal")


class DoctorOptions(Options):
    """Find out why something does not work.

    Checks everything from this computer to a job on the cluster, and says how to repair what is wrong.
    """

    examples = ("doctor", "doctor hec", "doctor --report")

    cluster: str = option(default="", help=YOUR_CLUSTERS, positional=True, several=True)
    json: bool = option(default=False, help=JSON)
    report: str | bool = option(
        default="",
        value="FILE",
        help="write a file to send to whoever helps you, without names, addresses and keys [rookery-report.txt]",
        optional=True,
    )
    sandbox: bool = option(default=False, help=SANDBOX)
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)
    verbose: int = option(default=0, help="list the checks that passed, too", incrementable=True)


class OnboardOptions(Options):
    """Get started: key, login, setup, first project, first job.

    Guides you from a new account to a first result. Safe to run again: it continues where it stopped.
    """

    examples = ("onboard", "onboard hec", "onboard --sandbox")

    cluster: str = option(default="", help=f"{CLUSTER} [asked for]", positional=True)
    user: str = option(default="", help=USER)
    account: str = option(default="", help=ACCOUNT)
    name: str = option(default="", help="your full name, for the account request and your project's commits")
    email: str = option(default="", help="your email address, for the same")
    key: str = option(default="", value="FILE", help="your private ssh key [one in ~/.ssh, or a new one]")
    project: str = option(default="", value="NAME", help="name of your first project, and of its folder")
    language: str = option(default="", help="its language", choices=("python", "r"))
    request: bool = option(default=False, help="print the email that requests an account, and stop")
    run: bool = option(default=True, help="stop before the first project")
    check: bool = option(default=False, help=CHECK)
    sandbox: bool = option(default=False, help=SANDBOX)
    offline_mirrors: bool = option(default=False, help=f"with --sandbox: {MIRRORS}")
    yes: bool = option(default=False, help="ask nothing but what a login needs")
    accept_host_key: str = option(default="", value="FINGERPRINT", help=HOST_KEY)

    @property
    def asks(self) -> bool:
        """Whether the user can be asked."""
        from rookery.core import prompts  # noqa: PLC0415 start-up

        return not self.yes and prompts.is_interactive()
