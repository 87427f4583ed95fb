"""A miniature: its folder, its addresses, its first process, and its end.

The kernel has the truth: a miniature runs as long as a process has its overlay as root. Whatever was written
down before a crash, `start` and `stop` begin by looking for those.
"""

import hashlib
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

from rookery.core import locking, paths
from rookery.core.errors import RookeryError
from rookery.remote import strict_json
from rookery.sandbox import auth, ids, image, person
from rookery.sandbox.registry import Miniature, start_of

FOLDER = image.ROOT / "miniatures"
MIRRORS = image.ROOT / "mirrors"
LONGEST_START = 180
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}", re.IGNORECASE)

Say = Callable[[str], None]


def key(name: str, state: Path) -> str:
    """Return the miniature's name on this machine.

    Two users, or two test runs, may each have one of the same cluster.
    """
    if not _NAME.fullmatch(name):
        raise RookeryError(f"{name!r} is not a valid name for a miniature: use letters, digits, - and _.")
    return f"{name}-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}"


def folder(name: str, state: Path) -> Path:
    """Return the folder with a miniature's files."""
    return FOLDER / key(name, state)


def processes(place: Path) -> list[int]:
    """Return every process that lives in a miniature, or is about to: its root is that overlay, or it makes it."""
    upper, argument = f"upperdir={place}/upper,".encode(), f"\0{place}\0".encode()
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if upper in (entry / "mountinfo").read_bytes() or argument in (entry / "cmdline").read_bytes():
                    pids.append(int(entry.name))
    return pids


def start(name: str, described: Mapping[str, Any], state: Path, layers: tuple[Path, ...], say: Say) -> Miniature:
    """Render and start a miniature, and wait until it can be logged in to.

    Args:
        name: The cluster.
        described: What `plan.describe` says of it.
        state: The user's folder, where the key is and where what was made is written down.
        layers: What its own files are laid over: the image, and before it what else there is.
        say: Called with the progress, a line at a time.

    Raises:
        RookeryError: It did not start; nothing of it is left but its log.
    """
    place = folder(name, state)
    stop(place)
    began = time.monotonic()
    for part in ("upper/etc/miniature", "work", "root"):
        (place / part).mkdir(parents=True)
    (place / "upper").chmod(0o755)  # whatever the umask is: it becomes the miniature's /
    settings = _reserve(described, place, layers[-1], state)
    settings["password"], settings["totp_secret"] = auth.secrets_for(settings)
    say(f"{name}: starting a miniature of {settings['sandbox_host']} at {settings['sandbox_address']}")
    try:
        _render(place, {**settings, "sandbox_python_layer": len(layers) > 1}, state)
        _boot(name, place, settings["sandbox_hostname"], layers)
    except BaseException:
        log = place.with_suffix(".log")
        with suppress(OSError):
            shutil.copy(place / "upper/var/log/miniature.log", log)
        stop(place)
        raise
    made = _describe(name, place, {**settings, "slurm": image.slurm_version(layers[-1])})
    public = [place / f"upper/etc/ssh/{host}_host_ed25519_key.pub" for host in ("ssh", "jump")]
    person.remember(state, vars(made), *(key.read_text(encoding="utf-8") for key in public if key.exists()))
    say(f"{name}: ready after {time.monotonic() - began:.0f} s")
    return made


def _describe(name: str, place: Path, settings: Mapping[str, Any]) -> Miniature:
    public = place / "upper/etc/ssh/ssh_host_ed25519_key.pub"
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(public)], check=True, capture_output=True, text=True)
    pid = _first_process(place)
    return Miniature(
        name=name,
        address=settings["sandbox_address"],
        port=settings["sandbox_port"],
        user=settings["sandbox_user"],
        pid=pid,
        started=start_of(pid),
        running=True,
        folder=str(place),
        host=settings["sandbox_host"],
        fingerprint=shown.stdout.split()[1],
        auth=settings["auth"],
        jump=settings["sandbox_jump"],
        password=settings["password"],
        totp_secret=settings["totp_secret"],
        slurm=settings["slurm"] if settings["sandbox_partitions"] else "",
    )


