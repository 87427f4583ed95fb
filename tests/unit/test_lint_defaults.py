"""What a job gets that does not ask for memory or time: found where it computes, and where the profile knows."""

from dataclasses import replace
from typing import Any

import pytest
from linting import check
from projects import known

from rookery.jobs import lint
from rookery.jobs.lint import Finding

TCSH = """\
#!/bin/tcsh
#SBATCH --partition=serial
#SBATCH --time=01:00:00
source /etc/profile.d/modules.csh
module add R/4.3.1
set x = 1
foreach file ( data/*.csv )
    echo $file
    {command}
end
"""


def on(text: str, name: str, **data: Any) -> list[Finding]:
    """The findings on a cluster with other values in its profile."""
    cluster = known(name)
    return lint.check(text, replace(cluster, data={**cluster.data, **data}), path="job.sh", files=lambda _: None)


@pytest.mark.parametrize(
    ("command", "program"),
    [("Rscript work.R $file", "Rscript"), ("./model < $file", "model"), ("time ./model", "model"), ("echo x", "")],
)
def test_a_script_of_csh_that_requests_no_memory(command: str, program: str) -> None:
    text = TCSH.replace("{command}", command)
    found = check(text)
    why = f"No memory requested: the job gets 500 MB and is killed when {program} needs more."
    expected = [("RK309", "warning", 3, "#SBATCH --mem=1G", False, why)] if program else []
    assert [(f.code, f.severity, f.line, f.mended, f.safe, f.why) for f in found] == expected
    assert check(text.replace("#SBATCH --time", "#SBATCH --mem=1G\n#SBATCH --time")) == []
    assert check(text.replace("serial", "PenguinPartition"), "penguins") == []


@pytest.mark.parametrize(
    "command",
    [
        "cat > x <<EOF\n./model\nEOF",
        "# ./model",
        "setenv OMP_NUM_THREADS 4",
        'if ( -e x ) then\n    echo "x"\n    endif',
        "@ i = $i + 1",
        "label:",
    ],
)
def test_a_script_of_csh_that_computes_nothing(command: str) -> None:
    assert check(TCSH.replace("{command}", command)) == []


@pytest.mark.parametrize("interpreter", ["/usr/bin/env python3", "/usr/bin/Rscript", "/usr/bin/perl"])
def test_a_program_that_is_its_own_job_script(interpreter: str) -> None:
    text = f"#!{interpreter}\n#SBATCH -p serial\nx\n"
    assert [finding.code for finding in check(text)] == ["RK309"]
    assert check(text.replace("serial", "serial --mem=1G")) == []


JOB = "#!/bin/bash\n#SBATCH -p parallel\nsource /etc/profile\n./model\n"
WHOLE = {"cluster_limits": {"whole_node_memory": True}}


def test_no_memory_where_the_default_is_all_of_the_node_s() -> None:
    found = on(JOB, "hec", **WHOLE)
    assert [(f.code, f.severity, f.line, f.mended, f.safe) for f in found] == [
        ("RK318", "warning", 2, "#SBATCH --mem=1G", False)
    ]


@pytest.mark.parametrize(("default", "shown"), [(500, 1), (1000, 2), (1024, 2), (4016, 8)])
def test_the_memory_shown_is_more_than_the_default(default: int, shown: int) -> None:
    found = on(JOB, "hec", cluster_limits={"default_memory_mb": default})
    assert [(f.code, f.mended) for f in found] == [("RK309", f"#SBATCH --mem={shown}G")]


@pytest.mark.parametrize("option", ["--mem=2G", "--mem-per-cpu=2G", "--exclusive", "--mem=0"])
def test_memory_or_whole_nodes(option: str) -> None:
    assert on(JOB.replace("parallel", f"parallel {option}"), "hec", **WHOLE) == []


def test_a_partition_that_gives_whole_nodes_or_a_job_that_computes_nothing() -> None:
    entries = [{"name": "parallel", "exclusive": True}]
    assert on(JOB, "hec", **WHOLE, cluster_partitions=entries) == []
    assert on(JOB.replace("./model", "hostname"), "hec", **WHOLE) == []
    assert on(JOB, "hec", cluster_limits={}) == []


ENDLESS = {"cluster_limits": {}, "cluster_partitions": [{"name": "parallel", "no_time_limit": True}, {"name": "test"}]}


@pytest.mark.parametrize("options", ["-p parallel", ""])
def test_no_time_where_there_is_no_limit(options: str) -> None:
    text = JOB.replace("-p parallel", f"--mem=1G {options}")
    found = on(text, "hec", **ENDLESS)
    assert [(f.code, f.severity, f.line, f.mended, f.safe) for f in found] == [
        ("RK319", "warning", 2, "#SBATCH --time=01:00:00", False)
    ]
    assert on(text, "hec", cluster_limits={}) == []


@pytest.mark.parametrize("options", ["-p parallel -t 10", "-p test", "-p parallel,test", "-p parallel --deadline=now"])
def test_a_time_or_a_partition_that_sets_one(options: str) -> None:
    assert on(JOB.replace("-p parallel", options), "hec", **ENDLESS) == []


def test_lines_that_slurm_does_not_read_count_as_meant() -> None:
    text = JOB.replace("#SBATCH -p", "#SBATCH -p parallel\n#SBACTH --time=10\n#SBATCH -p")
    assert [finding.code for finding in on(text, "hec", **ENDLESS)] == ["RK202"]
