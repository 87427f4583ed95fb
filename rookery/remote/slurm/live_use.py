"""Sent to a cluster: measure what running jobs use, by sstat or by a look inside the job.

sstat asks the daemons of the user's own steps; sites may forbid it, and it has nothing where Slurm gathers nothing
(slurm.conf's JobAcctGatherType). Then srun starts a few lines of sh inside the job, as one more step of it. That costs
the controller a step, so it is done for jobs alone that the user names, and for few of them.
"""

import re
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from rookery.remote.slurm import gpus
from rookery.remote.slurm.basics import cut, run, slurm
from rookery.remote.slurm.forms import NUMBER, kilobytes, seconds, whole
from rookery.remote.slurm.jobs import SlurmJob

FEW, NAMED = 20, 50
"""Running tasks up to which they are measured: of all jobs, and of those that the user names."""

LOOKS = 3
"""Running tasks that are looked into: each look is a step of the job."""

SETTLED = 60
"""Seconds after which Slurm has looked at a task (slurm.conf's JobAcctGatherFrequency: every 30 s, if not set)."""

AGAIN = 60
"""Seconds after which a task is looked into again."""

PATIENCE = 10
"""Seconds that sstat and srun are each given: nodes may not answer, and a user waits."""

ALMOST = 0.9
"""The part of its memory from which a job is not looked into: the step that looks would count to it."""

# fields of a fixed width: there is no separator that every version knows. Which GPUs a job asked for is in one of the
# last, by the option that it used
_QUEUE = (
    "JobID:20,ArrayJobID:20,ArrayTaskID:20,NumNodes:20,TimeUsed:20,"
    "tres-per-job:200,tres-per-node:200,tres-per-socket:200,tres-per-task:200,tres-alloc:200"
)
_WIDTH, _COLUMNS = 20, 5

_SSTAT = ["sstat", "--allsteps", "--noheader", "--parsable2", "--format", "JobID,NTasks,MaxRSS,TRESUsageInTot"]

# What the job's control group says (version 2, else 1), as far as Slurm made one for the job; else the sum over the
# user's processes that have the job's number. Files that are only cached can be given up at any time, so they are not
# counted. Memory is in kB, CPU in thousandths of a second.
_LOOK = r"""
group() { sed -n "s;^[0-9]*:$1:\(.*/job_$SLURM_JOB_ID\)\(/.*\)\{0,1\}\$;\1;p" /proc/self/cgroup | head -n 1; }
two=/sys/fs/cgroup$(group '')
memory=/sys/fs/cgroup/memory$(group 'memory')
cpu=/sys/fs/cgroup/cpuacct$(group '[a-z,]*cpuacct[a-z,]*')
cached() { sed -n "s/^$1 //p" "$2/memory.stat" 2>/dev/null | grep . || echo 0; }
if [ "$two" != /sys/fs/cgroup ] && [ -r "$two/memory.current" ] && [ -r "$two/cpu.stat" ]; then
  echo "memory $((($(cat "$two/memory.current") - $(cached inactive_file "$two")) / 1024))"
  echo "cpu $(($(sed -n 's/^usage_usec //p' "$two/cpu.stat") / 1000))"
elif [ "$memory" != /sys/fs/cgroup/memory ] && [ "$cpu" != /sys/fs/cgroup/cpuacct ] &&
  [ -r "$memory/memory.usage_in_bytes" ] && [ -r "$cpu/cpuacct.usage" ]; then
  echo "memory $((($(cat "$memory/memory.usage_in_bytes") - $(cached total_inactive_file "$memory")) / 1024))"
  echo "cpu $(($(cat "$cpu/cpuacct.usage") / 1000000))"
else
  grep -lzx "SLURM_JOB_ID=$SLURM_JOB_ID" /proc/[0-9]*/environ 2>/dev/null |
    xargs -r grep -Lzx ROOKERY_LOOK=1 2>/dev/null | sed 's/environ$/stat/' | xargs -r sed 's/.*) //' 2>/dev/null |
    awk -v page="$(getconf PAGESIZE)" -v ticks="$(getconf CLK_TCK)" '
      { pages += $22; used += $12 + $13 + $14 + $15 }
      END { printf "memory %d\ncpu %d\n", pages * page / 1024, used * 1000 / ticks }'
fi
[ "$1" = gpus ] || exit 0
echo "nvidia-visible ${CUDA_VISIBLE_DEVICES-}"
echo "rocm-visible ${ROCR_VISIBLE_DEVICES-}"
fields=index,uuid,utilization.gpu,memory.used,memory.total
command -v nvidia-smi >/dev/null 2>&1 &&
  timeout 8 nvidia-smi --query-gpu=$fields --format=csv,noheader,nounits 2>/dev/null | sed 's/^/nvidia /'
command -v rocm-smi >/dev/null 2>&1 &&
  echo "rocm $(timeout 8 rocm-smi --showuse --showmeminfo vram --json 2>/dev/null | tr -d '\n')"
exit 0
"""


