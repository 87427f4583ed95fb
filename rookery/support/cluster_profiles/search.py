"""The command `clusters.search`: find a cluster in the library of profiles."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from rookery.clusters.config import library, profile
from rookery.core import console, tables
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.core.near_names import closest
from rookery.core.yaml_document import read
from rookery.homes import listing
from rookery.support.options import ClustersSearchOptions

SHOWN: Final = ("title", "site", "country", "source_url", "verified_on")
"""What a search says of a cluster, as keys of its profile."""


@dataclass(frozen=True)
class LibraryProfile:
    """A cluster of the library.

    Attributes:
        name: Its name there, which `clusters.add` takes.
        title: Its usual name.
        site: The institution that runs it.
        country: Where it is.
        source_url: The documentation that its profile was written from.
        verified_on: The date of that source.
        added: Whether the user has a cluster of that name.
    """

    name: str
    title: str
    site: str
    country: str
    source_url: str
    verified_on: str
    added: bool

    def matches(self, words: list[str]) -> bool:
        """Return whether each of the words, in small letters, is in its name, title, site or country."""
        return all(word in self.text for word in words)

    @property
    def text(self) -> str:
        """What a search looks at, in small letters."""
        return f"{self.name} {self.title} {self.site} {self.country}".casefold()


def profiles() -> Iterator[LibraryProfile]:
    """Yield every cluster of the library, by name."""
    known = profile.names()
    for name in library.names():
        data = read(library.folder() / f"{name}.yml").data
        title, site, country, source, date = (data.get(f"{profile.PREFIX}{key}", "") for key in SHOWN)
        yield LibraryProfile(name, title, site, country, source, date, added=name in known)


def _words() -> set[str]:
    """Return the names and the words that `matches` looks at, in small letters."""
    return {word for each in profiles() for word in [each.name, *re.findall(r"\w+", each.text)]}


def _nothing(word: str) -> RookeryError:
    """Return the error for a word that the library does not have; it names what may be meant."""
    message = f"The library has no cluster with {word!r} in its name, title, site or country"
    there = [row.name for row in listing.table() if word.casefold() in f"{row.name} {row.title}".casefold()]
    if there:
        return RookeryError(
            f"{message}, but you have {', '.join(there)} already.", hint=f"invoke clusters.show {there[0]}"
        )
    near = closest(word.casefold(), _words())
    return RookeryError(
        message + (f" (did you mean `{near}`?)." if near else "."),
        hint=f"invoke clusters.search {near}".rstrip() + "   # or add yours: invoke clusters.add NAME --host HOST",
    )


def run(options: ClustersSearchOptions) -> int:
    """Print the clusters of the library that have a word in their name, title, site or country.

    Returns:
        The exit code: 0; 1 where there are none (with --json: an empty list).

    Raises:
        RookeryError: There are none.
    """
    found = [each for each in profiles() if each.matches(options.word.casefold().split())]
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return int(not found)
    if not found:
        raise _nothing(options.word)
    rows = [(each.name, each.title, each.site, each.country, "yes" if each.added else "") for each in found]
    tables.show(("=cluster", "title", "site", "country", "=added"), rows)
    new = [each.name for each in found if not each.added]
    if new:
        console.say(f"next: {invocation()} clusters.add {new[0]}")
    return 0
