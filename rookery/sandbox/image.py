"""Make the base images that miniatures are overlays on: a release of Debian with a cluster's software, by mmdebstrap.

Each is made once in 30 days (about a minute), under a name that holds the day and a digest of what goes into it:
another list of packages, or other certificates, make another image, and miniatures that run keep the one they started
with. Beside it lies a list of its packages with their versions.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rookery.core import atomic_files, paths, prompts, typed_command
from rookery.core.console import waiting
from rookery.core.errors import RookeryError
from rookery.sandbox import ids
from rookery.sandbox.releases import RELEASES, DebianRelease

ROOT = Path("/var/lib/rookery")
LONGEST_USE = timedelta(days=30)
"""How old an image may be: Debian's security updates come with a new one."""
CERTIFICATES = Path("/usr/local/share/ca-certificates")
# What a login node and its compute nodes have, what pyenv needs to compile CPython, what R needs to compile packages.
PACKAGES = (
    "build-essential", "bzip2", "ca-certificates", "curl", "file", "fish", "gawk", "gfortran", "git",
    "hostname", "iproute2", "iputils-ping", "less", "libbz2-dev", "libffi-dev", "libgdbm-dev",
    "liblua5.1-0", "liblzma-dev", "libncurses-dev", "libpam-google-authenticator", "libpam0g-dev",
    "libreadline-dev", "libsqlite3-dev", "libssl-dev", "lmod", "locales", "mariadb-server", "munge", "nano",
    "openssh-client", "openssh-server", "patchelf", "pkg-config", "procps", "psmisc", "python3", "quota",
    "r-base-core", "r-recommended", "rsync", "screen", "slurm-client", "slurmctld", "slurmd", "slurmdbd",
    "tcsh", "tini", "tmux", "unzip", "uuid-dev", "vim-tiny", "wget", "xz-utils", "zip", "zlib1g-dev", "zsh",
)  # fmt: skip
UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--uts", "--kill-child")
# Manuals in other languages and packages' documentation: a third of the files, none of the use.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*/LC_MESSAGES/*")

Say = Callable[[str], None]


def host_certificates() -> list[Path]:
    """Return certificates that were added to Debian's own on this machine (a site's proxy, say)."""
    return sorted(CERTIFICATES.rglob("*.crt")) if CERTIFICATES.is_dir() else []


def _packages(release: DebianRelease) -> list[str]:
    return sorted((*PACKAGES, *release.packages))


def digest(release: DebianRelease) -> str:
    """Return eight characters that tell one image's contents from another's."""
    hasher = hashlib.sha256("\n".join((release.suite, *_packages(release), *_LEFT_OUT, str(ids.FIRST))).encode())
    hasher.update((paths.root() / "roles/sandbox/files/prepare-base").read_bytes())
    for certificate in host_certificates():
        hasher.update(certificate.read_bytes())
    return hasher.hexdigest()[:8]


def made(release: DebianRelease) -> list[Path]:
    """Return the existing images of a release with today's contents, the newest last."""
    return sorted(ROOT.glob(f"base-{release.suite}-{digest(release)}-" + "[0-9]" * 8))


def is_fresh(base: Path, now: datetime) -> bool:
    """Return whether an image is young enough to be used; the day it was made ends its name."""
    age = now - datetime.strptime(base.name[-8:], "%Y%m%d").replace(tzinfo=UTC)
    return timedelta(days=-1) < age <= LONGEST_USE  # one of a clock that ran ahead has no age


def own_root() -> None:
    """Make the sandbox's folder on this machine, for root alone; an open one of an older rookery is closed.

    Raises:
        RookeryError: Something else is in its place.
    """
    ROOT.mkdir(mode=0o700, parents=True, exist_ok=True)
    stat = ROOT.lstat()
    if ROOT.is_symlink() or stat.st_uid != 0:
        raise RookeryError(f"{ROOT} does not belong to root.", hint=f"ls -ld {ROOT}   # check it, then remove it")
    if stat.st_mode & 0o7777 != 0o700:
        ROOT.chmod(0o700)


