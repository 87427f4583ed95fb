"""What running jobs use: sstat's and a look's answers read, which tasks are asked about, and what is said of them."""

import dataclasses
from types import SimpleNamespace

import pytest

from rookery.jobs.monitor import live_use as words
from rookery.jobs.monitor.accounting import JobRun, SlurmSnapshot
from rookery.remote.slurm import gpus, jobs, live_use
from rookery.remote.slurm.live_use import LiveUse, RunningTask, Use

# as a miniature's sstat answered, of Slurm 22.05
SSTAT = """\
3.batch|1|207372K|cpu=00:00:04,energy=0,fs/disk=54446,mem=207372K,pages=2,vmem=215108K
5.batch|1|207128K|cpu=00:00:04,energy=0,fs/disk=54446,mem=12104K,pages=0,vmem=215108K
5.batch|1|207128K|cpu=00:00:04,energy=0,fs/disk=54446,mem=12104K,pages=0,vmem=215108K
"""
H200 = ["0, GPU-0a, 40, 1024, 143771", "1, GPU-1b, [N/A], 2048, 143771"]


def running(number: str, job: int, task: int = 0, **values: object) -> RunningTask:
    return RunningTask(number, job, task, nodes=1, has_gpus=False, elapsed=100, asked=0)._replace(**values)


def queue(*tasks: RunningTask) -> str:
    """squeue's lines, of fields with a fixed width."""
    widths, rows = (20, 20, 20, 20, 20, 200, 200), []
    for task in tasks:
        asked = "gres:gpu:2" if task.has_gpus else "N/A"
        cells = (
            task.number,
            task.job,
            task.task or "N/A",
            task.nodes,
            f"{task.elapsed // 60}:{task.elapsed % 60:02}",
            asked,
            "cpu=2,mem=300M",
        )
        rows.append("".join(str(cell).ljust(width) for cell, width in zip(cells, widths, strict=True)))
    return "\n".join(rows)


def test_the_most_so_far_is_told_from_what_is_used_now_and_each_step_counts_once() -> None:
    uses = live_use.read_sstat(SSTAT, {"3": 1, "5": 1})
    assert {number: (use.memory, use.peak, use.cpu) for number, use in uses.items()} == {
        "3": (207372, 207372, 4),
        "5": (12104, 207128, 4),
    }
    assert not live_use.read_sstat(SSTAT, {"7": 1})


def test_steps_that_run_at_once_add_up_and_several_nodes_share() -> None:
    lines = "3.batch|1|1000K|cpu=00:00:01,mem=1000K\n3.0|8|4000K|cpu=1-00:00:00,mem=16000K\n3.extern|1||\n"
    use = live_use.read_sstat(lines, {"3": 4})["3"]
    assert (use.memory, use.peak, use.cpu) == (1000 + 4000, 8000, 86401)


@pytest.mark.parametrize("text", ["", "3.batch|1||", "3.batch|1|0|mem=0", "sstat: error", "3.batch|x|y|mem=?,cpu=z"])
def test_what_was_not_measured_is_not_known(text: str) -> None:
    assert not live_use.read_sstat(text, {"3": 1})


def test_the_tasks_that_run_are_read() -> None:
    task = running("11", 10, 2, has_gpus=True, elapsed=41, asked=300 * 1024)
    assert live_use.read_running(queue(task, running("12", 12, elapsed=7, asked=300 * 1024))) == [
        task,
        running("12", 12, elapsed=7, asked=300 * 1024),
    ]
    assert not live_use.read_running("slurm_load_jobs error: nothing\n\n")


def test_gpus_of_the_job_alone_count() -> None:
    assert gpus.of_nvidia(H200, "") == [gpus.Gpu(40, 1 << 20, 143771 << 10), gpus.Gpu(None, 2 << 20, 143771 << 10)]
    assert gpus.of_nvidia(H200, "1") == gpus.of_nvidia(H200, "GPU-1b") == gpus.of_nvidia(H200[1:], "")
    assert not gpus.of_nvidia(["No devices were found", ""], "")
    card = '{"GPU use (%)": "93", "VRAM Total Memory (B)": "68702699520", "VRAM Total Used Memory (B)": "1048576"}'
    rocm = f'{{"card0": {card}, "card1": {card}, "system": {{"Driver version": "6"}}}}'
    assert gpus.of_rocm(rocm, "1") == [gpus.Gpu(93, 1024, 67092480)]
    assert len(gpus.of_rocm(rocm, "")) == 2
    assert not gpus.of_rocm("ERROR", "")
    assert not gpus.of_rocm('["card0"]', "")


