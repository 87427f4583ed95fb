"""What was found out about a cluster: the value of a key of its profile, and how it is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FOUND: Final = "found"
"""The cluster, or ssh, said so."""
CONCLUDED: Final = "concluded"
"""It follows from what the cluster said, most likely; the profile lists it under cluster_unverified."""
CHOSEN: Final = "chosen"
"""rookery's own choice, or what the user gave as an option: there is nothing to verify."""
ASKED: Final = "asked"
"""The user answered so."""
UNKNOWN: Final = "unknown"
"""Nobody could say."""


@dataclass(frozen=True)
class ProfileFinding:
    """A value of a profile."""

    key: str
    """The key, such as cluster_os."""
    value: Any
    """The value, as YAML holds it."""
    how: str
    """found, concluded, chosen, asked or unknown."""
    source: str
    """Where it was found, or why it was concluded, in a few words."""
    doubtful: tuple[str, ...] = ()
    """The parts of the value that were concluded where the rest was found, such as `for` of each partition."""

    @property
    def unverified(self) -> tuple[str, ...]:
        """What of it goes into cluster_unverified."""
        if self.how == CONCLUDED:
            return (self.key,)
        return tuple(f"{self.key}.{part}" for part in self.doubtful)


@dataclass(frozen=True)
class GivenAnswers:
    """What is known of a cluster before, or beside, what it says itself."""

    name: str
    """The name that rookery is to call it."""
    host: str
    """Its login node."""
    ssh_host: str = ""
    """The user's ssh alias, where it is used as it is."""
    port: int = 22
    user: str = ""
    """The user's username there."""
    proxy_jump: str = ""
    """Hosts to go through, as ssh's ProxyJump takes them."""
    identity_file: str = ""
    """The user's private key, where their ssh alias names one."""
    account: str = ""
    """The account that the user's jobs are charged to."""
    logins: tuple[str, ...] = ()
    """The ways of logging in that its ssh server offers, as cluster_logins has them."""
    today: str = ""
    """The date, as cluster_verified_on has it."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Values of keys that the user gave in answer to a question."""


def by_key(findings: "tuple[ProfileFinding, ...]") -> dict[str, Any]:
    """Return the values that are known, as a profile has them."""
    return {finding.key: finding.value for finding in findings if finding.how != UNKNOWN}
