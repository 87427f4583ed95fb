"""The survey of a cluster, carried out by this machine's own shell with commands made for it on PATH."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from slurm_versions import VERSIONS, recorded

from rookery.clusters.survey import answer, slurm_answers, trials
from rookery.clusters.survey.answer import Survey
from rookery.core.errors import RookeryError

pytestmark = pytest.mark.skipif(
    any(Path(folder, "scontrol").exists() for folder in ("/usr/bin", "/usr/local/bin", "/bin")),
    reason="this machine's own Slurm would answer",
)

CONFIG = "ClusterName = here\nMaxArraySize = 1001\nDefMemPerNode = 500\nSLURM_VERSION = 22.05.8\n"
PARTITION = (
    "PartitionName=main AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL Default=YES DefaultTime=NONE MaxNodes=UNLIMITED "
    "MaxTime=1-00:00:00 MaxCPUsPerNode=UNLIMITED Nodes=n[1-2] State=UP TRES=cpu=8,mem=8G DefMemPerNode=UNLIMITED"
)
NODE = (
    "NodeName=n{} Arch=x86_64 CPUTot=4 AvailableFeatures=(null) Gres=(null) OS=Linux 6.1 #1 SMP RealMemory=4000 "
    "State=IDLE Partitions=main Reason=it is fine"
)


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder on PATH with Slurm's commands of a small cluster."""
    folder = tmp_path / "bin"
    folder.mkdir()
    say(folder, "sinfo", "slurm 22.05.8")
    make(
        folder,
        "scontrol",
        f"""case "$*" in
        'show config') printf %s {shlex.quote(CONFIG)} ;;
        'show partition --oneliner') cat {tmp_path}/partitions ;;
        'show node --oneliner') cat {tmp_path}/nodes ;;
        esac""",
    )
    (tmp_path / "partitions").write_text(f"{PARTITION}\n")
    (tmp_path / "nodes").write_text("".join(f"{NODE.format(number)}\n" for number in (1, 2)))
    make(
        folder,
        "sacctmgr",
        "case \"$*\" in *assoc*) echo 'proj||normal,gpu|normal||' ;; *) echo 'normal||cpu=8,mem=8G' ;; esac",
    )
    make(folder, "sbatch", "echo 'sbatch: Job 1 to start' >&2")
    return folder