class Cluster:
    """squeue, sstat and srun, and how often each was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tasks: list[RunningTask], sstat: tuple[str, str]) -> None:
        self.tasks, self.sstat, self.asked = tasks, sstat, [""]
        self.asked.clear()
        monkeypatch.setattr(live_use, "slurm", self.slurm)
        monkeypatch.setattr(live_use, "look_inside", self.look)

    def slurm(self, argv: list[str], patience: float) -> tuple[str, str]:
        assert patience == live_use.PATIENCE
        self.asked.append(argv[0])
        return (queue(*self.tasks), "") if argv[0] == "squeue" else self.sstat

    def look(self, task: RunningTask) -> Use:
        self.asked.append(f"look {task.number}")
        use = Use(5000, 50.0)
        use.gpus = gpus.of_nvidia(H200, "")
        return use


def test_where_sstat_tells_nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, live = Cluster(monkeypatch, [running("3", 3)], (SSTAT, "")), LiveUse()
    live.measure("1000", "3")
    assert (cluster.asked, live.problem) == (["squeue", "sstat"], "")


def test_where_sstat_is_forbidden_few_named_jobs_are_looked_into_and_not_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = [running(str(number), number, elapsed=90 - number) for number in range(3, 13)]
    cluster, live = Cluster(monkeypatch, tasks, ("", "Access denied")), LiveUse()
    live.measure("1000", "3,4")
    assert cluster.asked == ["squeue", "sstat", "look 3", "look 4", "look 5"]
    assert (len(live.measured), live.problem) == (live_use.LOOKS, "")
    cluster.asked.clear()
    live.measure("1000", "3,4")
    assert cluster.asked == ["squeue", "sstat"]
    assert len(live.measured) == live_use.LOOKS


@pytest.mark.parametrize(("elapsed", "looks"), [(5, []), (60, ["look 3"])])
def test_a_task_is_looked_into_only_once_sstat_should_know_it(
    monkeypatch: pytest.MonkeyPatch, elapsed: int, looks: list[str]
) -> None:
    cluster, live = Cluster(monkeypatch, [running("3", 3, elapsed=elapsed)], ("3.batch|0||", "")), LiveUse()
    live.measure("1000", "3")
    assert (cluster.asked[2:], live.problem) == (looks, "")
    live.measure("1000", "")
    assert live.problem == "sstat measures nothing here" * bool(looks)


def test_no_job_is_looked_into_that_was_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, live = Cluster(monkeypatch, [running("3", 3, has_gpus=True)], ("", "Access denied")), LiveUse()
    live.measure("1000", "")
    assert (cluster.asked, live.problem, live.measured) == (["squeue", "sstat"], "Access denied", [])


def test_of_many_tasks_none_are_asked_about_unless_their_job_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [running(str(number), 3, number, elapsed=number) for number in range(1, 10_001)]
    cluster, live = Cluster(monkeypatch, many, ("", "")), LiveUse()
    live.measure("1000", "")
    assert (cluster.asked, live.problem) == (["squeue"], "")
    cluster.asked.clear()
    live.measure("1000", "3")
    assert len([what for what in cluster.asked if what.startswith("look")]) == live_use.LOOKS


@pytest.mark.parametrize(("memory", "looks"), [("12104K", ["look 3"]), ("290000K", [])])
def test_a_gpu_job_is_looked_into_unless_its_memory_is_almost_full(
    monkeypatch: pytest.MonkeyPatch, memory: str, looks: list[str]
) -> None:
    answer = (f"3.batch|1|{memory}|cpu=00:00:04,mem={memory}", "")
    cluster, live = Cluster(monkeypatch, [running("3", 3, has_gpus=True)], answer), LiveUse()
    live.measure("1000", "3")
    assert cluster.asked[2:] == looks
    assert len(live.measured[0][1].gpus) == 2 * len(looks)


def test_what_was_measured_is_in_the_entry_of_its_job() -> None:
    job = jobs.SlurmJob(4)
    job.is_array = True
    for number in (1, 2, 3):
        job.tasks[number] = jobs.SlurmTask("RUNNING" if number < 3 else "COMPLETED")
        job.tasks[number].cpu, job.tasks[number].elapsed = 10.0, 100 * number
    live = LiveUse()
    first, second = Use(100, 190.0), Use(300, 90.0)
    second.peak, second.gpus = 900, gpus.of_nvidia(H200, "")
    live.measured = [(running("5", 4, 1), first), (running("6", 4, 2), second), (running("4", 4, 3), Use(999, 1.0))]
    live.add_to({4: job}, {})
    entry = job.entry()
    assert {key: entry[key] for key in jobs.UNMEASURED} == {
        "measured_now": 2, "memory_now": 300, "memory_now_task": 2, "cores_now": 1.5, "gpus_now": 2, "gpu_now": 40.0,
        "gpu_memory_now": 2 << 20, "gpu_memory_given": 143771 << 10,
    }  # fmt: skip
    assert (entry["memory_peak"], entry["memory_peak_task"], entry["running_longest"]) == (900, 2, 200)


RUN = JobRun(
    41, limit="3600", counts={"RUNNING": 1}, cpus=2, elapsed=600, running_longest=600, memory_asked=1 << 20,
    memory_peak=700 << 10, measured_now=1, memory_now=600 << 10, cores_now=0.94,
)  # fmt: skip


def changed(**values: object) -> JobRun:
    return dataclasses.replace(RUN, **values)  # type: ignore[arg-type]


def test_what_is_used_is_said_against_what_was_asked_for() -> None:
    assert words.figures(RUN) == "uses 600M of 1.0G memory (at most 700M so far), 0.9 of 2 cores on average"
    of_an_array = changed(memory_now_task=7, measured_now=3, memory_peak=0, cores_now=0)
    assert words.figures(of_an_array) == "uses 600M of 1.0G memory by task 7, the largest of 3"
    with_gpus = changed(gpus_now=2, gpu_now=45.0, gpu_memory_now=12 << 20, gpu_memory_given=80 << 20, memory_peak=0)
    assert words.figures(with_gpus).endswith(", 2 GPUs 45 % busy, 12.0G of 80.0G GPU memory")
    assert not words.figures(changed(measured_now=0))


@pytest.mark.parametrize(
    ("values", "short"),
    [
        ({}, []),
        ({"memory_now": 943 << 10}, ["memory"]),
        ({"memory_now": 943 << 10, "memory_asked": 0}, []),
        ({"running_longest": 3240}, ["time"]),
        ({"running_longest": 3240, "limit": "UNLIMITED"}, []),
        ({"running_longest": 3240, "counts": {"TIMEOUT": 1}}, []),
    ],
)
def test_a_job_is_warned_of_before_it_runs_out(values: dict[str, object], short: list[str]) -> None:
    run = changed(**values)
    assert words.short_of(run) == short
    assert len(list(words.warnings(run))) == len(short)


def test_a_warning_says_what_can_be_done() -> None:
    [memory] = words.warnings(changed(memory_now=1000 << 10))
    assert memory.startswith("uses 1.0G of its 1.0G memory. It is killed when it needs more")
    assert memory.endswith("request 2G next time")
    [time] = words.warnings(changed(running_longest=3480))
    assert "Slurm ends it at its limit of 1:00:00, in 2:00" in time


def watched(*megabytes: int, task: int | None = None) -> tuple[words.Growth, JobRun]:
    growth = words.Growth()
    for number, value in enumerate(megabytes):
        run = changed(memory_now=value << 10, memory_now_task=task)
        growth.add(SlurmSnapshot(30 * number, 1000, (run,)))
    return growth, run


def test_memory_that_grows_without_a_pause_is_told_of_early_and_nothing_else_is() -> None:
    growth, run = watched(400, 500, 600)
    assert growth.seconds_left(run) == 127
    assert "and grows: at this rate it runs out in 2:07" in next(words.warnings(run, growth))
    for values in ((400, 600), (600, 900, 700), (600, 600, 600), (600, 610, 620), (200, 300, 400)):
        assert watched(*values)[0].seconds_left(watched(*values)[1]) is None
    slow, late = watched(500, 530, 560)
    assert slow.seconds_left(late) == 464
    assert not list(words.warnings(changed(memory_now=560 << 10, running_longest=3200), slow))


def test_who_does_not_tell_is_named_with_what_does() -> None:
    target = SimpleNamespace(cluster=SimpleNamespace(name="hec"), next=lambda command: f"{command} --sandbox")
    snapshot = SlurmSnapshot(0, 1000, (), live="Access denied")
    [line] = words.gap(snapshot, target, named=False)  # type: ignore[arg-type]
    assert line.startswith("hec does not tell what running jobs use (Access denied). `")
    assert "jobs NUMBER --sandbox` looks inside a job" in line
    assert [*words.gap(snapshot, target, named=True)] == [line.partition(" `")[0]]  # type: ignore[arg-type]
    assert not [*words.gap(SlurmSnapshot(0, 1000, ()), target, named=False)]  # type: ignore[arg-type]
