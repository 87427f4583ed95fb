"""The base image that every miniature is an overlay on: Debian bookworm with a cluster's software, made by mmdebstrap.

It is made once (about a minute), under a name that holds a digest of what goes into it: another list of packages, or
other certificates, make another image, and miniatures that still run keep the one they started with.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rookery import house
from rookery.errors import RookeryError

ROOT = Path("/var/lib/rookery")
SUITE = "bookworm"
CERTIFICATES = Path("/usr/local/share/ca-certificates")
# What a login node and its compute nodes have, what pyenv needs to compile CPython, what R needs to compile packages.
PACKAGES = (
    "build-essential", "bzip2", "ca-certificates", "curl", "file", "fish", "gawk", "gfortran", "git",
    "hostname", "iproute2", "iputils-ping", "less", "libbz2-dev", "libffi-dev", "libgdbm-dev", "libjwt0",
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
    """Certificates that whoever runs this machine added to Debian's own (a site's proxy, say)."""
    return sorted(CERTIFICATES.rglob("*.crt")) if CERTIFICATES.is_dir() else []


def digest() -> str:
    """Eight characters that tell one image's contents from another's."""
    told = hashlib.sha256("\n".join((SUITE, *sorted(PACKAGES), *_LEFT_OUT)).encode())
    told.update((house.root() / "roles/sandbox/files/prepare-base").read_bytes())
    for certificate in host_certificates():
        told.update(certificate.read_bytes())
    return told.hexdigest()[:8]


def path() -> Path:
    """Where the image for today's contents is, or will be."""
    return ROOT / f"base-{SUITE}-{digest()}"


def check_machine() -> None:
    """Refuse a machine that can't hold a miniature.

    Raises:
        RookeryError: Not Linux of Debian's family, or a kernel without overlays or namespaces.
    """
    release = Path("/etc/os-release")
    told = release.read_text(encoding="utf-8") if release.is_file() else ""
    fields = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    family = {fields.get(key, "").strip('"') for key in ("ID", "ID_LIKE")}
    if not {"debian", "ubuntu"} & set(" ".join(family).split()):
        system = fields.get("PRETTY_NAME", sys.platform).strip('"')
        raise RookeryError(
            f"The sandbox needs Debian or Ubuntu (for its Slurm and sshd packages), and this is {system}.",
            hint="run the command without --sandbox, or on a Debian or Ubuntu machine",
        )
    if os.geteuid() == 0:
        _check_kernel()