def make(folder: Path, name: str, script: str) -> None:
    """Put a command on PATH; sh runs the script."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def say(folder: Path, name: str, text: str) -> None:
    make(folder, name, f"printf '%s\\n' {shlex.quote(text)}")


def output(commands: Path, account: str = "", script: str | None = None) -> str:
    """What the survey prints; the internet that it asks for is a port on which nobody listens."""
    home = commands.parent / "home"
    home.mkdir(exist_ok=True)
    completed = subprocess.run(
        ["/bin/sh", "-c", script or answer.script(), "survey", account, "http://127.0.0.1:1/"],
        env={"HOME": str(home), "PATH": f"{commands}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert list(home.iterdir()) == []
    return completed.stdout


def ask(commands: Path, account: str = "") -> Survey:
    return answer.read(output(commands, account), "here")


def test_what_a_small_cluster_says(commands: Path) -> None:
    survey = ask(commands)
    site = slurm_answers.parse(survey)
    assert (site.version, site.problem) == ("22.05.8", "")
    assert [(partition.name, partition.is_default, partition.max_minutes) for partition in site.partitions] == [
        ("main", True, 1440)
    ]
    assert [(kind.count, kind.cores, kind.memory_mb, kind.gpus) for kind in site.nodes] == [(2, 4, 4000, {})]
    assert (site.accounts, site.qualities, site.default_qos) == (("proj",), ("normal", "gpu"), "normal")
    assert {name for name, trial in site.trials.items() if trial.accepted} == {
        "plain",
        "in:main",
        "array",
        "array:mail",
    }
    assert survey.one("architecture") == os.uname().machine
    assert survey.one("internet") == "no"
    assert "HOME" in [line.split()[0] for line in survey.all("place")]


def test_banners_colours_and_other_noise_are_passed_over(commands: Path) -> None:
    folder = commands
    say(folder, "sinfo", "\x1b[31mWelcome!\x1b[0m\nslurm 24.11.5")
    config = f"\x1b[1mClusterName\x1b[0m = here\n{CONFIG}*** maintenance on Tuesday ***"
    make(folder, "scontrol", (folder / "scontrol").read_text().replace(shlex.quote(CONFIG), shlex.quote(config)))
    partitions = folder.parent / "partitions"
    partitions.write_text(f"\x1b[32mrookery-survey complete yes\x1b[0m\n{partitions.read_text()}\x1b[0m\n\n")
    site = slurm_answers.parse(ask(folder))
    assert site.version == "24.11.5"
    assert [partition.name for partition in site.partitions] == ["main"]


def test_thousands_of_nodes_come_as_their_few_kinds(commands: Path) -> None:
    lines = [NODE.format(number).replace("CPUTot=4", f"CPUTot={4 << number % 3}") for number in range(9000)]
    (commands.parent / "nodes").write_text("\n".join(lines) + "\n")
    text = output(commands)
    assert len(text) < 20_000
    site = slurm_answers.parse(answer.read(text, "here"))
    assert sorted((kind.cores, kind.count) for kind in site.nodes) == [(4, 3000), (8, 3000), (16, 3000)]


def test_thousands_of_partitions_end_at_a_bound_that_is_said(commands: Path) -> None:
    lines = [PARTITION.replace("=main", f"=p{number}") for number in range(5000)]
    (commands.parent / "partitions").write_text("\n".join(lines) + "\n")
    survey = ask(commands)
    assert len(survey.all("partition")) == 1000
    assert survey.left_out == {"partition": 4000}
    assert len(survey.all("trial")) <= 60


def test_a_controller_that_is_down_is_said(commands: Path) -> None:
    make(commands, "scontrol", "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller' >&2; exit 1")
    site = slurm_answers.parse(ask(commands))
    assert "Unable to contact slurm controller" in site.problem
    assert not site.trials


def test_a_controller_that_never_answers_is_given_up(commands: Path) -> None:
    if not shutil.which("timeout"):
        pytest.skip("there is no timeout command")
    make(commands, "scontrol", "exec tail -f /dev/null")
    script = answer.script().replace("timeout 10", "timeout 1")
    site = slurm_answers.parse(answer.read(output(commands, script=script), "here"))
    assert "no answer" in site.problem


def test_without_slurm_nothing_is_said_of_it(commands: Path) -> None:
    (commands / "sbatch").unlink()
    survey = ask(commands)
    assert survey.all("slurm") == ()
    assert survey.all("trial") == ()


@pytest.mark.parametrize("script", ["", "echo 'sacctmgr: error: Access denied' >&2; exit 1"])
def test_accounts_that_can_t_be_asked_for_are_a_gap_and_no_end(commands: Path, script: str) -> None:
    if script:
        make(commands, "sacctmgr", script)
    else:
        (commands / "sacctmgr").unlink()
    site = slurm_answers.parse(ask(commands))
    assert site.accounts == ()
    assert re.search(r"Access denied|not found", site.accounts_problem)
    assert site.trials["plain"].accepted


REFUSES = """
case "$*" in
{cases}
*) echo 'sbatch: error: refused' >&2; exit 1 ;;
esac
echo 'sbatch: Job 1 to start' >&2
"""


def accepts(folder: Path, *patterns: str) -> None:
    """Have sbatch accept command lines that match one of these patterns of sh, and no others."""
    make(folder, "sbatch", REFUSES.format(cases="".join(f"*{pattern}*) ;;\n" for pattern in patterns)))


@pytest.mark.parametrize(
    ("pattern", "given", "tried"),
    [
        ("--account=proj' '", "", "account:proj"),
        ("--account=mine' '", "mine", "account:mine"),
        ("--time=1' '--partition=main' '", "", "partition:main"),
        ("--account=proj' '--partition=main' '", "", "partition:main:account"),
        ("--qos=gpu", "", "qos:gpu"),
    ],
)
def test_what_every_job_needs_is_tried(commands: Path, pattern: str, given: str, tried: str) -> None:
    accepts(commands, pattern)
    found = slurm_answers.parse(ask(commands, given)).trials
    assert not found["plain"].accepted
    assert found[tried].accepted


def test_a_qos_that_one_partition_insists_on_is_tried(commands: Path) -> None:
    make(
        commands,
        "sbatch",
        'case "$*" in *=other*) case "$*" in *--qos=gpu*) ;; *) echo "error: Invalid qos" >&2; exit 1 ;; esac ;; esac',
    )
    (commands.parent / "partitions").write_text(f"{PARTITION}\n{PARTITION.replace('=main', '=other')}\n")
    tried = slurm_answers.parse(ask(commands)).trials
    assert not tried["in:other"].accepted
    assert tried["in:other:qos:gpu"].accepted


def test_an_account_that_one_partition_insists_on_is_tried(commands: Path) -> None:
    make(commands, "sacctmgr", "case \"$*\" in *assoc*) printf '%s||||\\n' cpu\\| gpu\\| ;; esac")
    make(
        commands,
        "sbatch",
        """case "$*" in
        *=other*--account=gpu*gres*) ;;
        *=other*) echo 'error: Invalid account' >&2; exit 1 ;;
        *--account=cpu*) ;;
        *) echo 'error: no account' >&2; exit 1 ;;
        esac""",
    )
    with_gpus = PARTITION.replace("=main", "=other").replace("mem=8G", "mem=8G,gres/gpu=4")
    (commands.parent / "partitions").write_text(f"{PARTITION}\n{with_gpus}\n")
    site = slurm_answers.parse(ask(commands))
    assert trials.base_account(site) == "cpu"
    assert trials.way_in(site, "other") == "account:gpu:gres"
    assert site.trials["array"].accepted


def test_what_is_refused_for_want_of_nodes_is_right_all_the_same(commands: Path) -> None:
    make(commands, "sbatch", "echo 'allocation failure: Requested node configuration is not available' >&2; exit 1")
    tried = slurm_answers.parse(ask(commands)).trials
    assert all(trial.accepted for trial in tried.values())
    assert "account:proj" not in tried


def test_names_that_are_shell_code_stay_names(commands: Path) -> None:
    """Nothing that Slurm says is evaluated, and what can't be an argument of sbatch is not tried."""
    trap = commands.parent / "trap"
    hostile = [f"$(touch${{IFS}}{trap})", "`id`", "a;b", "--wrap=x", "{{1}}", "yes", "%s%n", "*"]
    lines = [PARTITION.replace("=main", f"={name}") for name in hostile]
    (commands.parent / "partitions").write_text("\n".join(lines) + "\n")
    make(commands, "sacctmgr", f"printf '%s||%s|normal||\\n' '$(touch${{IFS}}{trap})' '$(touch${{IFS}}{trap})'")
    site = slurm_answers.parse(ask(commands))
    assert not trap.exists()
    assert [partition.name for partition in site.partitions] == ["yes"]
    assert set(site.unusable) == set(hostile) - {"yes"}
    assert [name for name in site.trials if name.startswith("in:")] == ["in:yes"]


