"""Submit a job from the release that is deployed, and write its record at once.

From sbatch's answer to the record, a broken connection changes nothing: the program goes on to its end. A token that
the laptop keeps until it has the answer tells a submission that was carried out from one that never arrived.
"""

import contextlib
import fcntl
import json
import os
import re
import signal
import time
from typing import Any, Dict, List, NoReturn, Tuple

from rookery.remote import frame
from rookery.remote.slurm import new_record, part_jobs, parts, unrecorded, variables
from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import login, read, record, run, sbatch, write
from rookery.remote.slurm.deployed_script import DeployedScript
from rookery.remote.slurm.earlier_runs import EarlierRuns
from rookery.remote.slurm.forms import whole

TAKES_RUN = 'run="${1:-'
"""The beginning of the line of a rendered script that takes the run's number (templates/sbatch/_base.sh.j2)."""


class Submission:
    """A submission of one job."""

    def __init__(self, request: Dict[str, Any]) -> None:
        """Read the script.

        Args:
            request: What the laptop asks for.

        Raises:
            Answer: There is none.
        """
        self.request = request
        home = os.path.expanduser("~")
        if not os.path.isfile(os.path.join(home, ".config", "rookery", "env.sh")):
            raise Answer("not-set-up")
        self.base = os.path.join(home, "projects", request["project"])
        self.script = DeployedScript(self.base, request["job"], request["path"])
        self.options: List[str] = []
        self.arguments: List[str] = []  # of the script
        self.granted: List[str] = []
        self.warnings: List[str] = []
        self.runs = EarlierRuns(self.base, self.warnings)

    def answer(self) -> Dict[str, Any]:
        """Submit, or answer why not."""
        try:
            self._go()
        except Answer as answer:
            return dict(answer.document, stamp=self.script.stamp)

    def _go(self) -> NoReturn:
        script, request = self.script, self.request
        self._intend()
        self._require_linted()
        self._require_inputs()
        if request["failed_of"]:
            chunk = script.entry.get("chunk") or 1
            self.runs.require_same_tasks(request["failed_of"], script.what, script.rows(), chunk)
            if TAKES_RUN in script.text:  # it names its results after the run that it completes
                self.arguments = [self.runs.completed_by(request["failed_of"])]
        after, waited = self.runs.dependencies([*request["after"], *(script.entry.get("after") or [])])
        self.options = ["--chdir=" + script.release]
        if request["array"]:
            self.options.append("--array=" + request["array"])
        self.options += request.get("fit") or []
        if waited:  # what waits for a job that has failed would otherwise wait for ever
            self.options += ["--dependency=" + self._awaited(waited), "--kill-on-invalid-dep=yes"]
        self._start()
        self.options += self.granted
        if request["test"]:
            code, out, err = self._sbatch(["--test-only", *self.options, script.path])
            said = (err + out).strip()
            expected = expected_start(said) if code == 0 else {}
            raise Answer("tested", ok=code == 0, said=said, warnings=self.warnings, **expected)
        self.warnings += new_record.make_log_folders(script, request["array"])
        made = new_record.build(script, request, self.options, after)  # whatever can fail about it, fails before
        number, message = self._submit(made)
        self._finish(made, number, message=message)

    def _awaited(self, waited: List[str]) -> str:
        """Return sbatch's dependency on the success of other jobs.

        Of a run whose parts are jobs, one has to succeed: those before it end with another exit status. Slurm can say
        that of one run alone ("?" between jobs means any of them, and can't be used with a comma), and of no array: its
        tasks may succeed in different parts.

        Raises:
            Answer: It can't be said.
        """
        known = parts.chains(self.base)
        chained = [number for number in waited if int(number) in known]
        if not chained:
            return "afterok:" + ":".join(waited)
        is_array = bool(record(self.runs.path(chained[0])).get("array"))
        if len(waited) > 1 or is_array or self.script.entry.get("parts"):
            raise Answer("after-parts", number=chained[0])
        return "?".join("afterok:" + job for job in parts.numbers_of(waited, known))

    def _require_linted(self) -> None:
        """Have the laptop check what it has not seen of the script, or of the commit that it is to tag."""
        script, request = self.script, self.request
        digest, base = script.digest, script.base_commit
        is_unknown = request["tag"] and request["base"] != base
        if request["digest"] != digest or is_unknown:
            raise Answer("look", script=script.text, path=script.path, digest=digest, base=base)

    def _require_inputs(self) -> None:
        """Have the user push data again that the release links to and that is not there."""
        inputs = sorted(self.script.stamp.get("inputs") or {})
        gone = [path for path in inputs if not os.path.exists(os.path.join(self.script.release, path))]
        if gone:
            raise Answer("no-input", jobs=gone)

    def _submit(self, made: Dict[str, Any]) -> Tuple[str, str]:
        """Call sbatch.

        Returns:
            The job's number, and what sbatch said besides.

        Raises:
            Answer: Slurm has refused it, or does not say.
        """
        since = int(time.time())
        count = whole(str(self.script.entry.get("parts")), 1)
        intended = {"since": since, "name": self.script.name, "record": made, "parts": count}
        write(self.intent, json.dumps(intended))
        code, out, err = self._sbatch(["--parsable", *self.options, self.script.path, *self.arguments])
        number = (re.findall(r"^(\d+)(?:;.*)?$", out, re.MULTILINE) or [""])[-1]
        if not number and "timed out" in err.lower():
            number = unrecorded.find(since, self.script.release, self.script.name, self.runs.has)
            if not number:  # Slurm may yet do it: what was intended stays written down
                raise Answer("unknown", said=err.strip())
        if not number:
            os.unlink(self.intent)
            raise Answer("refused", said=err.strip() or out.strip() or "exit status %d" % code)
        parts.forget(self.base, number, since)
        self._submit_parts(intended, number)
        return number, err.strip()

    def _submit_parts(self, intended: Dict[str, Any], number: str) -> None:
        """Submit the other jobs of a run whose parts are jobs, from where an earlier submission was cut off.

        Args:
            intended: What was written down before the first.
            number: The first.

        Raises:
            Answer: Slurm has refused one, and none is left; or it does not say.
        """
        count, made = whole(str(intended.get("parts")), 1), intended["record"]
        if count < 2:
            return
        write(self.intent, json.dumps(dict(intended, number=number)))
        if not hasattr(self, "start"):
            self._start()
        argument = self.runs.completed_by(str(made["failed_of"])) if made["failed_of"] else number
        try:
            part_jobs.submit(self.base, made, number, count, argument=argument, sbatch=self._sbatch)
        except Answer as answer:
            if answer.document["state"] == "refused":
                os.unlink(self.intent)
            raise

    def _start(self) -> None:
        """Find the environment that the job starts with, and warn of variables from start-up files."""
        self.start = login()
        self.granted = variables.granted(self.start.environment, self.script.directives)
        if self.granted:
            self.warnings.append("uses %s from your start-up files there" % " ".join(self.granted))
        left = variables.named(self.start.left)
        if left:
            self.warnings.append("ignores variables from your start-up files there: %s" % ", ".join(left))
        self._check_python_version()

    def _check_python_version(self) -> None:
        """Warn where the release's .python-version stops pyenv's python, which jobs without an environment call."""
        root = self.start.environment.get("PYENV_ROOT", "")
        if not root or (self.script.stamp.get("environment") or {}).get("python", "none") != "none":
            return
        try:
            with open(os.path.join(self.script.release, ".python-version"), encoding="utf-8") as stream:
                wanted = stream.read().split()
            versions = os.listdir(os.path.join(root, "versions"))
        except (OSError, ValueError):
            return
        for name in wanted[:1]:
            if name != "system" and not any(version == name or version.startswith(name + ".") for version in versions):
                have = ", ".join(sorted(versions)) or "none"
                self.warnings.append(
                    ".python-version requests Python %s, but pyenv there has only %s: `python` will not start in this "
                    "job; edit that file, or set environment: {python: uv}" % (name, have)
                )

    def _sbatch(self, arguments: List[str]) -> Tuple[int, str, str]:
        command = self.request["commands"].get(self.script.directives.get("partition"), ["sbatch"])
        return sbatch(command, arguments, self.script.release, self.start)

    def _intend(self) -> None:
        """Wait for another submission to end; find what an earlier one of ours did, and answer with it."""
        folder = os.path.join(self.base, "state", "submissions")
        os.makedirs(folder, exist_ok=True)
        os.makedirs(os.path.join(self.base, "runs"), exist_ok=True)
        self.intent = os.path.join(folder, self.request["token"])
        self.lock = open(os.path.join(folder, "lock"), "w")  # noqa: SIM115 held until the program ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        except OSError as error:
            self.warnings.append(
                "the file system of your home has no locks (%s): submit one job at a time" % error.strerror
            )
        if not self.request["again"]:
            return
        known = self.runs.find(self.request["token"], self.script.what)
        if known:
            raise Answer("already", record=known)
        intended = read(self.intent)
        made = intended.get("record")
        if not isinstance(made, dict) or made.get("job") != self.script.what:
            return
        release = str(made.get("release"))  # another one may be current by now
        since = whole(str(intended.get("since")))
        number = str(intended.get("number") or "")
        found = unrecorded.find(
            since, release, str(intended.get("name")), lambda job: job == number or self.runs.has(job)
        )
        if number and found:  # it is another part
            parts.save_chain(self.base, number, [*parts.numbers_of([number], parts.chains(self.base)), found])
        number = number or found
        if number:  # sbatch had done it, and the program was ended before it was written down
            self.script.move_to(release)
            self._submit_parts(intended, number)
            self._finish(made, number, state="already")

    def _finish(self, made: Dict[str, Any], number: str, state: str = "submitted", message: str = "") -> NoReturn:
        """Write the record and answer; a record that can't be written makes the job no less submitted.

        Raises:
            Answer: Always.
        """
        made["id"] = number
        path = self.runs.path(number)
        with contextlib.suppress(OSError):  # mostly there is none, unless the cluster counts from 1 again
            os.replace(path, path[: -len("json")] + "%d.json" % int(os.path.getmtime(path)))
        is_written = self._write(path, made)
        for key, step in (("table", self._table), ("mail_job", self._mail)):
            try:
                made[key] = step(number)
            except (OSError, ValueError) as error:
                self.warnings.append(str(error))
        with contextlib.suppress(OSError):
            self._check_partition(number)
        if is_written:
            self._write(path, made)
        raise Answer(state, record=made, said=message, warnings=self.warnings)

    def _write(self, path: str, made: Dict[str, Any]) -> bool:
        """Write the record, which the job is found by from then on; a full disk makes it no less submitted."""
        try:
            write(path, json.dumps(made, indent=2) + "\n")
            if os.path.exists(self.intent):
                os.unlink(self.intent)
        except OSError as error:
            self.warnings.append("can't write its record there (%s): the only copy is on this computer" % error)
            return False
        return True

    def _check_partition(self, number: str) -> None:
        """Warn where the job's partition is closed: Slurm takes it all the same, and lets it wait."""
        name = run(["squeue", "--noheader", "-j", number, "-o", "%P"])[1].split()
        if name and closed(name[0]):
            self.warnings.append("waits: " + closed(name[0]))

    def _table(self, number: str) -> str:
        """Write the table of parameters beside the results of the run that this job is, or completes; its path."""
        run_number = self.runs.completed_by(self.request["failed_of"] or number)
        return new_record.write_table(self.script, number, run_number)

    def _mail(self, number: str) -> str:
        """Submit the small job that mails when this one has ended, however it did; return its number."""
        script = self.script
        mail_script = script.entry.get("mail_script")
        if not mail_script:
            return ""
        if not hasattr(self, "start"):
            self._start()
        jobs = parts.numbers_of([number], parts.chains(self.base))
        options = ["--parsable", "--chdir=" + script.release, "--dependency=afterany:" + ":".join(jobs), *self.granted]
        code, out, err = sbatch(["sbatch"], [*options, str(mail_script), number], script.release, self.start)
        numbers = re.findall(r"^(\d+)", out, re.MULTILINE)
        if code or not numbers:
            raise ValueError("no mail will be sent at its end: " + (err.strip().splitlines() or ["sbatch failed"])[-1])
        return str(numbers[-1])