def _check_kernel() -> None:
    """Try, rather than guess from a version, whether a private overlay can be mounted."""
    ROOT.mkdir(parents=True, exist_ok=True, mode=0o755)
    folder = ROOT / f".try-{os.getpid()}"
    parts = [folder / name for name in ("lower", "upper", "work", "root")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    lower, upper, work, target = map(str, parts)
    script = f"mount -t overlay try -o lowerdir={lower},upperdir={upper},workdir={work} {target}"
    try:
        tried = _run(["unshare", "--mount", "--pid", "--fork", "--uts", "sh", "-c", script], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if tried.returncode:
        why = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RookeryError(
            f"The sandbox needs overlay mounts and namespaces of its own, and this system refuses them ({why}).",
            hint="run it on a machine or a virtual machine of your own (a container needs --privileged)",
        )


def ensure(*, yes: bool, say: Say) -> Path:
    """The image's folder; made first if it is not there.

    Raises:
        RookeryError: It can't be made: nothing is left half made.
    """
    base = path()
    if base.is_dir():
        return base
    _install_tool(yes=yes, say=say)
    say(f"Making the sandbox's base image, once (Debian {SUITE} with Slurm, R and compilers: 1.2 GB, about a minute)")
    building = ROOT / f".building-{base.name}"
    shutil.rmtree(building, ignore_errors=True)
    log = ROOT / "base.log"
    with log.open("w", encoding="utf-8") as output:
        made = subprocess.run(_command(building), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if made.returncode:
        shutil.rmtree(building, ignore_errors=True)
        raise RookeryError(
            f"The sandbox's base image could not be made: {_last_error(log)}",
            hint=f"less {log}   # then the same command again",
        )
    building.rename(base)
    return base


def _command(target: Path) -> list[str]:
    prepare = house.root() / "roles/sandbox/files/prepare-base"
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    command += ["--dpkgopt=force-unsafe-io", '--aptopt=APT::Install-Recommends "false"']
    command += [f"--aptopt={line}" for line in _apt_access()]
    certificates = " ".join(shlex.quote(str(certificate)) for certificate in host_certificates())
    if certificates:
        command.append(f'--customize-hook=cp -- {certificates} "$1/usr/local/share/ca-certificates/"')
    command.append(f'--customize-hook=chroot "$1" sh -s < {shlex.quote(str(prepare))}')
    command += [SUITE, str(target)]
    mirror = os.environ.get("ROOKERY_DEBIAN_MIRROR")
    return [*command, mirror] if mirror else command


def _apt_access() -> list[str]:
    """How this machine's own apt reaches the network (a proxy, a certificate), as lines of apt.conf."""
    told = _run(["apt-config", "dump"], check=False).stdout
    wanted = re.compile(r"Acquire::https?::(\S+::)?(Proxy|Proxy-Auto-Detect|CaInfo) ", re.IGNORECASE)
    return [line for line in told.splitlines() if wanted.match(line)]


def _install_tool(*, yes: bool, say: Say) -> None:
    """mmdebstrap, from the machine's own packages: said, and asked about where somebody can answer."""
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
    say(f"Installing {' and '.join(missing)} on this machine ({shlex.join(command)})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = _run(command, check=False, environment=environment)
    if done.returncode:  # the machine's list of packages may simply be old
        _run(["apt-get", "update"], check=False, environment=environment)
        done = _run(command, check=False, environment=environment)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RookeryError(f"{' and '.join(missing)} can't be installed: {why}", hint=shlex.join(["sudo", *command]))


def ask(missing: Sequence[str], command: Sequence[str]) -> None:
    """Ask whether packages may be installed.

    Raises:
        RookeryError: They may not, or nobody is there to be asked.
    """
    refused = RookeryError(
        f"The sandbox needs {' and '.join(missing)} on this machine, and was not allowed to install it.",
        hint=f"the same command with --yes, or: sudo {shlex.join(command)}",
    )
    if not sys.stdin.isatty():
        raise refused
    answer = input(f"The sandbox needs {' and '.join(missing)} on this machine. Run `{shlex.join(command)}`? [y/N] ")
    if answer.strip().lower() not in ("y", "yes"):
        raise refused


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("E:")]
    return (told or lines or ["no reason given"])[-1]


def _run(
    command: Sequence[str], *, check: bool, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=check, stdin=subprocess.DEVNULL, env=environment
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]} is not installed")


def workshop(base: Path, mirrors: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a throw-away system over the image, with the mirrors' folder writable as /srv/mirrors.

    Args:
        base: The image.
        mirrors: Folder of this machine that the command works on.
        command: What to run there, as root; its output is captured.
    """
    folder = ROOT / f".workshop-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "upper/etc/apt/apt.conf.d").mkdir(parents=True)
    shutil.copy("/etc/resolv.conf", folder / "upper/etc/resolv.conf")
    access = "".join(f"{line}\n" for line in _apt_access())
    (folder / "upper/etc/apt/apt.conf.d/99machine").write_text(access, encoding="utf-8")
    enter = house.root() / "roles/sandbox/files/enter"
    wrapped = [*UNSHARE, "sh", str(enter), str(folder), str(base), "workshop", str(mirrors), "rw"]
    try:
        return _run([*wrapped, *command], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget_old(in_use: set[str]) -> None:
    """Remove images that are neither today's nor under a miniature (their names are in `in_use`)."""
    for folder in ROOT.glob(f"base-{SUITE}-*"):
        if folder != path() and folder.name not in in_use:
            shutil.rmtree(folder, ignore_errors=True)
