"""What `onboard` is asked for."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class OnboardOptions:
    """What a user asks of `onboard`; each field is the flag of that name.

    Attributes:
        cluster: Its name.
        user: The user's name there.
        account: What their jobs there are charged to.
        name: Their full name, for the mail that asks for an account and for the project's commits.
        email: Their address, likewise.
        key: Their private key; where nothing stands there yet, one is made.
        project: The first project's name.
        language: Its language.
        request: Print the mail that asks for an account, and do nothing else.
        run: Go on to a first project and its result.
        sandbox: On the cluster's miniature.
        offline_mirrors: Make local mirrors of what this machine can't reach (with sandbox).
        yes: Ask nothing but what a login takes.
        accept_host_key: The fingerprint of a host key that the user has checked.
    """

    cluster: str
    user: str = ""
    account: str = ""
    name: str = ""
    email: str = ""
    key: str = ""
    project: str = ""
    language: str = ""
    request: bool = False
    run: bool = True
    sandbox: bool = False
    offline_mirrors: bool = False
    yes: bool = False
    accept_host_key: str = ""

    @property
    def asks(self) -> bool:
        """Whether there is somebody to ask."""
        return not self.yes and sys.stdin.isatty() and sys.stderr.isatty()
