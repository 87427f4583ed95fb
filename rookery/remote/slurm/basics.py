"""Sent to a cluster with each program: run commands and write files."""

import contextlib
import errno
import os
import re
import shlex
import subprocess
import time
from typing import Any, Dict, List, NamedTuple, Tuple

from rookery.remote import strict_json
from rookery.remote.slurm import variables

FIELD, END = "\x1f", "\x1f\n"
"""The separator of fields in Slurm's tables, also at the end of a line: no job's name may hold it."""

SBATCH_PATIENCE = 90
"""Seconds that sbatch is given; it tries for one minute to reach a controller that does not answer."""

QUESTION_PATIENCE = 30
"""Seconds that each question to Slurm is given while a job is submitted."""

NO_COMMAND, NO_PERMISSION = 127, 126
"""The exit statuses of a command that there is not, and of one that may not be run, as shells have them."""

NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""How a filesystem says that it has no hard links (link(2))."""

CUT_OFF = 60
"""Seconds after which a file that is still empty is none: whoever made it was killed before it was filled."""


def run(argv: List[str], patience: float = 120, **options: Any) -> Tuple[int, str, str]:
    """Run a command; return its exit status, and its output on both streams.

    Args:
        argv: The command.
        patience: Seconds it is given; Slurm's own try for a while to reach a controller that does not answer.
        options: Those of subprocess.run.
    """
    try:
        completed = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=patience,
            check=False,
            **options,
        )
    except FileNotFoundError:
        return NO_COMMAND, "", "%s: command not found" % argv[0]
    except PermissionError:
        return NO_PERMISSION, "", "%s: permission denied" % argv[0]
    except subprocess.TimeoutExpired:
        return 124, "", "%s timed out after %d s" % (argv[0], patience)
    stdout, stderr = (stream.decode("utf-8", "replace") for stream in (completed.stdout, completed.stderr))
    return completed.returncode, stdout, stderr


def write(path: str, text: str) -> None:
    """Put a file in place in one step; nothing is left of it where that fails, as with a full disk."""
    temporary = "%s.%d" % (path, os.getpid())
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def put(made: str, path: str) -> None:
    """Write a file that is not there yet, and never over another.

    Args:
        made: The file, on the same filesystem.
        path: Its place.

    Raises:
        FileExistsError: There is one.
    """
    try:
        os.link(made, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # a rename alone would replace what is there
        if not stands(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(made, path)


def stands(path: str) -> bool:
    """Return whether a file is there, other than what a `put` left that was cut off: nothing in it, for a minute."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    return status.st_size > 0 or time.time() - status.st_mtime < CUT_OFF


def cut(text: str) -> str:
    """Return a text as the laptop accepts it.

    It takes no NUL and nothing longer (rookery/clusters/login_node/answers.py).

    Slurm's reasons may name all the nodes that are down.
    """
    return text.replace("\0", "")[:300]


def read(path: str) -> Dict[str, Any]:
    """Return a JSON object from a file; an empty one where there is none, or none that can be used."""
    try:
        value = strict_json.read(path)
    except (OSError, strict_json.MalformedError):
        return {}
    return value if isinstance(value, dict) else {}


TEXTS = ("job", "id", "token", "when", "commit", "log", "error_log", "release", "script")


def record(path: str) -> Dict[str, Any]:
    """Return the record of a run from its file.

    An empty one where there is none, or where what is read here is no text.
    """
    document = read(path)
    is_fit = all(isinstance(document.get(key, ""), str) for key in TEXTS)
    return document if is_fit and re.match(r"^[1-9][0-9]{0,11}$", str(document.get("id"))) else {}


def stamp(release: str) -> Dict[str, Any]:
    """Return what a release is, from its release.json; an empty one where that can't be used."""
    document = read(os.path.join(release, ".rookery", "release.json"))
    jobs, inputs = document.get("jobs") or {}, document.get("inputs") or {}
    outputs, run_folders = document.get("outputs") or [], document.get("run_folders") or []
    is_fit = (
        re.match(r"^[0-9a-f]{40}$", str(document.get("commit")))
        and isinstance(document.get("environment") or {}, dict)
        and isinstance(outputs, list)
        and isinstance(run_folders, list)
        and all(isinstance(path, str) for path in [*outputs, *run_folders])
        and isinstance(inputs, dict)
        and all(isinstance(digest, str) for digest in inputs.values())
        and isinstance(jobs, dict)
        and all(isinstance(job, dict) for job in jobs.values())
    )
    return document if is_fit else {}


