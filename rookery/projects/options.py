"""The options of the commands for projects."""

from dataclasses import field

from rookery.clusters.option_texts import CHECK, ITS_CLUSTERS, JSON, OFFLINE, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class NewOptions(Options):
    """Create a project that runs on a cluster at once.

    It has git, a simulation with a seed as a job array, tests and a lock file.
    """

    examples = ("new simulation --cluster hec", "new analysis --language r")

    name: str = option(help="the project's name, and that of its folder")
    language: str = option(default="python", help="language [python]", choices=("python", "r"))
    lock: str = option(default="", help="Python: uv (default) or poetry; R: library (default) or renv")
    cluster: str = option(default="", help="clusters it will run on, the default one first", several=True)
    track: str = option(default="", help="keep each run's parameters and results, offline", choices=("mlflow", "wandb"))
    check: bool = option(default=False, help=CHECK)

    author: tuple[str, str] = field(default=("", ""))
    """A name and an address for the project's commits, where git knows none; `onboard` has asked for them."""


class InitOptions(Options):
    """Make a project from the code in a folder.

    Looks at the lock files, job scripts, programs and data in the folder, and proposes a rookery.yml, lines for
    .gitignore and, if there is none, a git repository. Writes nothing before you agree. In an existing project,
    --from-script adds a job.
    """

    examples = ("init --check", "init", "init my-code --cluster hec", "init --from-script run.sh")

    folder: str = option(default="", value="DIR", help="folder of the code [the current one]", positional=True)
    from_script: str = option(default="", value="FILE", help="translate this job script into a job of rookery.yml")
    name: str = option(default="", help="the project's name [the folder's]")
    cluster: str = option(default="", help="clusters it will run on, the default one first", several=True)
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help="ask nothing: write what is proposed")


class DeployOptions(Options):
    """Copy a commit of the project to a cluster.

    Builds its environment there, and makes its job scripts.
    """

    examples = ("deploy", "deploy --check", "deploy hec")

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    dirty: bool = option(default=False, help="include uncommitted changes, as a snapshot that is marked as such")
    prune: bool = option(default=False, help="remove old releases that no job uses and that hold no files of yours")
    offline: bool = option(default=False, help=OFFLINE)
    json: bool = option(default=False, help=JSON)
    yes: bool = option(default=False, help=YES)
    sandbox: bool = option(default=False, help=SANDBOX)