def _first_process(place: Path) -> int:
    """Return the miniature's process 1, by its number on this machine."""
    for pid in processes(place):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            if next(line for line in lines if line.startswith("NSpid:")).split()[-1] == "1":
                return pid
    raise RookeryError("The miniature ended right after its start.", hint=f"sudo less {place.with_suffix('.log')}")


def _reserve(described: Mapping[str, Any], place: Path, base: Path, state: Path) -> dict[str, Any]:
    """Settle where the miniature listens, under a lock so that no two get the same address."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with locking.waited(FOLDER / ".addresses"):
        taken = {_read_note(other).get("number") for other in FOLDER.iterdir() if other.is_dir()}
        ports = len(described["sandbox_nodes"]) + 2
        number = next((n for n in range(1, 255) if n not in taken and _are_free(_first_port(n), ports)), None)
        if number is None:
            raise RookeryError("All addresses for miniatures are in use.", hint="invoke sandbox.down all")
        note = {"number": number, "base": base.name, "state": str(state)}
        (place / "miniature.json").write_text(json.dumps(note), encoding="utf-8")
    address = f"127.77.{number}.1"
    return {
        **described,
        "sandbox_address": address,
        "sandbox_jump": f"127.77.{number}.2" if described["sandbox_jump_methods"] else "",
        "sandbox_port": described["port"] if _is_free(address, described["port"]) else 2200 + number,
        "sandbox_base_port": _first_port(number),
        "sandbox_user": person.USER,
        "sandbox_shell": "/bin/bash",
        "sandbox_certificates": bool(image.host_certificates()),
    }


def _read_note(place: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        note = strict_json.read(place / "miniature.json")
        return note if isinstance(note, dict) else {}
    return {}


def _first_port(number: int) -> int:
    """Return the first of a miniature's ports for Slurm: below those that the kernel gives out (32768 and up)."""
    return 20000 + number * 40


def _are_free(first: int, count: int) -> bool:
    return all(_is_free("127.0.0.1", port) for port in range(first, first + count))


def _is_free(address: str, port: int) -> bool:
    """Return whether a miniature can listen there.

    A server of this machine on all addresses has the port on this one too; and to the low ports the root of a user
    namespace has no right (ip(7), ip_unprivileged_port_start).
    """
    if port < int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii")):
        return False
    with closing(socket.socket()) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((address, port))
            tried.listen()
        except OSError:
            return False
    return True


