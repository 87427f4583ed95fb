"""The result of a push of one data set, from this computer or from the internet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pushed:
    """A data set that was pushed, or with `check` would be.

    Attributes:
        path: In the project.
        digest: Its digest; "" where it is not known before it is sent.
        state: new, current (an earlier version is the latest again), or same.
        files: How many files it has.
        size: Bytes of them.
        sent: Bytes that were sent, or downloaded.
        resumed: Bytes that an earlier push had sent.
        link: What the path is a link to here; "" where it is none.
        source: The address that it was downloaded from; "" where it came from here.
    """

    path: str
    digest: str
    state: str
    files: int
    size: int
    sent: int = 0
    resumed: int = 0
    link: str = ""
    source: str = ""
