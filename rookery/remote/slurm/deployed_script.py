"""The script to submit, in the release that is deployed."""

import csv
import hashlib
import os
from typing import Any, Dict, List

from rookery.remote.slurm.answer import Answer
from rookery.remote.slurm.basics import directives, run, stamp


class DeployedScript:
    """A script in a release.

    Attributes:
        base: ~/projects/NAME.
        release: The release's own path, which stays the same when another is deployed.
        stamp: What that release is.
        entry: The job in it; empty for a script of the project's own.
        path: The script's, in the release.
        text: What it says.
        directives: What its #SBATCH lines say.
        name: What Slurm calls the job.
        what: What records call it: the job's name, or the script's path.
        base_commit: The release's commit in the user's own history: a snapshot's is the one below it.
    """

    def __init__(self, base: str, job: str, path: str) -> None:
        """Read the script and its release.

        Args:
            base: ~/projects/NAME.
            job: A job of the release; "" where it is a script of the project's own.
            path: That script's path; "" where it is a job.

        Raises:
            Answer: Nothing is deployed, or it has no such job or script.
        """
        self.base, self._job = base, job
        self.release = os.path.realpath(os.path.join(base, "current"))
        self.stamp = stamp(self.release)
        if not self.stamp:
            raise Answer("not-deployed")
        jobs = self.stamp.get("jobs") or {}
        if not path and job not in jobs:
            raise Answer("no-job", jobs=sorted(jobs), stamp=self.stamp)
        self.entry: Dict[str, Any] = {} if path else dict(jobs[job])
        self.path = str(self.entry.get("script") or path)
        self.what = job or self.path
        self.text = self._text()
        self.directives = directives(self.text)
        self.name = self.directives.get("job-name") or os.path.basename(self.path)
        self.base_commit = self._base_commit()

    def _text(self) -> str:
        path = os.path.realpath(os.path.join(self.release, self.path))
        if not path.startswith(self.release + "/") or not os.path.isfile(path):
            jobs = sorted(self.stamp.get("jobs") or {})
            raise Answer("no-script", script=self.path, jobs=jobs, stamp=self.stamp)
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8", "surrogateescape")

    @property
    def digest(self) -> str:
        """Digest of the text: the laptop has looked it over, or not yet."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def repository(self) -> str:
        """The project's git repository on the cluster."""
        return os.path.join(self.base, "repository.git")

    def _base_commit(self) -> str:
        commit = str(self.stamp.get("commit", ""))
        if not self.stamp.get("dirty"):
            return commit
        return run(["git", "--git-dir", self.repository, "rev-parse", "--quiet", "--verify", commit + "^"])[1].strip()

    def rows(self) -> List[Dict[str, Any]]:
        """Return the job's table of parameters."""
        path = self.entry.get("params")
        if not path:
            return []
        with open(os.path.join(self.release, path), newline="", encoding="utf-8") as stream:
            return [dict(row) for row in csv.DictReader(stream)]

    def move_to(self, release: str) -> None:
        """Take the same job of another release, as far as that is still there."""
        self.release, self.stamp = release, stamp(release) or self.stamp
        self.entry = dict((self.stamp.get("jobs") or {}).get(self._job) or {})