def _render(place: Path, settings: Mapping[str, Any], state: Path) -> None:
    """Write the miniature's own files by the role sandbox."""
    upper = place / "upper"
    _secrets(upper, settings, state)
    variables = place / "variables.json"
    variables_of_role = {key: value for key, value in settings.items() if key.startswith("sandbox_")}
    variables.write_text(json.dumps({**variables_of_role, "sandbox_upper": str(upper)}), encoding="utf-8")
    root = paths.root()
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-e", f"@{variables}"]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(root / "roles"),
        "ANSIBLE_LOCAL_TEMP": str(place / "ansible"),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "1",
    }
    completed = subprocess.run(
        [*command, str(root / "playbooks/sandbox.yml")],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if completed.returncode:
        log = place.with_suffix(".log")
        log.write_text(completed.stdout + completed.stderr, encoding="utf-8")
        raise RookeryError("Can't write the configuration of the miniature.", hint=f"sudo less {log}")
    _applications(upper / "opt/apps", settings)
    ids.shift(upper)


def _secrets(upper: Path, settings: Mapping[str, Any], state: Path) -> None:
    """Write the login secrets: the user's public key, the password, the secret that codes are made from."""
    shutil.copy(state / f"{person.KEY}.pub", upper / "etc/miniature/key.pub")
    shutil.copy("/etc/resolv.conf", upper / "etc/resolv.conf")
    secret = upper / "etc/miniature/secrets"
    secret.touch(mode=0o600)
    secret.write_text(f"{settings['password']}\n{settings['totp_secret']}\n", encoding="utf-8")


def _applications(apps: Path, settings: Mapping[str, Any]) -> None:
    """Install the programs behind the modules: R, Python, and a real miniforge where ROOKERY_MINIFORGE names one."""
    miniforge = os.environ.get("ROOKERY_MINIFORGE", "")
    for module in settings["sandbox_modules"]:
        folder = apps / module["name"] / module["version"]
        if module["purpose"] == "r" and settings["sandbox_r_is_module"]:
            (folder / "bin").mkdir(parents=True)
            for program in ("R", "Rscript"):
                (folder / "bin" / program).symlink_to(f"/usr/lib/R/bin/{program}")
        elif module["purpose"] == "conda" and miniforge:
            shutil.copytree(miniforge, folder, symlinks=True)
        elif module["purpose"] == "conda":  # of a miniforge its Python alone
            (folder / "bin").mkdir(parents=True)
            for program in ("python", "python3"):
                (folder / "bin" / program).symlink_to("/usr/bin/python3")


def _boot(name: str, place: Path, hostname: str, layers: tuple[Path, ...]) -> None:
    """Start the first process in new namespaces, and follow its output until it is ready."""
    MIRRORS.mkdir(mode=0o755, parents=True, exist_ok=True)
    command = image.System(place, layers, hostname, MIRRORS).command(["/etc/miniature/boot"])
    with (place / "enter.log").open("w", encoding="utf-8") as log:
        begun = subprocess.Popen(
            command,
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd="/",
        )  # fmt: skip
    message = _follow(begun)
    if message != "ready":
        log_file = place.with_suffix(".log")
        raise RookeryError(
            f"The miniature of {name} stopped at {message.removeprefix('failed: ')!r}. {_last_line(place)}",
            hint=f"sudo less {log_file}",
        )


def _last_line(place: Path) -> str:
    for log in (place / "upper/var/log/miniature.log", place / "enter.log"):
        with suppress(OSError):
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
    return ""


def _follow(begun: subprocess.Popen[bytes]) -> str:
    """Return the last line of boot: `ready`, or the step at which it ended or took too long."""
    output, end = "", time.monotonic() + LONGEST_START
    with cast(io.FileIO, begun.stdout) as pipe:
        while (left := end - time.monotonic()) > 0 and not output.rstrip().endswith("ready"):
            if not select.select([pipe], [], [], left)[0]:
                break
            if not (some := os.read(pipe.fileno(), 4096)):
                break
            output += some.decode(errors="replace")
    return (output.strip().splitlines() or ["its file systems"])[-1]


def stop(place: Path, *, keep: bool = False) -> None:
    """End every process of a miniature, wait until the kernel has let go of them, and remove its files.

    Args:
        place: The miniature's folder; nothing is done where there is none.
        keep: Leave the files.

    Raises:
        RookeryError: A process would not end.
    """
    end = time.monotonic() + 30
    while left := processes(place):
        if time.monotonic() > end:
            pids = ", ".join(map(str, left))
            raise RookeryError(f"Can't end these processes of the miniature: {pids}.", hint=f"ps -fp {pids}")
        watched = []
        for pid in left:
            with suppress(OSError):
                watched.append(os.pidfd_open(pid))
                os.kill(pid, signal.SIGKILL)
        if watched:
            select.select(watched, [], [], 1)  # a pidfd is readable once its process has ended
        for descriptor in watched:
            os.close(descriptor)
    if keep:
        return
    shutil.rmtree(place, ignore_errors=True)
    if place.exists():
        raise RookeryError(f"Can't remove {place}.", hint=f"sudo rm -r {place}")


def forget_orphans() -> None:
    """End miniatures whose user's folder is gone, so that nobody could: a test run that was killed, say."""
    for place in FOLDER.glob("*-*"):
        state = _read_note(place).get("state")
        if place.is_dir() and state and not Path(state).is_dir():
            stop(place)


def images_in_use() -> set[str]:
    """Return the names of the images that miniatures are overlays on."""
    return {str(_read_note(place).get("base")) for place in FOLDER.glob("*") if place.is_dir()}