class RunningTask(NamedTuple):
    """A task that runs.

    Attributes:
        number: Its own number, which no other task has.
        job: Number of the job, which is the array's.
        task: Its place in the array; 0 where it is none.
        nodes: How many nodes it has.
        has_gpus: Whether it has GPUs.
        elapsed: Seconds for which it has run.
        asked: Memory that it was given on a node, in kB; 0 for unknown.
    """

    number: str
    job: int
    task: int
    nodes: int
    has_gpus: bool
    elapsed: int
    asked: int


class Use:
    """What one task uses: memory on a node and the most so far (kB), seconds of CPU of its running steps, GPUs.

    `why` is set where a look inside failed.
    """

    __slots__ = ("cpu", "gpus", "memory", "peak", "why")

    def __init__(self, memory: int = 0, cpu: float = 0.0) -> None:
        self.memory = self.peak = memory
        self.cpu = cpu
        self.gpus: List[gpus.Gpu] = []
        self.why = ""


class LiveUse:
    """Measures of running tasks; one object goes on through all the answers of a watch."""

    def __init__(self) -> None:
        self.looked: Dict[str, Tuple[float, Use]] = {}
        self.measured: List[Tuple[RunningTask, Use]] = []
        self.problem = ""

    def measure(self, user: str, ids: str) -> None:
        """Ask which tasks run, and what they use.

        Args:
            user: The user's number.
            ids: Numbers of jobs, with commas; "" for all of the user's.
        """
        self.measured, self.problem = [], ""
        squeue = ["squeue", "--noheader", "--array", "-t", "RUNNING", "-u", user, "-O", _QUEUE]
        text, self.problem = slurm([*squeue, *(["-j", ids] if ids else [])], PATIENCE)
        tasks = read_running(text)
        if ids:
            tasks = sorted(tasks, key=lambda task: -task.elapsed)[:NAMED]
        elif len(tasks) > FEW:
            return
        if not tasks:
            return
        text, why = slurm([*_SSTAT, "--jobs", ",".join(task.number for task in tasks)], PATIENCE)
        uses = read_sstat(text, {task.number: task.nodes for task in tasks})
        if not why:  # it tells, and has not looked yet
            tasks = [task for task in tasks if task.number in uses or task.elapsed >= SETTLED]
        wanted = [task for task in tasks if ids and _is_to_look_into(task, uses.get(task.number))]
        reasons = [why or "sstat measures nothing here", *(self._look(task, uses) for task in wanted[:LOOKS])]
        if tasks and not uses:
            self.problem = cut("; ".join(dict.fromkeys(filter(None, reasons))))
        self.measured = [(task, uses[task.number]) for task in tasks if task.number in uses]

    def _look(self, task: RunningTask, uses: Dict[str, Use]) -> str:
        """Look inside a task, and add what was seen to what is known of it; return why that failed."""
        then, seen = self.looked.get(task.number, (0.0, None))
        if seen is None or time.time() - then > AGAIN:
            seen = look_inside(task)
            self.looked[task.number] = (time.time(), seen)
        if task.number in uses:
            uses[task.number].gpus = seen.gpus
        elif seen.memory:
            uses[task.number] = seen
        return seen.why

    def add_to(self, jobs: Dict[int, SlurmJob], run_of: Dict[int, int]) -> None:
        """Add the measures to the jobs that they are of.

        Args:
            jobs: The jobs, by number.
            run_of: The number of the run that a job is a part of.
        """
        for job in jobs.values():
            measured = [both for both in self.measured if run_of.get(both[0].job, both[0].job) == job.number]
            uses = [(task, use) for task, use in measured if task.task in job.tasks and job.tasks[task.task].is_active]
            if uses:
                job.live = _summary(job, uses)


def _is_to_look_into(task: RunningTask, use: Optional[Use]) -> bool:
    if use is None:
        return True
    return task.has_gpus and not (task.asked and use.memory > ALMOST * task.asked)


def read_running(text: str) -> List[RunningTask]:
    """Read squeue's lines of running tasks."""
    tasks = []
    for line in text.splitlines():
        cells = [line[place * _WIDTH : (place + 1) * _WIDTH].strip() for place in range(_COLUMNS)]
        number, job, task, nodes, elapsed = cells
        if not NUMBER.match(number) or not NUMBER.match(job):
            continue
        resources, count = line[_COLUMNS * _WIDTH :], max(whole(nodes), 1)
        memory = re.search(r"\bmem=([0-9.]+[KMGTP]?)", resources)
        asked = kilobytes(memory.group(1)) // count if memory else 0
        seconds_run = int(seconds(elapsed))
        tasks.append(RunningTask(number, int(job), whole(task), count, "gpu" in resources, seconds_run, asked))
    return tasks


