"""The mail that asks for an account on a cluster, from what its profile says of accounts (`cluster_access`).

Nothing is sent, and nothing is made up: where the profile knows no address, the mail names whom to ask.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rookery.core.console import clean

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

NAME: Final = "[your full name]"
"""The placeholder for a name that is not known."""

WIDTH: Final = 72
"""Columns of the body: mails are read on terminals, and quoted."""

LONGEST: Final = 300
"""Characters of a value that a user gave; a name is shorter."""

_BREAK = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class Mail:
    """A mail to be sent by the user themselves.

    Attributes:
        to: An address, where one is known; else whom to ask, in words.
        subject: One line.
        body: The text, ended by a line break.
    """

    to: str
    subject: str
    body: str

    @property
    def text(self) -> str:
        """The whole of it, to be read, or copied into a mail program."""
        return f"To: {self.to}\nSubject: {self.subject}\n\n{self.body}"


def mail(cluster: "Cluster", *, name: str = "", email: str = "", user: str = "", supervisor: str = "") -> Mail:
    """Return the account request of one user for one cluster.

    Args:
        cluster: Where.
        name: The user's full name; "" leaves a gap to fill in.
        email: Their address.
        user: The username that they have, or would like, there.
        supervisor: Their supervisor; the mail is to them where the profile says that the supervisor is asked.
    """
    access = cluster.data.get("cluster_access", {})
    name, email, user, supervisor = (one_line(value) for value in (name, email, user, supervisor))
    title = one_line(cluster.title)
    known = (("Name", name or NAME), ("Email", email), ("Username", user), ("Supervisor", supervisor))
    instructions = [one_line(access[key]) for key in ("how", "url") if access.get(key)]
    lines = [
        "Hello,",
        "",
        f"could I please have an account on {title}?",
        "",
        *(f"  {what + ':':<12}{value}" for what, value in known if value),
        "",
        *(["Instructions that I found:", *(f"  {line}" for line in instructions), ""] if instructions else []),
        "Thank you,",
        name or NAME,
    ]
    subject = f"Account on {title}" + (f" for {name}" if name else "")
    return Mail(_to(access, title, supervisor), subject, "".join(map(_wrapped, lines)))


def _wrapped(line: str) -> str:
    """Return a line of the body wrapped between words, and ended; an address in it stays whole."""
    begin = " " * (len(line) - len(line.lstrip()))
    rows = textwrap.wrap(line, WIDTH, subsequent_indent=begin, break_long_words=False, break_on_hyphens=False)
    return "\n".join(rows) + "\n"


def _to(access: dict[str, str], title: str, supervisor: str) -> str:
    """Return whom to ask, as the profile says."""
    ask = one_line(access.get("ask", ""))
    if supervisor and re.search(r"\bsupervisor\b", ask, re.IGNORECASE):
        return supervisor
    return ask or one_line(access.get("url", "")) or f"the people who run {title}"


def one_line(text: object) -> str:
    """Return a user's text as one line without control characters: it can't begin a header of its own."""
    plain = str(text)[: 10 * LONGEST].encode(errors="replace").decode()  # half of a character can't be written anywhere
    return " ".join(clean(_BREAK.sub(" ", plain)).split())[:LONGEST].rstrip()
