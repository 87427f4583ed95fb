"""The options of the commands for input data."""

from rookery.clusters.option_texts import CHECK, ITS_CLUSTERS, JSON, OFFLINE, PROJECT, SANDBOX, YES
from rookery.core.options import Options, option


class DataPushOptions(Options):
    """Copy input data to a cluster's large storage.

    PATH is a file or folder of the project, or the https address of a public file, which the cluster downloads. Files
    that are there already are not sent again; run the same command to continue a push that was cut off. Each version is
    kept, known by its digest: a release keeps the version that it was deployed with.
    """

    examples = (
        "data.push data/raw --check",
        "data.push data/raw",
        "data.push --cluster all",
        "data.push https://example.org/x.csv --to data/x.csv",
    )

    paths: tuple[str, ...] = option(
        default=(), value="PATH", help="files and folders [`inputs` of rookery.yml]", positional=True, iterable=True
    )
    to: str = option(default="", value="PATH", help="for an address: path of the file in the project [data/NAME]")
    sha256: str = option(default="", value="DIGEST", help="for an address: SHA-256 that the file must have")
    offline: bool = option(default=False, help=OFFLINE)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataListOptions(Options):
    """List the project's input data on a cluster.

    Shows each version: size, digest, date, and the releases that link to it.
    """

    examples = ("data.list", "data.list --cluster all")

    cluster: str = option(default="", help=ITS_CLUSTERS, positional=True, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataVerifyOptions(Options):
    """Compare input data on a cluster with its digests.

    Reads every file there. Exits with 1 if something has changed since it was pushed.
    """

    examples = ("data.verify", "data.verify data/raw --cluster all")

    paths: tuple[str, ...] = option(default=(), value="PATH", help="data sets [all]", positional=True, iterable=True)
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)


class DataRmOptions(Options):
    """Remove input data from a cluster.

    Removes nothing while a release or a job in the queue uses it. Your files on this computer stay.
    """

    examples = ("data.rm data/raw --check", "data.rm --unused", "data.rm data/raw --digest 95c703ffef04")

    paths: tuple[str, ...] = option(default=(), value="PATH", help="data sets", positional=True, iterable=True)
    digest: str = option(default="", help="only the version whose digest begins with this")
    unused: bool = option(default=False, help="only versions that no release and no job uses")
    force: bool = option(default=False, help="also versions that are used: releases lose their data")
    cluster: str = option(default="", help=ITS_CLUSTERS, several=True)
    project: str = option(default="", value="DIR", help=PROJECT)
    check: bool = option(default=False, help=CHECK)
    yes: bool = option(default=False, help=YES)
    json: bool = option(default=False, help=JSON)
    sandbox: bool = option(default=False, help=SANDBOX)
