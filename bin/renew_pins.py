"""Renew roles/python/files/pins.json: the versions of uv, pyenv, pipx and poetry that this release of rookery installs.

Run it before a release, read what changed with `git diff`, and run the tests. It asks the Python package index
(UV_DEFAULT_INDEX, where that is set) and pyenv's repository; `uv` and `git` must be on PATH.

    uv run bin/renew_pins.py [--pyenv REPOSITORY]

What is pinned:
    uv      its newest version, and the SHA-256 of each of its wheels.
    pyenv   its newest tag, and the commit that the tag names.
    tools   for pipx and poetry, each with all that it needs: exact versions for every Python from OLDEST_PYTHON on, and
            the SHA-256 of each file that a Linux machine of ARCHITECTURES may be given (wheels for glibc, and sources).
            `versions` says from which minor version of Python 3 on each version of the tool is taken.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.utils import parse_wheel_filename
from packaging.version import Version

FILE = Path(__file__).parent.parent / "roles/python/files/pins.json"
INDEX = os.environ.get("UV_DEFAULT_INDEX") or "https://pypi.org/simple"
PYENV = "https://github.com/pyenv/pyenv.git"
TOOLS = ("pipx", "poetry")
ARCHITECTURES = ("x86_64", "aarch64", "ppc64le")
OLDEST_PYTHON, NEWEST_PYTHON = 8, 15
"""Minor versions of Python 3. Newer ones get what the newest of these gets."""


def published(package: str) -> list[dict[str, Any]]:
    """Ask the index for the files of a package (PEP 691), without those that were withdrawn."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    request = urllib.request.Request(f"{INDEX.rstrip('/')}/{package}/", headers=accept)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 the maintainer's own index
        return [file for file in json.load(answer)["files"] if not file.get("yanked")]


def uv() -> dict[str, Any]:
    """Pin the newest uv."""
    files = {file["filename"]: file["hashes"]["sha256"] for file in published("uv")}
    wheels = {name: digest for name, digest in files.items() if name.endswith(".whl")}
    versions = {name: parse_wheel_filename(name)[1] for name in wheels}
    newest = max(version for version in versions.values() if not version.is_prerelease)
    return {
        "version": str(newest),
        "wheels": {name: wheels[name] for name in sorted(wheels) if versions[name] == newest},
    }


def pyenv(repository: str) -> dict[str, str]:
    """Pin the newest release of pyenv: its tag and its commit."""
    completed = subprocess.run(["git", "ls-remote", "--tags", repository], check=True, capture_output=True, text=True)
    commits = {}
    for (
        line
    ) in completed.stdout.splitlines():  # a signed tag has a second line, with ^{} behind it, that names the commit
        commit, _, name = line.partition("\trefs/tags/")
        if re.fullmatch(r"v\d+\.\d+\.\d+(\^\{\})?", name):
            commits[name.removesuffix("^{}")] = commit
    newest = max(commits, key=Version)
    return {"tag": newest, "commit": commits[newest]}


def tool(name: str) -> dict[str, Any]:
    """Pin a tool with all that it needs."""
    command = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    command += ["--no-config", "--python-version", f"3.{OLDEST_PYTHON}", "--default-index", INDEX, "-"]
    compiled = subprocess.run(command, input=name, check=True, stdout=subprocess.PIPE, text=True).stdout
    requirements: dict[str, list[str]] = {}
    versions: dict[int, str] = {}
    for requirement, hashes in locked(compiled):
        pythons = list(fitting(requirement))
        if not pythons:
            continue
        package, _, version = requirement.partition(" ")[0].partition("==")
        requirements[requirement] = sorted(needed(package, hashes))
        if package == name:
            versions.update(dict.fromkeys(pythons, version))
    return {"versions": steps(versions), "requirements": requirements}


def locked(text: str) -> Iterator[tuple[str, list[str]]]:
    """Read a requirements file that `uv pip compile` wrote: each requirement, and its hashes."""
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
        if requirement:
            yield requirement, hashes


def fitting(requirement: str) -> Iterator[int]:
    """List the minor versions of Python 3 for which a requirement holds on a Linux machine."""
    marker = requirement.partition(" ; ")[2]
    for minor in range(OLDEST_PYTHON, NEWEST_PYTHON + 1):
        python = {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5"}
        linux = {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"}
        kind = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        if not marker or Marker(marker).evaluate({**python, **linux, **kind}):
            yield minor


def needed(package: str, hashes: Iterable[str]) -> Iterator[str]:
    """List those of a package's hashes whose file a cluster may be given."""
    names = {file["hashes"].get("sha256"): file["filename"] for file in published(package)}
    for digest in hashes:
        name = names[digest]
        if not name.endswith(".whl"):
            yield digest
            continue
        platforms = [tag.platform for tag in parse_wheel_filename(name)[3]]
        if any(
            platform == "any" or re.fullmatch(rf"manylinux.*_({'|'.join(ARCHITECTURES)})", platform)
            for platform in platforms
        ):
            yield digest


def steps(versions: Mapping[int, str]) -> list[dict[str, Any]]:
    """Say from which minor version of Python 3 on each version is taken."""
    changes: list[dict[str, Any]] = []
    for minor, version in sorted(versions.items()):
        if not changes or changes[-1]["version"] != version:
            changes.append({"python": minor, "version": version})
    return changes


def main(arguments: Sequence[str]) -> None:
    """Write the file with the pinned versions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pyenv", default=PYENV, metavar="REPOSITORY", help="where its tags are read [%(default)s]")
    options = parser.parse_args(arguments)
    pins: dict[str, Any] = {"uv": uv(), "pyenv": pyenv(options.pyenv), "tools": {name: tool(name) for name in TOOLS}}
    FILE.write_text(json.dumps(pins, indent=1) + "\n", encoding="utf-8")
    versions = [f"{name} {pinned['versions'][-1]['version']}" for name, pinned in pins["tools"].items()]
    print(f"{FILE}: uv {pins['uv']['version']}, pyenv {pins['pyenv']['tag']}, {', '.join(versions)}")


if __name__ == "__main__":
    main(sys.argv[1:])
