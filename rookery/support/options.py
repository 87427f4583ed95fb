"""The options of the commands that get users started."""

from rookery.clusters.option_texts import CLUSTER, CLUSTERS, JSON, SANDBOX
from rookery.core.options import Options, option


class ClustersGuideOptions(Options):
    """Print a page on a cluster for its users, made from what is known of it."""

    name: str = option(default="", help=CLUSTER, positional=True)
    output: str = option(default="", help="folder to write NAME.md into; that of every cluster where none is named")


class CohortOptions(Options):
    """For a supervisor: write each student's account requests and instructions, and show how far everybody is."""

    file: str = option(
        help="YAML list of students: name, email, clusters, project, language (`rookery docs onboard-a-cohort`)"
    )
    output: str = option(default="", help="folder for their files; by default one beside FILE that has its name")
    reports: str = option(default="", help="folder with the reports that they sent back (`doctor --report`, or --json)")
    html: str = option(default="", help="file to write the readiness table into, as one page")
    wheel: str = option(
        default="",
        help="rookery's wheel, for its checksum in the instructions [looked for beside FILE, here, in dist/]",
    )
    json: bool = option(default=False, help=JSON)


class DocsOptions(Options):
    """Open a page of the documentation in the browser, or show it in the terminal."""

    topic: str = option(
        default="",
        help="a page, a command or a code of lint: submit-jobs, submit, RK601 [a list of all pages]",
        positional=True,
    )
    text: bool = option(default=False, help="show it in the terminal, even if there is a browser")


class DoctorOptions(Options):
    """Find out why something does not work, from this computer to a job on the cluster, and how to mend it."""

    cluster: str = option(default="", help=CLUSTERS + "; by default those where your username is known")
    json: bool = option(default=False, help=JSON)
    report: str | bool = option(
        default="",
        help="write a file to send to whoever helps, without names, folders, addresses and keys "
        "(rookery-report.txt where none is named)",
        optional=True,
    )
    sandbox: bool = option(default=False, help=SANDBOX)
    accept_host_key: str = option(default="", help="the fingerprint (SHA256:…) of a host key that you have checked")
    verbose: int = option(default=0, help="name what is well, too", incrementable=True)


class OnboardOptions(Options):
    """From nothing to a first result from a cluster: key, login, home, project, job, table. Again, it goes on."""

    cluster: str = option(default="", help=CLUSTER)
    user: str = option(default="", help="your username on the cluster")
    account: str = option(
        default="", help="the account (project) that your jobs there are charged to, where it asks for one"
    )
    name: str = option(default="", help="your full name, for the account request and your project's commits")
    email: str = option(default="", help="your email address, likewise")
    key: str = option(default="", help="your private ssh key; by default one in ~/.ssh, made where there is none")
    project: str = option(default="", help="name of your first project, and of its folder here")
    language: str = option(default="", help="its language: python or r")
    request: bool = option(default=False, help="you have no account yet: print the mail that asks for one")
    run: bool = option(default=True, help="go on to a first project and its result; --no-run stops before")
    sandbox: bool = option(default=False, help=SANDBOX)
    offline_mirrors: bool = option(
        default=False, help="with --sandbox: make local mirrors of what this machine can't reach"
    )
    yes: bool = option(default=False, help="ask nothing but what a login takes")
    accept_host_key: str = option(default="", help="the fingerprint (SHA256:…) of a host key that you have checked")

    @property
    def asks(self) -> bool:
        """Whether the user can be asked."""
        from rookery.core import prompts  # noqa: PLC0415 start-up

        return not self.yes and prompts.is_interactive()
