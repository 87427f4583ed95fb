"""Lists of R packages: what they must bring, and whether they lack what DESCRIPTION asks for."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rookery.core.errors import RookeryError
from rookery.projects.commit import listed
from rookery.projects.packages import description

LIST = "r-packages.txt"
"""The file with a package in each line: `name` or `name==version`."""

_LINE = re.compile(r"([A-Za-z][\w.]*)(?:\s*==\s*([\w.-]+))?")


@dataclass(frozen=True)
class Comparison:
    """A list of packages compared with a DESCRIPTION.

    Attributes:
        says: What the list lacks, in words; "" for nothing.
        is_sure: Whether the project can't be installed without it.
        missing: Packages that it does not have.
        outdated: Packages that it has too old.
    """

    says: str = ""
    is_sure: bool = True
    missing: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()


def in_list(text: str) -> dict[str, str]:
    """Return the packages of an r-packages.txt, each with its version; "" for the newest there is.

    Raises:
        RookeryError: A line is neither a package nor a comment.
    """
    lines = {number: line.partition("#")[0].strip() for number, line in enumerate(text.splitlines(), 1)}
    matches = {number: _LINE.fullmatch(line) for number, line in lines.items() if line}
    wrong = [f"{LIST}:{number}: {lines[number]!r} is no package" for number, match in matches.items() if not match]
    if wrong:
        raise RookeryError("\n".join(wrong), hint=f"write one package in each line of {LIST}: zoo, or zoo==1.8-12")
    return {match[1]: match[2] or "" for match in matches.values() if match}


def adding(packages: Iterable[str], *, is_new: bool = False) -> str:
    """Return the command that adds packages to an r-packages.txt, whose last line may have no end, or begins one."""
    form = "%s\\n" if is_new else "\\n%s"
    return f"printf '{form}' {shlex.join(packages)} >>{LIST}"


def installing(packages: Iterable[str]) -> str:
    """Return the command that adds packages to a renv.lock, or brings them up to date there.

    `renv::snapshot()` alone leaves out packages that are not installed.
    """
    names = [f'"{name}"' for name in packages]
    wanted = f"c({', '.join(names)})" if len(names) > 1 else names[0]
    return f"Rscript -e {shlex.quote(f'renv::install({wanted}); renv::snapshot()')}"


def in_renv(lock: Mapping[str, Any]) -> dict[str, str]:
    """Return the packages of a parsed renv.lock, each with its version."""
    packages = lock.get("Packages", {})
    entries = packages.items() if isinstance(packages, dict) else ()
    return {str(name): str(entry.get("Version", "")) for name, entry in entries if isinstance(entry, dict)}


def expected(lock: Mapping[str, Any]) -> str:
    """Return the packages that a renv.lock must bring, with their versions, one a line, as library.R reads them."""
    sources = ("repository", "bioconductor", "github", "gitlab", "bitbucket", "git", "url", "remote")
    plain = (
        f"{name} {version}"
        for name, version in in_renv(lock).items()
        if str(lock["Packages"][name].get("Source", "Repository")).lower() in sources
    )
    return "".join(f"{line}\n" for line in plain if re.fullmatch(r"[\w.]+ [\w.-]+", line))


def compare(lock: str, versions: Mapping[str, str], text: str) -> Comparison:
    """Compare a list of packages with a DESCRIPTION.

    Args:
        lock: The list's name.
        versions: Its packages, each with its version.
        text: The DESCRIPTION; "" where there is none.
    """
    if not description.is_of_r(text):
        return Comparison()
    missing, outdated = description.missing(text, versions), description.outdated(text, versions)
    asked = [f"{name} >= {oldest}, and {lock} has {versions[name]}" for name, oldest in outdated.items()]
    lacking = [f"{listed(missing)}, which {'is' if len(missing) == 1 else 'are'} not in {lock}"] if missing else []
    says = "; ".join(f"DESCRIPTION asks for {what}" for what in (*lacking, *asked))
    return Comparison(says, "Package" in description.fields(text), missing, tuple(outdated))