def check_machine() -> None:
    """Refuse a machine that can't run a miniature.

    Raises:
        RookeryError: Not Linux of Debian's family, or a kernel without overlays or namespaces.
    """
    release = Path("/etc/os-release")
    text = release.read_text(encoding="utf-8") if release.is_file() else ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    family = {fields.get(key, "").strip('"') for key in ("ID", "ID_LIKE")}
    if not {"debian", "ubuntu"} & set(" ".join(family).split()):
        system = fields.get("PRETTY_NAME", sys.platform).strip('"')
        raise RookeryError(
            f"The sandbox needs Debian or Ubuntu; this computer has {system}.",
            hint="use a computer with Debian or Ubuntu, or a real cluster (without --sandbox)",
        )
    if os.geteuid() == 0:
        _check_kernel()


def _check_kernel() -> None:
    """Check by trying, rather than by version, whether a private overlay can be mounted."""
    own_root()
    folder = ROOT / f".try-{os.getpid()}"
    parts = [folder / name for name in ("lower", "upper", "work", "root")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    lower, upper, work, target = map(str, parts)
    script = f"mount -t overlay try -o lowerdir={lower},upperdir={upper},workdir={work} {target}"
    script += " && unshare --user --mount true"
    try:
        tried = _run(["unshare", "--mount", "--pid", "--fork", "--uts", "sh", "-c", script], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if tried.returncode:
        why = _last_line(tried.stderr)
        raise RookeryError(
            f"The sandbox needs overlay mounts and namespaces, which this system does not allow ({why}).",
            hint="run it on a computer or a virtual machine, or in a container with --privileged",
        )


def ensure(release: DebianRelease, *, yes: bool, say: Say) -> Path:
    """Return the folder of a release's image; it is made first if it is not there.

    Raises:
        RookeryError: It can't be made: nothing is left half made.
    """
    now = datetime.now(UTC)
    images = made(release)
    if images and is_fresh(images[-1], now):
        return images[-1]
    base = ROOT / f"base-{release.suite}-{digest(release)}-{now:%Y%m%d}"
    why = f", since the one of {images[-1].name[-8:]} is older than {LONGEST_USE.days} days" if images else ""
    contents = f"Debian {release.suite} with Slurm {release.slurm}, R and compilers: 1.2 GB, about a minute"
    say(f"Making the sandbox's base image{why} ({contents})")
    try:
        _make(release, base, yes=yes, say=say)
    except RookeryError as error:
        if not images:
            raise
        say(f"{error.message} Using the old image.")
        return images[-1]
    return base


def _make(release: DebianRelease, base: Path, *, yes: bool, say: Say) -> None:
    _install_tool(yes=yes, say=say)
    building = ROOT / f".building-{base.name}"
    shutil.rmtree(building, ignore_errors=True)
    log = ROOT / "base.log"
    with log.open("w", encoding="utf-8") as output, waiting("Making the base image"):
        completed = subprocess.run(
            _command(release, building), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if completed.returncode:
        shutil.rmtree(building, ignore_errors=True)
        raise RookeryError(
            f"Can't make the sandbox's base image: {_last_error(log)}",
            hint=f"sudo less {log}   # then run the command again",
        )
    ids.shift(building)
    building.rename(base)


def _command(release: DebianRelease, target: Path) -> list[str]:
    prepare = paths.root() / "roles/sandbox/files/prepare-base"
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={','.join(_packages(release))}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    command += ["--dpkgopt=force-unsafe-io", '--aptopt=APT::Install-Recommends "false"']
    command += [f"--aptopt={line}" for line in _apt_access()]
    certificates = " ".join(shlex.quote(str(certificate)) for certificate in host_certificates())
    if certificates:
        command.append(f'--customize-hook=cp -- {certificates} "$1/usr/local/share/ca-certificates/"')
    command.append(f'--customize-hook=chroot "$1" sh -s < {shlex.quote(str(prepare))}')
    command += [release.suite, str(target)]
    mirror = os.environ.get("ROOKERY_DEBIAN_MIRROR")
    return [*command, mirror] if mirror else command


def _apt_access() -> list[str]:
    """Return how this machine's own apt reaches the network (a proxy, a certificate), as lines of apt.conf."""
    output = _run(["apt-config", "dump"], check=False).stdout
    wanted = re.compile(r"Acquire::https?::(\S+::)?(Proxy|Proxy-Auto-Detect|CaInfo) ", re.IGNORECASE)
    return [line for line in output.splitlines() if wanted.match(line)]


def _install_tool(*, yes: bool, say: Say) -> None:
    """Install mmdebstrap from the machine's own packages: announced, and asked about where there is a terminal."""
    missing = [
        package
        for package, sign in (("mmdebstrap", "/usr/bin/mmdebstrap"),
                              ("debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"))
        if not Path(sign).exists()
    ]  # fmt: skip
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if not yes:
        ask(missing, command)
    say(f"Installing {' and '.join(missing)} on this computer ({shlex.join(command)})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    completed = _run(command, check=False, environment=environment)
    if completed.returncode:  # the machine's list of packages may simply be old
        _run(["apt-get", "update"], check=False, environment=environment)
        completed = _run(command, check=False, environment=environment)
    if completed.returncode:
        why = _last_line(completed.stderr)
        raise RookeryError(f"Can't install {' and '.join(missing)}: {why}", hint=shlex.join(["sudo", *command]))


def ask(missing: Sequence[str], command: Sequence[str]) -> None:
    """Ask whether packages may be installed.

    Raises:
        RookeryError: They may not, or nobody is there to be asked.
    """
    refused = RookeryError(
        f"The sandbox needs {' and '.join(missing)} on this computer.",
        hint=f"sudo {shlex.join(command)}   # or: {typed_command.again('--yes')}",
    )
    question = f"The sandbox needs {' and '.join(missing)} on this computer. Run `{shlex.join(command)}`?"
    if not (prompts.is_interactive() and prompts.confirm(question)):
        raise refused


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or lines or ["no reason given"])[-1]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _run(
    command: Sequence[str], *, check: bool, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=check, stdin=subprocess.DEVNULL, env=environment
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]} is not installed")


@dataclass(frozen=True)
class System:
    """A separate system, which a command moves into for good (roles/sandbox/files/enter).

    Attributes:
        folder: Holds its own files (upper/), and work/ and root/ for the overlay.
        layers: What they are laid over.
        name: Its host name.
        mirrors: Folder that it sees as /srv/mirrors.
        access: ro or rw, to that.
    """

    folder: Path
    layers: Sequence[Path]
    name: str
    mirrors: Path
    access: str = "ro"

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs a command in the system, as its first process and as root."""
        enter = str(paths.root() / "roles/sandbox/files/enter")
        lowers = ":".join(map(str, self.layers))
        place = (str(self.folder), lowers, self.name, str(self.mirrors), self.access)
        return [*UNSHARE, "sh", enter, *place, str(ids.FIRST), str(ids.COUNT), *argv]


def workshop(base: Path, mirrors: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a temporary system over the image, with the mirrors' folder writable as /srv/mirrors.

    Args:
        base: The image.
        mirrors: Folder of this machine that the command works on; it becomes the miniatures' (`ids`).
        command: What to run there, as its root; its output is captured.
    """
    folder = ROOT / f".workshop-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "upper/etc/apt/apt.conf.d").mkdir(parents=True)
    shutil.copy("/etc/resolv.conf", folder / "upper/etc/resolv.conf")
    access = "".join(f"{line}\n" for line in _apt_access())
    (folder / "upper/etc/apt/apt.conf.d/99machine").write_text(access, encoding="utf-8")
    ids.shift(folder / "upper")
    ids.shift(mirrors)
    try:
        return _run(System(folder, (base,), "workshop", mirrors, "rw").command(command), check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget_old(in_use: set[str]) -> None:
    """Remove images but for the newest of each release and those that miniatures use (`in_use`)."""
    kept = {*in_use, *(base.name for release in RELEASES for base in made(release)[-1:])}
    for folder in ROOT.glob("base-*-*"):
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
            _note(folder).unlink(missing_ok=True)


def packages(base: Path) -> dict[str, str]:
    """Return the versions of an image's packages, and write them down beside it, where that has not been done."""
    note = _note(base)
    if not note.is_file():
        listed = _run(["dpkg-query", f"--admindir={base}/var/lib/dpkg", "--show"], check=False)
        if listed.returncode:
            raise RookeryError(f"Can't list the packages of {base}: {_last_line(listed.stderr)}")
        atomic_files.write(note, listed.stdout)
    lines = note.read_text(encoding="utf-8").splitlines()
    return {name.partition(":")[0]: version for name, _, version in (line.partition("\t") for line in lines)}


def slurm_version(base: Path) -> str:
    """Return the version of an image's Slurm as Slurm writes it: 24.11.5 of Debian's 24.11.5-4+deb13u1."""
    return packages(base)["slurmctld"].partition("-")[0]


def _note(base: Path) -> Path:
    return base.with_name(f"{base.name}.packages")