def read_sstat(text: str, nodes: Dict[str, int]) -> Dict[str, Use]:
    """Read sstat's lines, one for each running step; return what each task uses, by its own number.

    MaxRSS is the most that one process tree of a step had so far; TRESUsageInTot is what all of them have now, and the
    CPU they took so far (seen on 22.05 and 24.11: memory that a program gives back leaves MaxRSS as it was).

    Args:
        text: The lines.
        nodes: How many nodes each task has, by its own number.
    """
    uses: Dict[str, Use] = {}
    # an array's number is also the number of one of its tasks, for which sstat tells of all of them once more
    for line in dict.fromkeys(text.splitlines()):
        parts = line.strip().split("|")
        number = parts[0].partition(".")[0].partition("+")[0]
        if len(parts) != 4 or number not in nodes:
            continue
        totals = dict(pair.partition("=")[::2] for pair in parts[3].split(","))
        processes = max(whole(parts[1], 1), 1)
        spread = min(processes, nodes[number])
        memory = kilobytes(totals.get("mem") or "0K") // spread
        if not memory:
            continue
        use = uses.setdefault(number, Use())
        use.memory += memory
        use.peak = max(use.peak, kilobytes(parts[2] or "0K") * -(-processes // spread), use.memory)
        use.cpu += seconds(totals.get("cpu", ""))
    return uses


def look_inside(task: RunningTask) -> Use:
    """Start a step inside a task that tells what all of it uses on its first node; nothing where that fails."""
    from rookery.remote.slurm.host import overlaps

    # without --overlap, a step whose GPUs another one holds would wait for that one's end
    overlap = ["--overlap"] if overlaps() else ["--immediate"]
    # a step without GPUs can't see them
    devices = [] if task.has_gpus else ["--gres=none"]
    one = ["--nodes=1", "--ntasks=1", "--cpus-per-task=1", "--mem=0", "--time=1", "--quiet"]
    argv = ["srun", "--jobid", task.number, *overlap, *one, *devices]
    what = "gpus" if task.has_gpus else "no-gpus"
    code, text, error = run([*argv, "env", "ROOKERY_LOOK=1", "sh", "-c", _LOOK, "look", what], PATIENCE)
    use = read_look(text, task.nodes)
    use.why = (error.strip().splitlines() or ["srun: exit status %d" % code])[-1] if code else ""
    return use


def read_look(text: str, nodes: int) -> Use:
    """Read what a look inside a task answered.

    Args:
        text: Its lines: a word, and a value.
        nodes: How many nodes the task has; of several, one was looked at, which says nothing of all cores.
    """
    pairs = [line.partition(" ")[::2] for line in text.splitlines()]
    told = dict(pairs)
    memory = min(whole(told.get("memory", "")), 10**15)
    use = Use(memory, whole(told.get("cpu", "")) / 1000 if nodes == 1 else 0.0)
    nvidia = [value for word, value in pairs if word == "nvidia"]
    use.gpus = gpus.of_nvidia(nvidia, told.get("nvidia-visible", ""))
    use.gpus += gpus.of_rocm(told.get("rocm", ""), told.get("rocm-visible", ""))
    return use


def _summary(job: SlurmJob, uses: Sequence[Tuple[RunningTask, Use]]) -> Dict[str, Any]:
    """Return what the entry of a job says of its running tasks; the most that one used goes to the task itself."""
    for running, use in uses:
        task = job.tasks[running.task]
        task.peak = min(max(task.peak, use.peak), 10**15)
    largest, most = max(uses, key=lambda pair: pair[1].memory)
    # what steps took that have ended is known to the accounts alone
    cores = [
        (use.cpu + job.tasks[running.task].cpu) / running.elapsed
        for running, use in uses
        if use.cpu and running.elapsed
    ]
    devices = [gpu for _, use in uses for gpu in use.gpus]
    busy = [gpu.busy for gpu in devices if gpu.busy is not None]
    fullest = max(devices, key=lambda gpu: gpu.used / max(gpu.total, 1)) if devices else gpus.Gpu(None, 0, 0)
    return {
        "measured_now": len(uses),
        "memory_now": most.memory,
        "memory_now_task": largest.task if job.is_array else None,
        "cores_now": round(sum(cores) / len(cores), 3) if cores else 0,
        "gpus_now": len(devices),
        "gpu_now": round(sum(busy) / len(busy), 1) if busy else None,
        "gpu_memory_now": fullest.used,
        "gpu_memory_given": fullest.total,
    }