def closed(partition: str) -> str:
    """Return that a partition is closed at the moment; "" where it is open."""
    states = run(["sinfo", "--noheader", "-p", partition, "-o", "%a"])[1].split()
    return "partition %s is closed at the moment (%s)" % (partition, states[0]) if states and "up" not in states else ""


def expected_start(said: str) -> Dict[str, Any]:
    """Return in how many seconds a job could start, by what `sbatch --test-only` says; nothing where it gives no time.

    The time is in the cluster's time zone, and by its clock. Slurm gives one for a closed partition, too: that is told.
    """
    where = re.search(r"in partition ([^\s,]+)", said)
    start = re.search(r"to start at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", said)
    expected: Dict[str, Any] = {"closed": closed(where.group(1)) if where else ""}
    with contextlib.suppress(ValueError, OverflowError):
        if start:
            moment = time.mktime(time.strptime(start.group(1), "%Y-%m-%dT%H:%M:%S"))
            expected["wait"] = max(0, int(moment - time.time()))
    return expected


def main(request: Dict[str, Any]) -> None:
    """Answer one request.

    Args:
        request: What the laptop asks for.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the connection may break: the submission is finished all the same
    try:
        document = Submission(request).answer()
    except Answer as answer:
        document = answer.document
    except OSError as error:
        document = {"state": "broken", "said": str(error)}
    frame.tell(json.dumps(document))
