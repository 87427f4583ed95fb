"""Make local mirrors of what a machine, or a cluster, may not reach: pyenv, Python sources, uv's Pythons, CRAN.

Made once, of real material: this machine's own pyenv and its Pythons, and Debian's packages. They are
under /var/lib/rookery/mirrors, and every miniature sees them as /srv/mirrors.
"""

import configparser
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rookery.clusters.config import mirror_addresses
from rookery.core import paths, typed_command
from rookery.core.errors import RookeryError
from rookery.sandbox import ids, image, pythons, releases

FOLDER = image.ROOT / "mirrors"
INSIDE = "/srv/mirrors"
CRAN_PACKAGES = ("foreach", "iterators", "doparallel")
# Packages that take minutes to compile, with all that they need: as Debian compiled them.
CRAN_BINARIES = ("testthat",)
# pyenv's python-build knows this version's archive by the same checksum that Debian's has.
PYTHON_SOURCE = "bookworm=python3.11"
# What is compiled where this machine has no Pythons to pack: what `setup` asks for by default, and a second one.
PYTHONS_TO_BUILD = ("trixie=python3.13", PYTHON_SOURCE)
PYENV_PACKAGE = "trixie:pyenv"
OLDEST_FOR_UV = (3, 11)
_UV_ARCHITECTURES = {"ppc64le": "powerpc64le"}

Say = Callable[[str], None]


def ensure(base: Path, say: Say) -> dict[str, str]:
    """Make the mirrors that are not there yet.

    Args:
        base: The oldest release's image, as what it compiles runs on the others; its compilers, R and apt do the work.
        say: Called with each step that takes long.

    Returns:
        `cluster_mirrors`, as a miniature sees them.

    Raises:
        RookeryError: One can't be made; those that are whole stay.
    """
    FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    missing = [name for name in ("pyenv.git", "python-sources", "cran", "uv-python") if not _is_made(name)]
    if missing:
        say(f"Making local mirrors: {', '.join(missing)}")
        _make(missing, base)
    if missing or not ids.is_shifted(FOLDER):
        ids.shift(FOLDER)
    made = {
        "pyenv_git": f"file://{INSIDE}/pyenv.git",
        "pyenv_commit": _head(FOLDER / "pyenv.git"),
        "python_sources": f"file://{INSIDE}/python-sources",
        "uv_python_downloads": f"file://{INSIDE}/uv-python/downloads.json",
        "cran": f"file://{INSIDE}/cran",
    }
    index = own_index()
    return {**made, "pypi": index} if index else made


def _is_made(name: str) -> bool:
    """Return whether a mirror is there, with all packages that it has by now."""
    packages = FOLDER / "cran/src/contrib"
    complete = name != "cran" or all(any(packages.glob(f"{package}_*")) for package in CRAN_BINARIES)
    return (FOLDER / name).exists() and complete


def _make(missing: Sequence[str], base: Path) -> None:
    own_pyenv = pythons.pyenv_root()
    has_git = own_pyenv is not None and (own_pyenv / ".git").exists() and shutil.which("git") is not None
    packable = {numbers: place for numbers, place in pythons.versions().items() if numbers >= OLDEST_FOR_UV}
    sources, recipes = [], [name for name in missing if name in ("python-sources", "cran")]
    if "python-sources" in missing:
        sources.append(PYTHON_SOURCE)
    if "cran" in missing:
        sources += [f"{releases.OLDEST.suite}=r-cran-{package}" for package in CRAN_PACKAGES]
        sources += [f"{releases.OLDEST.suite}+r-cran-{package}" for package in CRAN_BINARIES]
    if "pyenv.git" in missing and not has_git:
        sources.append(PYENV_PACKAGE)
        recipes.append("pyenv.git")
    if "uv-python" in missing and not packable:
        sources += [source for source in PYTHONS_TO_BUILD if source not in sources]
        recipes.append("built-python")
    if sources:
        mirror = os.environ.get("ROOKERY_DEBIAN_MIRROR", "http://deb.debian.org/debian")
        _in_workshop(base, "fetch-sources", [mirror, *sources])
        _in_workshop(base, "make-mirrors", recipes)
        shutil.rmtree(FOLDER / ".sources", ignore_errors=True)
    if "pyenv.git" in missing and has_git and own_pyenv:
        _clone(own_pyenv, FOLDER / "pyenv.git")
    if "uv-python" in missing:
        _pack(packable or pythons.versions(FOLDER / "built-python"), base)
        shutil.rmtree(FOLDER / "built-python", ignore_errors=True)


