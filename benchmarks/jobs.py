"""Compare `rookery jobs` with `squeue -r` and `sacct`, over one open connection: 10,000 tasks ended, 10,000 waiting.

.venv/bin/python benchmarks/jobs.py [RUNS]

One task really runs; its lines in Slurm's database are then copied, so that sacct reads 10,000 of a kind.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import harness

from rookery.remote.slurm import ended_jobs

CLUSTER, TASKS = "hec", 10_000


class Root:
    """The miniature's administrator."""

    def __init__(self, sandbox: Path) -> None:
        self.inside = harness.inside(sandbox, CLUSTER)

    def run(self, *argv: str, input_text: str = "") -> str:
        """Run a command in the miniature as root."""
        completed = subprocess.run([*self.inside, *argv], input=input_text, capture_output=True, text=True, check=False)
        if completed.returncode:
            sys.exit(f"{argv} failed: {completed.stdout}{completed.stderr}")
        return completed.stdout

    def sql(self, text: str) -> str:
        """Ask Slurm's database."""
        return self.run("mysql", "-N", "slurm_acct_db", input_text=text)

    def allow_large_arrays(self) -> None:
        """Restart the controller with room for both arrays."""
        limits = f"s/^MaxArraySize=.*/MaxArraySize={2 * TASKS}\\nMaxJobCount={5 * TASKS}/"
        self.run("sed", "-i", limits, "/etc/slurm/slurm.conf")
        self.run("sh", "-c", "kill $(cat /run/slurm/slurmctld.pid); while pgrep -x slurmctld; do sleep 0.1; done")
        self.run("slurmctld")
        _until(lambda: "UP" in self.run("sh", "-c", "scontrol ping || true"))

    def multiply(self, job: str) -> None:
        """Make the only task of an array into all of them."""
        columns = {
            table: [line.split("\t")[0] for line in self.sql(f"show columns from {CLUSTER}_{table}_table").splitlines()]
            for table in ("job", "step")
        }
        task = {"job_db_inx": "10000000 + seq", "id_job": "5000000 + seq", "id_array_task": "seq"}
        step = {"job_db_inx": "10000000 + seq"}
        for table, changed in (("job", task), ("step", step)):
            values = ", ".join(changed.get(name, f"`{name}`") for name in columns[table])
            name = f"{CLUSTER}_{table}_table"
            only = f"job_db_inx = (select min(job_db_inx) from {CLUSTER}_job_table where id_array_job = {job})"  # noqa: S608
            create_one = f"create temporary table one as select * from {name} where {only}"  # noqa: S608
            insert_many = f"insert into {name} select {values} from one, seq_2_to_{TASKS}"  # noqa: S608
            self.sql(f"{create_one}; {insert_many};")
        earlier = "time_start = time_start - 300, time_end = time_end - 300"
        self.sql(f"update {CLUSTER}_job_table set {earlier} where id_array_job = {job}")  # noqa: S608


def _until(condition: object) -> None:
    end = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            sys.exit("waited in vain")
        time.sleep(0.2)


def prepare(laptop: harness.Laptop, root: Root) -> None:
    """Make one array that has ended and one that waits, of 10,000 tasks each."""
    ended = laptop.there("sbatch --parsable --array=1 -J ended -o /dev/null --wrap 'sleep 2'").strip()
    _until(lambda: "COMPLETED" in laptop.there(f"sacct -X -n -j {ended} -o State"))
    _until(lambda: f"{ended}_1.batch" in laptop.there(f"sacct -n -P -j {ended} -o JobID"))
    time.sleep(2)
    root.multiply(ended)
    laptop.there(f"sbatch --hold --array=1-{TASKS} -J waiting -o /dev/null --wrap true")
    jobs = json.loads(laptop.rookery("jobs", "--cluster", CLUSTER, "--json"))["jobs"]
    counts = {job["name"]: job["counts"] for job in jobs}
    if counts != {"ended": {"COMPLETED": TASKS}, "waiting": {"PENDING": TASKS}}:
        sys.exit(f"the miniature holds something else: {counts}")


def _forgetting(laptop: harness.Laptop) -> Callable[[], object]:
    """Return a run of `rookery jobs` as when the array has just ended, and nothing is remembered yet."""
    laptop.there("rm -f ~/.local/state/rookery/ended_jobs.json")
    return lambda: laptop.rookery("jobs", "--cluster", CLUSTER)


def _forgetting_one(laptop: harness.Laptop) -> Callable[[], object]:
    """Return a run of `rookery jobs` as when the array has just ended, where something is remembered of others."""
    kept = json.dumps({"version": ended_jobs.VERSION, "jobs": {}})
    laptop.there(f"printf %s '{kept}' >~/.local/state/rookery/ended_jobs.json")
    return lambda: laptop.rookery("jobs", "--cluster", CLUSTER)


def main() -> None:
    """Measure, and print the table."""
    runs = int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else 5
    rows = {}
    with harness.miniature(CLUSTER) as sandbox:
        root = Root(sandbox)
        root.allow_large_arrays()
        first = True
        for name, round_trip in harness.LINKS.items():
            with harness.laptop(sandbox, CLUSTER, round_trip) as laptop:
                if first:
                    prepare(laptop, root)
                first = False
                ways: dict[str, harness.Way] = {
                    # by itself, sacct begins at midnight
                    "squeue -r; sacct": lambda: lambda: laptop.there("squeue -r --me; sacct -S now-1hours"),
                    "squeue; sacct -X": lambda: lambda: laptop.there("squeue --me; sacct -X -S now-1hours"),
                    "rookery jobs, the first time": lambda: _forgetting(laptop),
                    "rookery jobs, one array is new": lambda: _forgetting_one(laptop),
                    "rookery jobs, later": lambda: lambda: laptop.rookery("jobs", "--cluster", CLUSTER),
                }
                rows[name] = harness.compare(ways, runs)
    print(harness.table(rows, "squeue -r; sacct"))
    harness.save(rows, sys.argv)


if __name__ == "__main__":
    main()
