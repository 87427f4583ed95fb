"""RK705: options and variables by which commands start more threads than the job has cores."""

import pytest
from linting import check, codes, fix

JOB = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G {options}
source /etc/profile
{body}
"""
CORES = "$SLURM_CPUS_PER_TASK"


@pytest.mark.parametrize(
    "line",
    [
        "export OMP_NUM_THREADS=16",
        "OMP_NUM_THREADS=16 ./simulate",
        "env MKL_NUM_THREADS=16 ./simulate",
        "export JULIA_NUM_THREADS=16",
        "make -j 16",
        "make -j16 all",
        "make --jobs=16",
        "time make -j 16",
        "cmake --build . -j 16",
        "julia -t 16 a.jl",
        "julia -p16 a.jl",
        "julia --threads=16 a.jl",
        "parallel -j 16 ./simulate ::: 1 2",
        "ls | xargs -P 16 -n 1 ./simulate",
        "samtools sort -@ 16 a.bam",
        "srun bwa mem -t 16 a b > 16.sam",
        "STAR --runThreadN 16",
        "T=16; bwa mem -t ${T} a; samtools sort -@ $T",
        'export "OMP_NUM_THREADS=16"',
        'make -j "16"',
        'make "-j16"',
        'bash -c "make -j 16"',
        "julia --project=. -t 16 a.jl",
        "parallel --joblog log -j 16 ./simulate ::: 1 2",
    ],
)
def test_more_threads_than_cores(line: str) -> None:
    text = JOB.format(options="-c 4", body=line)
    findings = check(text)
    mended = line.replace("16", CORES, 1)
    assert [(finding.code, finding.line, finding.mended, finding.safe) for finding in findings] == [
        ("RK705", 5, mended, False)
    ]
    assert "but the job requests 4 cores: they slow each other down" in findings[0].why
    assert fix(text) == text
    assert check(text.replace("16", "4")) == []
    assert check(text.replace(line, mended)) == []
    assert codes(text.replace("-c 4", "--exclusive")) == []


@pytest.mark.parametrize(
    "line",
    [
        "make -j",
        "julia -t auto a.jl",
        "parallel -j 16 wget {} ::: 1 2",  # these wait for others
        "parallel -j 16 srun -n1 ./simulate ::: 1",
        "xargs -P 16 curl -O < urls",
        "parallel -j 16 --sshloginfile nodes ./simulate ::: 1",
        "snakemake -j 100 --executor slurm",
        "bwa mem -p 16",
        "T=16; T=4; bwa mem -t $T",
        "for T in 16; do bwa mem -t $T; done",
        "read T; bwa mem -t $T",
        "T=16; T+=4; bwa mem -t $T",
        "./simulate -j 16",
        "echo make -j 16",
        "cat <<'E'\nmake -j 16\nE",
        "# make -j 16",
        "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK",
        "export MY_NUM_THREADS=16",
        "julia -t",
        "julia a.jl -p 16",  # a.jl's own option
        "parallel -j 1 ./simulate -P 16 {} ::: 1 2",
        "ls | xargs -n 1 ./simulate -P 16",
    ],
)
def test_commands_that_are_well(line: str) -> None:
    assert "RK705" not in codes(JOB.format(options="-c 4", body=line))


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("make -j '16'", f"make -j {CORES}"),
        ("export OMP_NUM_THREADS='16'", f"export OMP_NUM_THREADS={CORES}"),
        ("export 'OMP_NUM_THREADS=16'", None),
        ("make '-j16'", None),
        ("bash -c 'cd run16; make -j 16'", None),
    ],
)
def test_quotes_in_which_nothing_is_expanded(line: str, mended: str | None) -> None:
    findings = check(JOB.format(options="-c 4", body=line))
    assert [(finding.code, finding.mended) for finding in findings] == [("RK705", mended)]


@pytest.mark.parametrize(
    ("options", "line", "mended"),
    [
        ("", "make -j 16", "make -j ${SLURM_CPUS_PER_TASK:-1}"),
        ("-n 4", "make -j 16", "make -j $SLURM_NTASKS"),
        ("-n 16", "make -j 16", None),
        ("-N 2 --ntasks-per-node=16", "parallel -j 32 ./simulate ::: 1", None),
        ("-N 2 --ntasks-per-node=16", "make -j 32", "make -j $SLURM_NTASKS_PER_NODE"),
    ],
)
def test_the_cores_of_tasks(options: str, line: str, mended: str | None) -> None:
    findings = [finding for finding in check(JOB.format(options=options, body=line)) if finding.code == "RK705"]
    assert [finding.mended for finding in findings] == ([mended] if mended else [])