def _in_workshop(base: Path, script: str, arguments: Sequence[str]) -> None:
    text = (paths.root() / "roles/sandbox/files" / script).read_text(encoding="utf-8")
    completed = image.workshop(base, FOLDER, ["bash", "-c", text, script, *arguments])
    if completed.returncode:
        why = ([line for line in completed.stderr.strip().splitlines() if line.strip()] or ["no reason given"])[-1]
        raise RookeryError(
            f"Can't make the local mirrors: {why}", hint=typed_command.again(without=("--offline-mirrors",))
        )


def _clone(source: Path, target: Path) -> None:
    """Make a bare copy of this machine's pyenv; it may belong to another user than root, which git would refuse."""
    building = FOLDER / ".building-pyenv.git"
    shutil.rmtree(building, ignore_errors=True)
    trust = FOLDER / ".gitconfig"
    trust.write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": str(trust)}

    def git(*arguments: str, check: bool = True) -> int:
        return subprocess.run(
            ["git", *arguments], check=check, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        ).returncode

    try:
        git("clone", "--quiet", "--bare", "--no-hardlinks", str(source), str(building))
        if git("-C", str(building), "symbolic-ref", "--quiet", "HEAD", check=False):  # a checkout of a tag
            git("-C", str(building), "branch", "--force", "master", "HEAD")
            git("-C", str(building), "symbolic-ref", "HEAD", "refs/heads/master")
    except subprocess.CalledProcessError as error:
        raise RookeryError(f"Can't clone {source}: {error.stderr.decode(errors='replace').strip()}") from error
    finally:
        trust.unlink()
    building.rename(target)


def _head(repository: Path) -> str:
    """Read the commit that a bare repository's HEAD names, without git, which this machine may lack."""
    name = (repository / "HEAD").read_text(encoding="ascii").strip().removeprefix("ref: ")
    if (loose := repository / name).is_file():
        return loose.read_text(encoding="ascii").strip()
    packed = (line.partition(" ") for line in (repository / "packed-refs").read_text(encoding="ascii").splitlines())
    return next(commit for commit, _, branch in packed if branch == name)


def _pack(installed: dict[tuple[int, int, int], Path], base: Path) -> None:
    """Pack the newest of each minor version the way uv's own Pythons are packed, with the list that uv reads."""
    newest = {numbers[:2]: (numbers, place) for numbers, place in sorted(installed.items())}
    building = FOLDER / ".building-uv-python"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o755)
    listed: dict[str, object] = {}
    for numbers, place in newest.values():
        version = ".".join(map(str, numbers))
        pythons.relocatable(place, building / "python", base)
        archive = building / f"cpython-{version}-{platform.machine()}-linux-gnu-install_only.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=3) as tar:
            tar.add(building / "python", "python", filter=_anonymous)
        shutil.rmtree(building / "python")
        listed |= uv_entry(numbers, platform.machine(), archive.name, _sha256(archive))
    (building / "downloads.json").write_text(json.dumps(listed, indent=2), encoding="utf-8")
    building.rename(FOLDER / "uv-python")


def uv_entry(numbers: tuple[int, int, int], machine: str, archive: str, sha256: str) -> dict[str, object]:
    """Return one download as uv's list has it (crates/uv-python/download-metadata.json in uv's sources)."""
    major, minor, patch = numbers
    architecture = _UV_ARCHITECTURES.get(machine, machine)
    entry = {
        "name": "cpython",
        "arch": {"family": architecture, "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": f"file://{INSIDE}/uv-python/{archive}",
        "sha256": sha256,
        "variant": None,
        "build": None,
    }
    return {f"cpython-{major}.{minor}.{patch}-linux-{architecture}-gnu": entry}


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def own_index() -> str:
    """Return the package index that this machine's pip or uv uses; "" for PyPI, or where a profile may not name it."""
    candidates = [os.environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")]
    files = (Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf", Path("/etc/pip.conf"))
    for file in files:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        candidates.append(parser.get("global", "index-url", fallback=""))
    chosen = next((candidate for candidate in candidates if candidate), "").strip()
    return chosen if chosen.startswith(("http://", "https://")) and not mirror_addresses.problem("pypi", chosen) else ""
