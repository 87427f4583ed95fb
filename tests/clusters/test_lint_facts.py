"""What lint says of jobs that Slurm accepts is what happens to them: numbers of arrays, mail, arguments, cores."""

import re

import pytest
from live import Live
from projects import known

from rookery.jobs import lint

pytestmark = pytest.mark.cluster

NOTE = """
import multiprocessing, os
print([os.environ.get(name) for name in ("TASK_ID", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASKID", "SLURM_JOB_NAME")])
print(multiprocessing.Pool()._processes == os.cpu_count())
"""
SCRIPTS = {
    "array": (
        "#SBATCH --array=1-2 --output=array_%a.out\nTASK_ID=$SLURM_ARRAY_TASK_ID\npython3 note.py\n",
        ["RK405"],
    ),
    "exported": (
        "#SBATCH --array=1-2 --output=exported_%a.out\nexport TASK_ID=$SLURM_ARRAY_TASK_ID\npython3 note.py\n",
        [],
    ),
    "single": ("#SBATCH --output=single_%a.out\npython3 note.py\n", ["RK408"]),
    "name": ("#SBATCH --job-name=$1 --output=name.out\npython3 note.py\n", ["RK203"]),
    "mail": (
        "#SBATCH --mail-user=a.student@lancaster.ac.uk --output=mail.out\nscontrol show job $SLURM_JOB_ID\n",
        ["RK502"],
    ),
    "word": ("#SBATCH --array=1-2 --output=word_%a.out\nID=SLURM_ARRAY_TASK_ID\necho $ID\n", ["RK406"]),
}
"""Each script, and what lint says of it."""
BEGIN = "#!/bin/bash\n#SBATCH --partition=PenguinPartition --cpus-per-task=1\n"


@pytest.fixture(scope="module")
def outputs(penguins: Live) -> dict[str, list[str]]:
    """What the jobs printed, by the names of their logs."""
    steps = ["mkdir -p ~/facts && cd ~/facts", f"cat > note.py <<'END'{NOTE}END"]
    steps += [f"cat > {name}.sh <<'END'\n{BEGIN}{text}END" for name, (text, _) in SCRIPTS.items()]
    steps += [f"sbatch --wait --quiet {name}.sh given &" for name in SCRIPTS]
    penguins.run("\n".join([*steps, "wait"]))
    logs = penguins.run('cd ~/facts && for log in *.out; do echo "== $log"; cat $log; done')
    pieces = re.findall(r"(?ms)^== (\S+)\n(.*?)(?=^== |\Z)", logs)
    return {name: text.splitlines() for name, text in pieces}


@pytest.mark.parametrize("name", SCRIPTS)
def test_lint_finds_it(name: str) -> None:
    text, codes = SCRIPTS[name]
    files = {"note.py": NOTE.replace("SLURM_ARRAY_TASK", "OTHER")}.get
    findings = lint.check(BEGIN + text, known("penguins"), path="a.sh", files=files)
    assert [finding.code for finding in findings if finding.path == "a.sh"] == codes


def test_the_number_of_a_task_reaches_programs_only_if_it_is_given(outputs: dict[str, list[str]]) -> None:
    for task in ("1", "2"):
        assert outputs[f"array_{task}.out"][0] == f"[None, '{task}', None, 'array.sh']"
        assert outputs[f"exported_{task}.out"][0] == f"['{task}', '{task}', None, 'exported.sh']"
        assert outputs[f"word_{task}.out"] == ["SLURM_ARRAY_TASK_ID"]


def test_without_an_array_there_is_no_number(outputs: dict[str, list[str]]) -> None:
    assert outputs["single_4294967294.out"][0] == "[None, None, None, 'single.sh']"


def test_arguments_are_for_the_script_alone(outputs: dict[str, list[str]]) -> None:
    assert outputs["name.out"][0] == "[None, None, None, '$1']"


def test_an_address_alone_is_no_mail(outputs: dict[str, list[str]]) -> None:
    assert "JobName=mail.sh" in outputs["mail.out"][0]
    assert not any("MailType" in line or "MailUser" in line for line in outputs["mail.out"])


def test_pool_counts_the_machine(outputs: dict[str, list[str]]) -> None:
    assert outputs["single_4294967294.out"][1] == "True"