class Login(NamedTuple):
    """The environment and umask that a job starts with.

    Attributes:
        environment: That of a login shell, which is what a job gets that is submitted by hand, without what start-up
            files change in programs.
        left: Variables that were left out, with their values.
        umask: The login shell's.
    """

    environment: Dict[str, str]
    left: Dict[str, str]
    umask: int


def login() -> Login:
    """Ask a login shell for its environment, and clean it; return this process's where that fails."""
    script = "command printf '\\0rookery\\0'; umask; command printf '\\0'; exec /usr/bin/env -0"
    given = int(os.environ.get("ROOKERY_UMASK") or "22", 8)
    ours = os.umask(given)
    output = _said(["bash", "-lc", script], dict(os.environ)).partition(b"\0rookery\0")[2]
    os.umask(ours)
    mask, _, rest = output.partition(b"\0")
    made = _variables(rest)
    if "PATH" not in made:
        return Login(dict(os.environ), {}, given & 0o077)
    home = os.path.expanduser("~")
    environment, left = variables.cleaned({name: made[name] for name in made if not name.startswith("SSH_")})
    for name in ("SHELLOPTS", "BASHOPTS"):
        environment.pop(name, None)
    if environment.get("HOME") != home:
        left["HOME"], environment["HOME"] = environment.get("HOME", ""), home
    # what rookery itself has set up, without what came before it in a start-up file
    drop_ins = '. "$HOME/.config/rookery/env.sh"; exec /usr/bin/env -0'
    own = _variables(_said(["sh", "-c", drop_ins], {"HOME": home, "PATH": "/usr/bin:/bin"}))
    own = {name: value for name, value in own.items() if variables.matches(name, variables.ALL)}
    environment.update(own)
    left = {name: value for name, value in left.items() if own.get(name) != value}
    return Login(environment, left, int(mask, 8) & 0o077 if mask.strip().isdigit() else given & 0o077)


def _said(argv: List[str], environment: Dict[str, str]) -> bytes:
    try:
        completed = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return completed.stdout


def _variables(output: bytes) -> Dict[str, str]:
    pairs = [line.partition(b"=") for line in output.split(b"\0") if b"=" in line]
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def sbatch(command: List[str], arguments: List[str], folder: str, start: Login) -> Tuple[int, str, str]:
    """Run sbatch, which passes umask and environment on to the job.

    Args:
        command: sbatch, or what the site has in its place.
        arguments: Its arguments.
        folder: Where it is run.
        start: The environment and umask.
    """
    before = os.umask(start.umask)
    try:
        return run([*command, *arguments], SBATCH_PATIENCE, cwd=folder, env=start.environment)
    finally:
        os.umask(before)


def directives(text: str) -> Dict[str, str]:
    """Return the options for logs, name, array, account and partition on a script's #SBATCH lines.

    Later lines win, as with sbatch.
    """
    letters = {"o": "output", "e": "error", "J": "job-name", "a": "array", "A": "account", "p": "partition"}
    values: Dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            if line.strip():
                break
            continue
        if not line.startswith("#SBATCH"):
            continue
        try:
            words = shlex.split(line[len("#SBATCH") :], comments=True)
        except ValueError:
            continue
        for place, word in enumerate(words):
            following = words[place + 1] if place + 1 < len(words) else ""
            match = re.match(r"^--([a-z-]+)(?:=(.*))?$", word, re.DOTALL)
            if match and match.group(1) in [*letters.values(), "reservation"]:
                values[match.group(1)] = following if match.group(2) is None else match.group(2)
            elif re.match(r"^-[oeJaAp]", word):
                values[letters[word[1]]] = word[2:] or following
    return values


def slurm(argv: List[str], patience: float = 60) -> Tuple[str, str]:
    """Run one of Slurm's commands; return its output, and its error's last line.

    Times are in seconds since 1970; those among its arguments are read as UTC. With no TZ, the C library would look at
    /etc/localtime for each time that is printed so: of 40,000 lines, 0.3 s.
    """
    environment = dict(os.environ, SLURM_BITSTR_LEN="0", SLURM_TIME_FORMAT="%s", LC_ALL="C", TZ="UTC0")
    code, out, err = run(argv, patience, env=environment)
    lines = err.strip().splitlines() or ["exit status %d" % code]
    return out, re.sub(r"^\w+: error: ", "", lines[-1]) if code else ""
