"""Sent to a cluster: submit a job from the release that is deployed, and write its record in the same breath.

From sbatch's word to the record, a connection that breaks changes nothing: the program goes on to its end. A token that
the laptop keeps until it has the answer tells a submission that was carried out from one that never arrived.
"""

import contextlib
import csv
import fcntl
import glob
import hashlib
import json
import os
import pwd
import re
import signal
import time
from typing import Any, Dict, List, Tuple

from rookery.remote import frame
from rookery.remote.slurm import variables
from rookery.remote.slurm.basics import FIELD, NO_COMMAND, directives, login, read, record, run, sbatch, stamp, write
from rookery.remote.slurm.forms import ACTIVE, NO_ACCOUNTS, NUMBER, split, whole

ENDED_WELL = "COMPLETED"
PATIENCE = 30
"""Seconds that each question to Slurm is given, beside sbatch itself."""

LONGEST_PATCH = 1000000
"""Characters of uncommitted changes that a record holds."""


class SubmissionAnswer(Exception):  # noqa: N818 it is no error
    """What the laptop is told; nothing more is done."""

    def __init__(self, state: str, **told: Any) -> None:
        Exception.__init__(self, state)
        self.told = dict(told, state=state)


class Submission:
    """One of them.

    Attributes:
        base: ~/projects/NAME.
        release: The release's own path, which stays the same when another is deployed.
        stamp: What that release is.
        entry: The job in it; empty for a script of the project's own.
        base_commit: Its commit in the user's own history: a snapshot's is the one below it.
    """

    def __init__(self, request: Dict[str, Any]) -> None:
        self.request = request
        home = os.path.expanduser("~")
        self.base = os.path.join(home, "projects", request["project"])
        if not os.path.isfile(os.path.join(home, ".config", "rookery", "env.sh")):
            raise SubmissionAnswer("not-set-up")
        self.release = os.path.realpath(os.path.join(self.base, "current"))
        self.stamp = stamp(self.release)
        if not self.stamp:
            raise SubmissionAnswer("not-deployed")
        self.entry: Dict[str, Any] = self._entry()
        self.repository = os.path.join(self.base, "repository.git")
        self.base_commit = self._base_commit()
        self.script = str(self.entry.get("script") or request["path"])
        self.text = self._script()
        self.directives = directives(self.text)
        self.name = self.directives.get("job-name") or os.path.basename(self.script)
        self.after: List[str] = []
        self.options: List[str] = []
        self.granted: List[str] = []
        self.warnings: List[str] = []

    def _entry(self) -> Dict[str, Any]:
        jobs = self.stamp.get("jobs") or {}
        if self.request["path"]:
            return {}
        if self.request["job"] not in jobs:
            raise SubmissionAnswer("no-job", jobs=sorted(jobs), stamp=self.stamp)
        return dict(jobs[self.request["job"]])

    def _base_commit(self) -> str:
        commit = str(self.stamp.get("commit", ""))
        if not self.stamp.get("dirty"):
            return commit
        asked = ["git", "--git-dir", self.repository, "rev-parse", "--quiet", "--verify", commit + "^"]
        return run(asked)[1].strip()

    def _script(self) -> str:
        path = os.path.realpath(os.path.join(self.release, self.script))
        if not path.startswith(self.release + "/") or not os.path.isfile(path):
            raise SubmissionAnswer(
                "no-script", script=self.script, jobs=sorted(self.stamp.get("jobs") or {}), stamp=self.stamp
            )
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8", "surrogateescape")

    @property
    def digest(self) -> str:
        """That of the script: the laptop has looked it over, or not yet."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).hexdigest()

    def go(self) -> None:
        """Submit, or say why not. Always ends by an Answer."""
        self._intend()
        untold = self.request["tag"] and self.request["base"] != self.base_commit
        if self.request["digest"] != self.digest or untold:
            look = {"script": self.text, "path": self.script, "digest": self.digest, "base": self.base_commit}
            raise SubmissionAnswer("look", stamp=self.stamp, **look)
        self._compare_with_failed()
        self.after = self._dependencies()
        self.options = ["--chdir=" + self.release]
        if self.request["array"]:
            self.options.append("--array=" + self.request["array"])
        if self.after:  # what waits for a job that has failed would otherwise wait for ever
            self.options += ["--dependency=afterok:" + ":".join(self.after), "--kill-on-invalid-dep=yes"]
        self._start()
        self.options += self.granted
        if self.request["test"]:
            code, out, err = self._sbatch(["--test-only", *self.options, self.script])
            said = (err + out).strip()
            raise SubmissionAnswer("tested", ok=code == 0, said=said, stamp=self.stamp, warnings=self.warnings)
        self._make_log_folders()
        made = self._record()  # whatever can fail about it, fails before
        since = int(time.time())
        write(self.intent, json.dumps({"since": since, "name": self.name, "record": made}))
        code, out, err = self._sbatch(["--parsable", *self.options, self.script])
        number = (re.findall(r"^(\d+)(?:;.*)?$", out, re.MULTILINE) or [""])[-1]
        if not number and "timed out" in err.lower():
            number = self._stray(since, self.release, self.name)
            if not number:  # Slurm may yet do it: what was intended stays written down
                raise SubmissionAnswer("unknown", said=err.strip(), stamp=self.stamp)
        if not number:
            os.unlink(self.intent)
            raise SubmissionAnswer(
                "refused", said=err.strip() or out.strip() or "exit status %d" % code, stamp=self.stamp
            )
        self._recorded(made, number, said=err.strip())

    def _start(self) -> None:
        """Find out what the job starts with, and say what of the user's start-up files counts and what does not."""
        self.start = login()
        self.granted = variables.granted(self.start.environment, self.directives)
        if self.granted:
            self.warnings.append("with %s, which start-up files there set" % " ".join(self.granted))
        left = variables.named(self.start.left)
        if left:
            self.warnings.append("without what start-up files there set: %s" % ", ".join(left))
        self._see_python()

    def _see_python(self) -> None:
        """Warn where the release's .python-version stops pyenv's python, which jobs without an environment call."""
        root = self.start.environment.get("PYENV_ROOT", "")
        if not root or (self.stamp.get("environment") or {}).get("python", "none") != "none":
            return
        try:
            with open(os.path.join(self.release, ".python-version"), encoding="utf-8") as stream:
                wanted = stream.read().split()
            there = os.listdir(os.path.join(root, "versions"))
        except (OSError, ValueError):
            return
        for name in wanted[:1]:
            if name != "system" and not any(one == name or one.startswith(name + ".") for one in there):
                have = ", ".join(sorted(there)) or "none"
                self.warnings.append(
                    ".python-version asks for Python %s, which pyenv does not have there (it has %s): `python` will "
                    "not start in this job; change that file, or set environment: {python: uv}" % (name, have)
                )

    def _sbatch(self, arguments: List[str]) -> Tuple[int, str, str]:
        return sbatch(arguments, self.release, self.start)

    def _intend(self) -> None:
        """Wait for another submission to end; find what an earlier one of ours did, and say so."""
        folder = os.path.join(self.base, "state", "submissions")
        os.makedirs(folder, exist_ok=True)
        os.makedirs(os.path.join(self.base, "runs"), exist_ok=True)
        self.intent = os.path.join(folder, self.request["token"])
        self.lock = open(os.path.join(folder, "lock"), "w")  # noqa: SIM115 held until the program ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        except OSError as error:
            self.warnings.append(
                "the home's file system has no locks (%s): submit one job after another" % error.strerror
            )
        if not self.request["again"]:
            return
        for path in glob.glob(os.path.join(glob.escape(self.base), "runs", "*.json")):
            known = self._read_record(path)
            if known.get("token") == self.request["token"] and known.get("job") == self._what:
                raise SubmissionAnswer("already", record=known, stamp=self.stamp)
        intended = read(self.intent)
        made = intended.get("record")
        if not isinstance(made, dict) or made.get("job") != self._what:
            return
        release = str(made.get("release"))  # another one may be current by now
        number = self._stray(whole(str(intended.get("since"))), release, str(intended.get("name")))
        if number:  # sbatch had done it, and the program was ended before it was written down
            self.release, self.stamp = release, stamp(release) or self.stamp
            self.entry = dict((self.stamp.get("jobs") or {}).get(self.request["job"]) or {})
            self._recorded(made, number, state="already")

    def _stray(self, since: int, release: str, name: str) -> str:
        """Return a job that no record tells of; sbatch may give up before Slurm does.

        Args:
            since: When it was submitted, at the earliest; in seconds since 1970.
            release: Where it runs.
            name: What Slurm calls it.

        Raises:
            Answer: Slurm does not say whether there is one.
        """
        environment = dict(os.environ, SLURM_TIME_FORMAT="%s")
        form = FIELD.join(["%F", "%V", "%Z", "%j"]) + FIELD
        asked = ["squeue", "--noheader", "-u", str(os.getuid()), "-t", "all", "-o", form]
        code, queue, err = run(asked, PATIENCE, env=environment)
        if code:
            raise SubmissionAnswer("unknown", said=err.strip(), stamp=self.stamp)
        # what has ended minutes ago is known to the accounts alone
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(max(since, 1)))
        asked = ["sacct", "-X", "--noheader", "--parsable", "--delimiter", FIELD, "-S", start]
        code, accounts, err = run([*asked, "--format=JobID,Submit,WorkDir,JobName"], PATIENCE, env=environment)
        if code and code != NO_COMMAND and NO_ACCOUNTS not in err.lower():
            raise SubmissionAnswer("unknown", said=err.strip(), stamp=self.stamp)
        rows = [*split(queue, 4), *split(accounts, 4)]
        numbers = {
            row[0].partition("_")[0]
            for row in rows
            if NUMBER.match(row[0].partition("_")[0]) and whole(row[1]) >= max(since, 1) and row[2:4] == [release, name]
        }
        fresh = [number for number in numbers if not os.path.exists(os.path.join(self.base, "runs", number + ".json"))]
        return max(fresh, key=int) if fresh else ""

    def _compare_with_failed(self) -> None:
        """Task numbers of an earlier run mean the same in this release, or nothing is submitted."""
        if not self.request["failed_of"]:
            return
        path = os.path.join(self.base, "runs", self.request["failed_of"] + ".json")
        before = record(path)
        if not before:
            raise SubmissionAnswer("bad-record" if os.path.lexists(path) else "no-record", said=path, stamp=self.stamp)
        if before.get("job") != self._what:
            raise SubmissionAnswer("other-job", name=before.get("job"), stamp=self.stamp)
        now = {"rows": self._rows(), "chunk": self.entry.get("chunk") or 1}
        wrong = [key for key in now if before.get(key) != now[key]]
        if wrong:
            raise SubmissionAnswer("changed", what=wrong, before=before.get("commit", ""), stamp=self.stamp)

    @property
    def _what(self) -> str:
        """What records call it: the job's name, or the script's path."""
        return str(self.request["job"] or self.script)

    def _rows(self) -> List[Dict[str, Any]]:
        path = self.entry.get("params")
        if not path:
            return []
        with open(os.path.join(self.release, path), newline="", encoding="utf-8") as stream:
            return [dict(row) for row in csv.DictReader(stream)]

    def _dependencies(self) -> List[str]:
        """Numbers of jobs that must end well first. Those that have are left out: Slurm has forgotten them."""
        waited = []
        for given in list(self.request["after"]) + list(self.entry.get("after") or []):
            number = given if given.isdigit() else self._latest(given)
            if not number:
                raise SubmissionAnswer("no-run", name=given, stamp=self.stamp)
            code, out, _ = run(["sacct", "-X", "--noheader", "--parsable2", "--format=State", "-j", number], PATIENCE)
            states = [line.split()[0] for line in out.splitlines() if line.strip()]
            if not code and not states and self._is_unknown(number):
                raise SubmissionAnswer("no-such-run", number=number, stamp=self.stamp)
            bad = sorted({state for state in states if state != ENDED_WELL and state not in ACTIVE})
            if bad:
                raise SubmissionAnswer("failed-before", number=number, name=given, states=bad, stamp=self.stamp)
            if (code or not states or set(states) != {ENDED_WELL}) and number not in waited:
                waited.append(number)
        return waited

    def _is_unknown(self, number: str) -> bool:
        """Whether nobody knows a job that accounting does not: Slurm would take it for one that has ended well."""
        code, out, err = run(["squeue", "--noheader", "--states=all", "--format=%i", "-j", number], PATIENCE)
        queued = out.strip() or (code and "invalid job id" not in err.lower())
        return not queued and not os.path.exists(os.path.join(self.base, "runs", number + ".json"))

    def _latest(self, name: str) -> str:
        paths = glob.glob(os.path.join(glob.escape(self.base), "runs", "*.json"))
        records = [self._read_record(path) for path in paths]
        found = [one for one in records if one.get("job") == name]
        return str(max(found, key=lambda one: str(one.get("when")))["id"]) if found else ""

    def _read_record(self, path: str) -> Dict[str, Any]:
        """Return the record in a file; the user is told of one that can't be used."""
        told = record(path)
        warning = "skipped %s: it is no record of a run" % path
        if not told and warning not in self.warnings:
            self.warnings.append(warning)
        return told

    def _patterns(self) -> Tuple[str, str]:
        """Paths of the logs, with Slurm's patterns."""
        array = self.request["array"] or self.directives.get("array")
        output = self.directives.get("output") or ("slurm-%A_%a.out" if array else "slurm-%j.out")
        error = self.directives.get("error") or ""
        return os.path.join(self.release, output), os.path.join(self.release, error) if error else ""

    def _make_log_folders(self) -> None:
        """Make the folders of the logs: without them Slurm ends a job at once, and says nothing."""
        for pattern in filter(None, self._patterns()):
            folder = os.path.dirname(pattern).replace("%x", self.name).replace("%u", pwd.getpwuid(os.getuid()).pw_name)
            if "%" in folder:
                folder = os.path.dirname(folder[: folder.index("%") + 1])
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                self.warnings.append("%s: %s" % (folder, error.strerror))

    def _recorded(self, made: Dict[str, Any], number: str, state: str = "submitted", said: str = "") -> None:
        """Write the record down and say so; that it can't be written makes the job no less submitted."""
        made["id"] = number
        path = os.path.join(self.base, "runs", number + ".json")
        with contextlib.suppress(OSError):  # mostly there is none, unless the cluster counts from 1 again
            os.replace(path, path[: -len("json")] + "%d.json" % int(os.path.getmtime(path)))
        kept = self._written(path, made)
        for key, step in (("table", self._keep_table), ("mail_job", self._mail)):
            try:
                made[key] = step(number)
            except (OSError, ValueError) as error:
                self.warnings.append(str(error))
        with contextlib.suppress(OSError):
            self._see_partition(number)
        if kept:
            self._written(path, made)
        raise SubmissionAnswer(state, record=made, stamp=self.stamp, said=said, warnings=self.warnings)

    def _written(self, path: str, made: Dict[str, Any]) -> bool:
        """Write the record, which the job is found by from then on; a full disk makes it no less submitted."""
        try:
            write(path, json.dumps(made, indent=2) + "\n")
            if os.path.exists(self.intent):
                os.unlink(self.intent)
        except OSError as error:
            self.warnings.append("its record could not be written there, you have the only one: %s" % error)
            return False
        return True

    def _record(self) -> Dict[str, Any]:
        """Return what is known of the run before it has a number."""
        output, error = self._patterns()
        loads = re.findall(r"^\s*(?:module|ml)\s+(?:add|load)\s+([^#;&|\n]+)", self.text, re.MULTILINE)
        return {
            "version": 1,
            "job": self._what,
            "id": "",
            "cluster": self.request["cluster"],
            "project": self.request["project"],
            "commit": self.stamp.get("commit", ""),
            "base": self.base_commit,
            "dirty": bool(self.stamp.get("dirty")),
            "patch": self._patch(),
            "script": self.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
            "script_path": self.script,
            "array": self.request["array"] or self.directives.get("array", ""),
            "chunk": self.entry.get("chunk") or 1,
            "rows": self._rows(),
            "environment": self.stamp.get("environment") or {},
            "modules": [name for line in loads for name in line.split()],
            "options": self.options,
            "release": self.release,
            "outputs": self.stamp.get("outputs") or [],
            "log": output,
            "error_log": error,
            "who": pwd.getpwuid(os.getuid()).pw_name,
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "rookery": self.request["rookery"],
            "tag": self.request["tag"],
            "failed_of": self.request["failed_of"],
            "mail_job": "",
            "after": self.after,
            "token": self.request["token"],
            "table": "",
        }

    def _patch(self) -> str:
        """Return the uncommitted changes that a snapshot holds: what it adds to the commit it stands on."""
        if not self.stamp.get("dirty"):
            return ""
        commit = str(self.stamp["commit"])
        how = ["diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
        _, out, _ = run(["git", "--git-dir", self.repository, *how, commit + "^", commit, "--"])
        out = out.replace("\0", "\ufffd")  # no text of JSON that the laptop takes has one
        return out if len(out) <= LONGEST_PATCH else out[:LONGEST_PATCH] + "\n[cut here: %d characters]\n" % len(out)

    def _keep_table(self, number: str) -> str:
        """Put the table of parameters beside the results; its path."""
        if not self.entry.get("params"):
            return ""
        outputs = [str(path) for path in self.stamp.get("outputs") or []]
        folder = next((path for path in outputs if "log" not in path), outputs[0] if outputs else ".")
        path = os.path.join(self.release, folder, "%s_%s.params.csv" % (self.request["job"], number))
        with open(os.path.join(self.release, self.entry["params"]), encoding="utf-8", newline="") as stream:
            write(path, stream.read())
        return path

    def _see_partition(self, number: str) -> None:
        """Warn where the job's partition is closed: Slurm takes it all the same, and lets it wait."""
        name = run(["squeue", "--noheader", "-j", number, "-o", "%P"])[1].split()
        states = run(["sinfo", "--noheader", "-p", name[0], "-o", "%a"])[1].split() if name else []
        if states and "up" not in states:
            self.warnings.append("waits: partition %s is closed for now (%s)" % (name[0], states[0]))

    def _mail(self, number: str) -> str:
        """Submit the small job that mails when this one has ended, however it did; its number."""
        script = self.entry.get("mail_script")
        if not script:
            return ""
        if not hasattr(self, "start"):
            self._start()
        options = ["--parsable", "--chdir=" + self.release, "--dependency=afterany:" + number, *self.granted]
        code, out, err = self._sbatch([*options, str(script), number])
        found = re.findall(r"^(\d+)", out, re.MULTILINE)
        if code or not found:
            raise ValueError("no mail will tell of its end: " + (err.strip().splitlines() or ["sbatch failed"])[-1])
        return str(found[-1])


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: What the laptop asks for.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the connection may break: what is begun is ended
    try:
        Submission(request).go()
    except SubmissionAnswer as answer:
        told = answer.told
    except OSError as error:
        told = {"state": "broken", "said": str(error)}
    frame.tell(json.dumps(told))
