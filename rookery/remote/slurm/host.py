"""Sent to a cluster: find a job that ssh can log in to, or submit it, and answer how long it is waited for; or end it.

It is the job behind NAME-job, or one with a service. The job's name is the only record of it, and on the cluster alone,
so that every computer of the user's finds the same job.
"""

import contextlib
import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import time
from typing import Any, Dict, List

from rookery.remote import frame
from rookery.remote.slurm import variables
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import cut, directives, login, put, read, run, sbatch, slurm, stands, write
from rookery.remote.slurm.forms import NUMBER, WAITING

STOPPED = 3600
"""Seconds after a job was ended in which a connection by itself starts no other: an open window would, at once."""

OLD = 60 * 24 * 3600
"""Seconds after which what is left of an ended job is removed: more than any job may run."""

KEY_DAYS = 7
"""Days for which a key may log in to the job after it was last asked for; each connection asks with its own."""

LINES = 15
"""Lines of a job's log that say why it ended."""

FIELDS = ("number", "state", "reason", "node", "start", "end", "name")
"""What squeue is asked for; the name comes last, as it may hold anything."""

OVERLAP = (20, 11)
"""The Slurm from which srun shares a job's cores only where asked to."""


class Host:
    """A job that ssh can log in to, and one request about it.

    The request: `name` of the job, and `prefix`, what the names of others begin with; `key`, the user's public one;
    `script`, the job's; `place`, the folder below the home that it starts in; `asked`, what it asks for; `wanted`, what
    of that the user named; `start`, whether a job may be submitted; `again`, whether also after a --stop; `patience`,
    seconds to wait; `number`, with find: whose last words to answer with; `forget`, with stop: whether no key may log
    in from now on.
    """

    def __init__(self, request: Dict[str, Any]) -> None:
        self.request = request
        self.home = os.path.expanduser("~")
        self.folder = os.path.join(self.home, ".local", "state", "rookery", "node")
        self.stopped = os.path.join(self.folder, "stopped")
        self.is_service = bool(request.get("service"))  # only a command starts one, so that a stop need not be noted

    def ensure(self) -> None:
        """Answer with the job's node, once it runs."""
        if not os.path.isfile(os.path.join(self.home, ".config", "rookery", "env.sh")):
            raise Answer("not-set-up")
        self.prepare()
        end, pause, last_news = time.time() + self.request["patience"], 0.2, None
        jobs, started = self.jobs(), ""
        if not jobs:
            started = self.submit()
            jobs = self.jobs()
        while True:
            if not jobs:
                raise Answer("ended", said=self.last_words(started))
            job = jobs[0]
            if started and started != job["number"]:  # another computer was a moment earlier
                run(["scancel", started])
                started = ""
            if job["state"] == "RUNNING":
                break
            if time.time() > end:
                raise Answer("slow", number=job["number"])
            news = (job["number"], job["reason"], job["start"])
            if news != last_news:
                self.say(dict(job, state="waiting"))
                last_news = news
            time.sleep(pause)
            pause = min(pause * 1.5, 10)
            jobs = self.jobs()
        about = read(os.path.join(self.folder, "%s.json" % job["number"]))
        other = {key: about.get(key) for key, value in self.request["wanted"].items() if about.get(key) != value}
        if other and about:
            raise Answer("other", number=job["number"], node=job["node"], about=about)
        with open(os.path.join(self.folder, "host_key.pub"), encoding="utf-8") as stream:
            key = " ".join(stream.read().split()[:2])
        raise Answer(
            "ready",
            number=job["number"],
            node=job["node"],
            end=job["end"],
            key=key,
            overlap=overlaps(),
            folder=self.folder,
        )

    def find(self) -> None:
        """Answer with the jobs, whatever state they are in."""
        raise Answer("found", jobs=self.jobs(), said=self.last_words(self.request.get("number", ""), LINES))

    def stop(self) -> None:
        """End the job, and keep others from starting by themselves for a while."""
        if self.request.get("forget"):  # first: nobody logs in any more, whatever Slurm says
            for name in ("authorized_keys", "authorized_keys.lock"):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.folder, name))
        jobs = self.jobs()
        if jobs:
            if os.path.isdir(self.folder) and not self.is_service:
                write(self.stopped, "")
            code, _, error = run(["scancel"] + [job["number"] for job in jobs])
            if code:
                raise Answer("refused", said=error)
        raise Answer("stopped", jobs=jobs)

    def jobs(self) -> List[Dict[str, Any]]:
        """Return the jobs of that name that wait or run, the oldest first; of a whole name there is one, or none."""
        user = pwd.getpwuid(os.getuid()).pw_name
        named = [] if self.request.get("prefix") else ["--name", self.request["name"]]
        asked = ["--user", user, *named, "--format", "%i|%T|%r|%N|%S|%e|%j"]
        out, error = slurm(["squeue", "--noheader", *asked])
        if error:
            raise Answer("refused", said=error)
        jobs = []
        for line in out.splitlines():
            fields = line.strip().split("|", len(FIELDS) - 1)
            is_whole = len(fields) == len(FIELDS) and NUMBER.match(fields[0])
            if not is_whole or fields[1] not in (*WAITING, "RUNNING", "CONFIGURING"):
                continue
            prefix = self.request.get("prefix")
            if not prefix or fields[-1] == self.request.get("name") or fields[-1].startswith(prefix):
                jobs.append(dict(zip(FIELDS, map(cut, fields))))
        return sorted(jobs, key=lambda job: int(job["number"]))

    def prepare(self) -> None:
        """Make the folder with the host key and the user's key; files of old jobs are removed."""
        os.makedirs(self.folder, 0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)
        self.make_host_key()
        self.admit()
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            with contextlib.suppress(OSError):
                if re.match(r"^\d+(\.(log|json))?$", name) and time.time() - os.lstat(path).st_mtime > OLD:
                    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def admit(self) -> None:
        """Admit the computer that asks, and remove the keys of those that have not asked for a while.

        The day is written behind each key, so that the file is written once a day at most.
        """
        path, today = os.path.join(self.folder, "authorized_keys"), int(time.time() // 86400)
        with open(path + ".lock", "a", encoding="utf-8") as lock:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.lockf(lock, fcntl.LOCK_EX)
            before = ""
            with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as stream:
                before = stream.read()
            dated = [re.match(r"^(\S+ \S+) rookery:(\d{1,6})$", line) for line in before.splitlines()]
            last = {match.group(1): int(match.group(2)) for match in dated if match}
            last[self.request["key"]] = today
            kept = [(key, day) for key, day in sorted(last.items()) if today - KEY_DAYS <= day <= today + 1]
            after = "".join("%s rookery:%d\n" % entry for entry in kept)
            if after != before:
                write(path, after)
                os.chmod(path, 0o600)

    def make_host_key(self) -> None:
        """Make the job's host key, where there is none; of its two files the public one follows from the private."""
        key = os.path.join(self.folder, "host_key")
        if not stands(key):
            with contextlib.suppress(OSError):
                os.unlink(key + ".pub")  # of a key that is gone
            made = "%s.%d" % (key, os.getpid())
            try:
                self.keygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", made)
                with contextlib.suppress(FileExistsError):  # another process has made it first
                    put(made, key)
            finally:
                for path in (made, made + ".pub"):
                    with contextlib.suppress(OSError):
                        os.unlink(path)
        if not os.path.exists(key + ".pub"):
            write(key + ".pub", self.keygen("-y", "-P", "", "-f", key))

    def keygen(self, *arguments: str) -> str:
        """Return ssh-keygen's output."""
        code, out, error = run(["ssh-keygen", *arguments])
        if code:
            raise Answer("unready", said="ssh-keygen: %s" % error.strip())
        return out

    def submit(self) -> str:
        """Submit the job; return its number."""
        with contextlib.suppress(OSError):
            since = time.time() - os.stat(self.stopped).st_mtime
            if not self.request["again"] and since < STOPPED:
                raise Answer("was-stopped", minutes=int(since // 60))
            os.unlink(self.stopped)
        if not self.request["start"]:
            raise Answer("none")
        place = os.path.realpath(os.path.join(self.home, self.request.get("place", "")))
        if not os.path.isdir(place):
            raise Answer("not-deployed")
        script = os.path.join(self.folder, "job.%d.sh" % os.getpid())
        write(script, self.request["script"].replace("@FOLDER@", self.folder))
        try:
            start = login()
            options = variables.granted(start.environment, directives(self.request["script"]))
            code, out, error = sbatch(["sbatch"], ["--parsable", *options, script], place, start)
        finally:
            os.unlink(script)
        if code:
            raise Answer("refused", said=error or out)
        number = (out.strip().splitlines() or [""])[-1].partition(";")[0]
        if not NUMBER.match(number):
            raise Answer("refused", said=error or "sbatch printed no job number")
        write(os.path.join(self.folder, "%s.json" % number), json.dumps(self.request["asked"]))
        self.say({"state": "submitted", "number": number})
        return number

    def last_words(self, number: object, lines: int = 1) -> str:
        """Return what the job wrote before it ended."""
        with contextlib.suppress(OSError), open(os.path.join(self.folder, "%s.log" % number), errors="replace") as log:
            return "\n".join([line.rstrip()[:300] for line in log if line.strip()][-lines:])
        return ""

    def say(self, document: Dict[str, Any]) -> None:
        """Send the laptop an answer."""
        frame.tell(json.dumps(document))


def overlaps() -> bool:
    """Return whether srun has to be told to share cores."""
    match = re.search(r"([0-9]{1,4})\.([0-9]{1,4})", run(["srun", "--version"])[1])
    return not match or (int(match.group(1)), int(match.group(2))) >= OVERLAP


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: What the laptop asks for.
    """
    host = Host(request)
    try:
        {"ensure": host.ensure, "find": host.find, "stop": host.stop}[request["verb"]]()
    except Answer as answer:
        document = answer.document
    except OSError as error:
        document = {"state": "unready", "said": str(error)}
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    host.say(document)