def test_an_answer_that_is_cut_off_is_refused(commands: Path) -> None:
    whole = output(commands)
    for length in (0, len(whole) // 2, len(whole) - 5):
        with pytest.raises(RookeryError, match="incomplete"):
            answer.read(whole[:length], "here")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_each_version_of_slurm_says_of_a_cluster(commands: Path, version: str) -> None:
    recorded_answers = recorded(version)
    for name in ("partitions", "nodes"):
        (commands.parent / name).write_text(recorded_answers[name])
    say(commands, "sinfo", recorded_answers["sinfo-version"].strip())
    text = (commands / "scontrol").read_text()
    make(commands, "scontrol", text.replace(shlex.quote(CONFIG), shlex.quote(recorded_answers["config"])))
    site = slurm_answers.parse(ask(commands))
    assert site.version.startswith(f"{version}.")
    assert site.config["MaxArraySize"] == "100001"
    assert site.config["ClusterName"] == "hec"
    partitions = {partition.name: partition for partition in site.partitions}
    assert partitions["parallel"].is_default
    assert (partitions["parallel"].max_minutes, partitions["gpu-short"].max_minutes) == (None, 720)
    assert {kind.cores: kind.count for kind in site.nodes if not kind.gpus} == {16: 2, 40: 2, 64: 2, 128: 2}
    assert {"tesla_v100-pcie-32gb": 3} in [kind.gpus for kind in site.nodes]
    assert site.unusable == ()
