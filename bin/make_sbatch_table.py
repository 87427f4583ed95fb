"""Write the options of sbatch, and those of srun and salloc that it does not have, from Slurm's source.

    uv run bin/make_sbatch_table.py CHECKOUT

CHECKOUT is a clone of https://github.com/SchedMD/slurm with its tags, bare or not. For each version, its last release
counts. The result is rookery/projects/scripts/sbatch_table.py. Before 19.05, each program had a table of its own.
"""

import argparse
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).resolve().parents[1] / "rookery/projects/scripts/sbatch_table.py"
SOURCE: Final = "src/common/slurm_opt.c"
TAG: Final = re.compile(r"slurm-(\d\d)-(\d\d)-(\d+)-(\d+)")
DECLARATION: Final = re.compile(r"slurm_cli_opt_t\s+(slurm_opt_\w+)\s*=\s*\{(.*?)\};", re.DOTALL)
LIST: Final = re.compile(r"slurm_cli_opt_t\s*\*\s*common_options\[\]\s*=\s*\{(.*?)\};", re.DOTALL)
MEMBER: Final = re.compile(r"\.(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|\w+)")
ARGUMENTS: Final = {"no_argument": "none", "required_argument": "required", "optional_argument": "optional"}
HEAD: Final = '''\
"""The options of sbatch by Slurm's version, from its source; bin/make_sbatch_table.py writes this file."""

from typing import Final

VERSIONS: Final = "{versions}"

SBATCH: Final = """
{sbatch}
"""
"""A line an option: its name, whether it takes a value, its letter or `-`, the first and the last version so."""

OTHERS: Final = """
{others}
"""
"""The options of srun and salloc that sbatch has had in none of these versions: name, letter or `-`, programs."""
'''


class Declared(NamedTuple):
    """An option as Slurm's source declares it."""

    name: str
    argument: str
    letter: str


def releases(checkout: Path) -> dict[str, str]:
    """Return the tag of the last release of each version since 19.05."""
    names = git(checkout, "tag").split()
    newest: dict[str, tuple[int, int, str]] = {}
    for name in names:
        if match := TAG.fullmatch(name):
            year, month, patch, build = match.groups()
            version = f"{year}.{month}"
            newest[version] = max(newest.get(version, (-1, 0, "")), (int(patch), int(build), name))
    return {version: newest[version][2] for version in sorted(newest) if version >= "19.05"}


def declared(source: str, program: str) -> set[Declared]:
    """Return the options of a program: those with a function for it, or with one for all."""
    members = {  # of two values of a member, the first is with all features of Slurm compiled in
        match[1]: dict(reversed(MEMBER.findall(match[2]))) for match in DECLARATION.finditer(source)
    }
    listed = LIST.search(source)
    options = [members[name] for name in re.findall(r"&(slurm_opt_\w+)", listed[1] if listed else "")]
    return {
        Declared(
            option["name"].strip('"'),
            ARGUMENTS[option.get("has_arg", "no_argument")],
            option["val"].strip("'") if option["val"].startswith("'") else "-",
        )
        for option in options
        if option.get("name", "NULL") != "NULL" and {"set_func", f"set_func_{program}"} & {*option}
    }


def table(checkout: Path) -> str:
    """Return the module's text."""
    tags = releases(checkout)
    sources = {version: git(checkout, "show", f"{tag}:{SOURCE}") for version, tag in tags.items()}
    by_version = {version: declared(source, "sbatch") for version, source in sources.items()}
    rows = set[str]()
    for option in set[Declared]().union(*by_version.values()):
        have = [version for version in tags if option in by_version[version]]
        rows.add(f"{option.name} {option.argument} {option.letter} {have[0]} {have[-1]}")
    names = {row.split()[0] for row in rows}
    elsewhere: dict[tuple[str, str], list[str]] = {}
    for program in ("srun", "salloc"):
        for option in set[Declared]().union(*(declared(source, program) for source in sources.values())):
            programs = elsewhere.setdefault((option.name, option.letter), [])
            programs += [program] if option.name not in names and program not in programs else []
    others = [f"{name} {letter} {' '.join(programs)}" for (name, letter), programs in elsewhere.items() if programs]
    return HEAD.format(versions=" ".join(tags), sbatch="\n".join(sorted(rows)), others="\n".join(sorted(others)))


def git(checkout: Path, *arguments: str) -> str:
    """Return what git prints."""
    command = ["git", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("checkout", type=Path)
    FILE.write_text(table(parser.parse_args().checkout))


if __name__ == "__main__":
    main()
