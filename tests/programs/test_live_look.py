"""The lines of sh that look inside a job, run where control groups are as Slurm makes them, or where there are none."""

import subprocess
import sys
from pathlib import Path

import pytest

from rookery.remote.slurm import live_use

CACHED = "inactive_file 1024000\n"
VERSION_2 = {
    "cgroup": "0::/system.slice/slurmstepd.scope/job_41/step_1/user/task_0\n",
    "system.slice/slurmstepd.scope/job_41/memory.current": "3072000\n",
    "system.slice/slurmstepd.scope/job_41/memory.stat": f"anon 1\n{CACHED}",
    "system.slice/slurmstepd.scope/job_41/cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
}
VERSION_1 = {
    "cgroup": "9:memory:/slurm/uid_1000/job_41/step_1\n4:cpu,cpuacct:/slurm/uid_1000/job_41/step_1/task_0\n0::/\n",
    "memory/slurm/uid_1000/job_41/memory.usage_in_bytes": "3072000\n",
    "memory/slurm/uid_1000/job_41/memory.stat": f"inactive_file 5\ntotal_{CACHED}",
    "cpuacct/slurm/uid_1000/job_41/cpuacct.usage": "2500000000\n",
}


def looked(folder: Path, files: dict[str, str], **environment: str) -> live_use.Use:
    """What a look answers, with these control groups in the place of this machine's."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script = live_use._LOOK.replace("/proc/self/cgroup", f"{folder}/cgroup").replace("/sys/fs/cgroup", str(folder))
    completed = subprocess.run(
        ["sh", "-c", script, "look", "gpus"],
        env={"PATH": f"{folder}/bin:/usr/bin:/bin", "SLURM_JOB_ID": "41", "ROOKERY_LOOK": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return live_use.read_look(completed.stdout, 1)


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["version 2", "version 1"])
def test_a_control_group_tells_without_what_is_only_cached(tmp_path: Path, files: dict[str, str]) -> None:
    use = looked(tmp_path, files)
    assert (use.memory, use.cpu) == (2000, 2.5)


def test_where_there_is_no_control_group_the_job_s_processes_are_added_up(tmp_path: Path) -> None:
    program = (
        "import sys\nx = bytearray(b'a' * 60_000_000)\nfor _ in range(10**6): pass\nprint(flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], env={"SLURM_JOB_ID": "41"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        use = looked(tmp_path, {"cgroup": "0::/\n"})
        other = looked(tmp_path, {"cgroup": "0::/\n"}, SLURM_JOB_ID="42")
        process.communicate()
    assert 60_000 < use.memory < 120_000
    assert 0 < use.cpu < 10
    assert (other.memory, other.cpu) == (0, 0)


def test_gpus_are_asked_as_their_tools_document_it(tmp_path: Path) -> None:
    smi = '#!/bin/sh\necho "$@" >>"${0%/*}/asked"\nprintf "0, GPU-a, 12, 1024, 2048\\n1, GPU-b, 34, 1, 2048\\n"\n'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvidia-smi").write_text(smi)
    (tmp_path / "bin/nvidia-smi").chmod(0o755)
    use = looked(tmp_path, VERSION_2, CUDA_VISIBLE_DEVICES="1")
    assert [gpu.busy for gpu in use.gpus] == [34]
    assert (tmp_path / "bin/asked").read_text() == (
        "--query-gpu=index,uuid,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits\n"
    )
