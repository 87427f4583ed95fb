"""Options on `#SBATCH` lines, judged as sbatch judges them: what Slurm 22.05 and 24.11 said to each line by hand."""

import string
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linting import check, fix

from rookery.jobs.lint import Finding
from rookery.projects.scripts import directives, option_table

SCRIPT = "#!/bin/bash\n#SBATCH {}\n#SBATCH --partition=parallel --mem=1G\nsource /etc/profile\nhostname\n"


class Refused(NamedTuple):
    """A line that sbatch refuses; the rule that says so, and the line that lint suggests.

    Attributes:
        options: What is behind `#SBATCH`.
        code: The rule.
        mended: The options corrected; "" where lint suggests nothing.
        safe: Whether `--fix` writes them.
    """

    options: str
    code: str
    mended: str = ""
    safe: bool = True


REFUSED = [
    # another scheduler's, another program's, another version's
    Refused("--walltime=1:0:0", "RK209", "--time=1:0:0"),
    Refused("--walltime 1:0:0", "RK209", "--time 1:0:0"),
    Refused("--name=x", "RK209", "--job-name=x"),
    Refused("--email=a@b.c", "RK209", "--mail-user=a@b.c"),
    Refused("--workdir=/tmp", "RK209", "--chdir=/tmp"),
    Refused("--share", "RK209", "--oversubscribe"),
    Refused("--checkpoint=10", "RK209"),
    Refused("--pty", "RK209"),
    Refused("--x11", "RK209"),
    Refused("--x11=first", "RK209"),
    Refused("--cpu-bind=cores", "RK209"),
    Refused("--mpi=pmix", "RK209"),
    Refused("--cpus-per-node=4", "RK209"),
    Refused("--queue=serial", "RK209", "--partition=serial", safe=False),
    Refused("-I", "RK209"),
    Refused("-l nodes=1:ppn=4", "RK209"),
    # the same name, and perhaps another unit
    Refused("--walltime=3600", "RK209", "--time=3600", safe=False),
    Refused("--wallclock=20:00", "RK209", "--time=20:00", safe=False),
    Refused("--walltime=1-12", "RK209", "--time=1-12"),
    Refused("--memory=4", "RK209", "--mem=4", safe=False),
    Refused("--email=END", "RK209", "--mail-user=END", safe=False),
    # ambiguous
    Refused("--cpus=4", "RK211", "--cpus-per-task=4", safe=False),
    Refused("--p parallel", "RK211", "--partition parallel"),
    Refused("--p=serial,parallel", "RK211"),
    Refused("--ntask=4", "RK211", "--ntasks=4"),
    Refused("--gpu=1", "RK211", "--gpus=1", safe=False),
    Refused("--mail=a@b.c", "RK211"),
    # a value too few, or too many
    Refused("--hint --nodes=1", "RK207"),
    Refused("--signal=", "RK207"),
    Refused("--contiguous=yes", "RK212", "--contiguous"),
    Refused("--hold=no", "RK212"),
    Refused("--n 1", "RK211"),
    Refused("--N=1", "RK205"),
    Refused("--time:10", "RK205", "--time=10"),
    Refused(": --time=10", "RK206"),
    # one dash for two
    Refused("-mem=1G", "RK213", "--mem=1G"),
    Refused("-mem 1G", "RK213", "--mem 1G"),
    Refused("-time=5", "RK213", "--time=5"),
    Refused("-partition=parallel", "RK213", "--partition=parallel"),
    Refused("-nodes=1", "RK213", "--nodes=1"),
    Refused("-ntasks=1", "RK213", "--ntasks=1"),
    Refused("-mail-type=END", "RK213", "--mail-type=END"),
    Refused("-job-name=x", "RK213", "--job-name=x"),
    Refused("-output run.log", "RK213", "--output run.log"),
    Refused("-walltime=5", "RK213", "--time=5", safe=False),
    Refused("-walltime=0:05:00", "RK213", "--time=0:05:00"),
    Refused("-cpus=1", "RK213", "--cpus-per-task=1", safe=False),
    Refused("-part=parallel", "RK213", "--part=parallel"),
    # = after a letter
    Refused("-n=1", "RK214", "-n 1"),
    Refused("-t=5", "RK214", "-t 5"),
    Refused("-p=parallel", "RK214", "-p parallel"),
    # characters of web pages and word processors
    Refused("\u2013time=5", "RK215", "--time=5"),
    Refused("\u2014time 5", "RK215", "--time 5"),
    Refused("\u2212t 5", "RK215", "-t 5"),
    Refused("-\u2013time=5", "RK215", "--time=5"),
    Refused("\u2013n4", "RK215", "-n4"),
    Refused("--cpus\u2013per\u2013task=1", "RK215", "--cpus-per-task=1"),
    Refused("--array=1\u20133 -o %a.txt", "RK215", "--array=1-3 -o %a.txt"),
    Refused("--time=1\u201300:00:00", "RK215", "--time=1-00:00:00"),
    Refused("--job-name=\u201cmy job\u201d", "RK215", '--job-name="my job"'),
    Refused("\u00a0--time=5", "RK215", " --time=5"),
    Refused("--time=5\u00a0--nodes=1", "RK215", "--time=5 --nodes=1"),
    Refused("--time=5\u00a0", "RK215", "--time=5 "),
    # spaces in values
    Refused("--job-name=repeated MCMC", "RK206", '--job-name="repeated MCMC"', safe=False),
    Refused("--tmp 1 M", "RK206", "--tmp 1M"),
    Refused("--tmp=1.5 G", "RK206", "--tmp=1536M"),
    Refused("--mail-type=end, fail", "RK206", "--mail-type=end,fail"),
    Refused("--mail-type=END FAIL", "RK206", "--mail-type=END,FAIL"),
    Refused("--time=2 hours", "RK206", "--time=02:00:00"),
    Refused("--array=1, 3 -o %a.txt", "RK206", "--array=1,3 -o %a.txt"),
    Refused("--array=1 - 3 -o %a.txt", "RK206", "--array=1-3 -o %a.txt"),
    Refused("--array=1-3 % 2 -o %a.txt", "RK206", "--array=1-3%2 -o %a.txt"),
    Refused("--array=1 3 -o %a.txt", "RK206"),
    Refused("--time=1: 00:00", "RK206", "--time=1:00:00"),
    Refused("--time=1h 30m", "RK206", "--time=01:30:00"),
    Refused("--time=1:00:00 hours", "RK206", "--time=1:00:00 # hours", safe=False),
    Refused("--mail-type=END --mail-user=a@b.c, d@e.f", "RK206", "--mail-type=END --mail-user=a@b.c,d@e.f"),
    Refused("--comment=first try", "RK206", '--comment="first try"', safe=False),
    Refused("-J repeated MCMC", "RK206", '-J "repeated MCMC"', safe=False),
    Refused("--dependency=afterok: 12", "RK206", "--dependency=afterok:12"),
    Refused("--time=5 five minutes", "RK206", "--time=5 # five minutes", safe=False),
    Refused("--dependency=afterany:12 afterok:13", "RK206"),
    Refused("--output=x y.out", "RK206", '--output="x y.out"', safe=False),
    Refused("--output=my log", "RK206", '--output="my log"', safe=False),
    Refused("--account=my project", "RK206", '--account="my project"', safe=False),
    Refused("--chdir=/scratch/my dir", "RK206", '--chdir="/scratch/my dir"', safe=False),
    Refused("--output=x.out the log", "RK206", "--output=x.out # the log", safe=False),
    Refused(
        "--comment=\u201chello\u201d \u201cworld\u201d",
        "RK206",
        '--comment="\u201chello\u201d \u201cworld\u201d"',
        safe=False,
    ),
    Refused("--output=$(date +%F).out", "RK203"),
    Refused("--output=`date +%F`.out", "RK203"),
    Refused("--time =5", "RK206", "--time=5"),
    Refused("-n =1", "RK206", "-n 1"),
    Refused("--time-min =5 --nodes=1", "RK206", "--time-min=5 --nodes=1"),
    # for administrators
    Refused("--uid=1000", "RK217"),
    Refused("--gid=100", "RK217"),
    Refused("--reboot", "RK217"),
    # misspelt
    Refused("--cpu-per-task=1", "RK205", "--cpus-per-task=1"),
    Refused("--job_name=x", "RK205", "--job-name=x"),
    Refused("--Time=5", "RK205", "--time=5"),
    Refused("--mailuser=a@b.c --mail-type=END", "RK205", "--mail-user=a@b.c --mail-type=END"),
    Refused("--partion=parallel", "RK205", "--partition=parallel", safe=False),
    # words that Slurm does not have
    Refused("--mail-type=FINISHED", "RK207", "--mail-type=END"),
    Refused("--mail-type=END:FAIL", "RK207", "--mail-type=END,FAIL"),
    Refused("--mail-type=b,e", "RK207"),
    Refused("--dependency=after_ok:12", "RK207", "--dependency=afterok:12"),
    Refused("--dependency=afterok=12", "RK207", "--dependency=afterok:12"),
    Refused("--dependency=afterok", "RK207"),
    Refused("--dependency=afterok:abc", "RK207"),
    Refused("--dependency=12:13", "RK207"),
    Refused("--signal=FOO", "RK207"),
    Refused("--signal=B:USR1@x", "RK207"),
    Refused("--signal=TERM@99999", "RK207"),
    Refused("--distribution=foo", "RK207"),
    Refused("--distribution=block:foo", "RK207"),
    Refused("--distribution=plane", "RK207"),
    Refused("--hint=multithread,foo", "RK207"),
    Refused("--open-mode=write", "RK207", "--open-mode=truncate"),
    Refused("--exclusive=true", "RK207", "--exclusive"),
    Refused("--gres-flags=foo", "RK207"),
    Refused("--kill-on-invalid-dep=true", "RK207", "--kill-on-invalid-dep=yes"),
    Refused("--no-kill=x", "RK207"),
    Refused("--requeue=1", "RK207"),
    Refused("--nodes=2-1", "RK207"),
    Refused("--nodes=x", "RK207"),
    Refused("--ntasks=2-4", "RK207"),
    Refused("--ntasks=0", "RK207"),
    Refused("--wait-all-nodes=yes", "RK207"),
    Refused("--mincpus=0", "RK207"),
    Refused("--ntasks-per-node=0", "RK207"),
    Refused("--threads-per-core=", "RK207"),
    Refused("--begin=", "RK207"),
    Refused("--cores-per-socket=x", "RK207"),
    Refused("--begin=foo", "RK207"),
    Refused("--begin=4pm", "RK207"),
    Refused("--begin=16", "RK207"),
    Refused("--begin=2030-13-45", "RK207"),
    Refused("--begin=noon-1hour", "RK207"),
    Refused("--signal=BB:TERM", "RK207"),
    Refused("--time==10", "RK207", "--time=10"),
    Refused("--nodes==1", "RK207", "--nodes=1"),
    Refused("--propagate=FOO", "RK207"),
    Refused("--profile=foo", "RK207"),
    Refused("--switches=x", "RK207"),
    Refused("--nice=-5", "RK207"),
    Refused("--tmp=1.5G", "RK207", "--tmp=1536M"),
    Refused("--tmp=0.0001G", "RK207"),
    Refused("--time=0h", "RK207"),
    Refused("--array=10:1", "RK207"),
    Refused("--time=1h30m", "RK207", "--time=01:30:00"),
    Refused("--time=2d", "RK207", "--time=2-00:00:00"),
    Refused("--time=1:00:00;", "RK207", "--time=1:00:00"),
]

MISREAD = [
    Refused("-output=run.log", "RK213", "--output=run.log"),
    Refused("-error=x", "RK213", "--error=x"),
    Refused("-export=ALL", "RK213", "--export=ALL"),
    Refused("-exclusive", "RK213", "--exclusive"),
    Refused("-hold", "RK213", "--hold"),
    Refused("-J=x", "RK214", "-J x"),
    Refused("-o=x.out", "RK214", "-o x.out"),
    Refused("-A=foo", "RK214", "-A foo"),
    Refused("-D=/tmp", "RK214", "-D /tmp"),
    Refused("--job-name --mail-user=a@b.c --mail-type=END", "RK207"),
    Refused("--nodes=1 --comment", "RK207"),
    Refused('-J ""', "RK207"),
    Refused("--job-name=\u201cx\u201d", "RK215", "--job-name=x"),
    Refused("--job-name=x\u00a0", "RK215", "--job-name=x "),
    Refused("--mail-type=END,FINISHED", "RK207", "--mail-type=END"),
    Refused("--mail-type=end,finished,fail", "RK207", "--mail-type=end,fail"),
    Refused("-output", "RK213"),
    Refused("-error", "RK213"),
    Refused("-output.log", "RK213"),
    Refused("--test-only", "RK221"),
    Refused("--time=48:00", "RK216", "--time=48:00:00", safe=False),
    Refused("--job-name =x", "RK206", "--job-name=x"),
    Refused("--nodes=2 --tasks=1", "RK218", "--nodes=2 --ntasks-per-node=1", safe=False),
    Refused("--cores=1", "RK218", "--cpus-per-task=1", safe=False),
    Refused("--threads 1", "RK218", "--cpus-per-task 1", safe=False),
    Refused("--export=$X", "RK203"),
    Refused('"--output=$(date +%F).out"', "RK203"),
    Refused("--error=a$USER.txt", "RK203", "--error=a%u.txt"),
    Refused("--our-own value", "RK210"),
    Refused("--container-env=A", "RK210"),
    Refused("--ntasks-per-cpu=1", "RK210"),
]
"""Lines that sbatch takes, but not as they were meant; or, at the end, that a site's own sbatch may take."""

ACCEPTED = [
    "hetjob", "HETJOB # x", "--nodes=1-1 --tasks=1", "-N 01 --tasks=1",
    "--time=5", "--time 10:30", "--time=30:00", "--time=90:00", "--time=60:00", "--time=1-12", "--time=-1",
    "-t48:00:00", "--part=parallel", "-pparallel", "-N1 -n1", "-Hv", "--exclus", "--job x", "--oversub", "--nice=5 -H",
    "--tasks=1", "--nodes=1 --tasks 1", "--nodes=2 --tasks-per-node=1", "--cores-per-socket=1",
    "--nice", "--exclusive=user", "--exclusive=", "--exclusive -n 1", "--get-user-env=L", "--no-kill=off", "--requeue",
    "--job-name=", "--mail-user=", "--output=", "--comment=", "--account=", "--gpus=",
    "--mail-type=ALL", "--mail-type=none", "--mail-type=END,", "--mail-type=TIME_LIMIT_80,ARRAY_TASKS,INVALID_DEPEND",
    "--dependency=singleton", "--dependency=afterok:12:13", "--dependency=afterok:12?afterany:13", "-d 12,13",
    "--dependency=after:12+5", "--dependency=aftercorr:12_1,afterburstbuffer:3", "--dependency=AFTERANY:12_*",
    "--signal=B:USR1@90", "--signal=SIGTERM", "--signal=10@60", "--signal=USR1@",
    "--distribution=block:cyclic", "-m *:block", "--distribution=plane=2", "--distribution=block:block:fcyclic,pack",
    "--hint=nomultithread", "--hint=COMPUTE_BOUND", "--open-mode=a", "--open-mode=truncate",
    "--gres-flags=enforce-binding", "--kill-on-invalid-dep=yes", "--export=NONE", "--export=ALL,X=1", "--export X=1",
    "--begin=now+1hour", "--begin=16:00", "--begin=tomorrow", "--begin=2030-01-01", "--begin=noon",
    "--begin=noontomorrow", "--begin=4:00pm", "--begin=16:00-2030-01-01", "--begin=todayT16:00", "--begin=010130",
    "--begin=1/1",    "--begin=2030-01-01-16:00", "--begin=now+2weeks", "--begin=0102-16:00", "--begin=01.02.30",
    "--signal=RB:TERM", "--signal=BTERM", "--signal=:TERM", "--output==x", "--job-name==x",
    "--time=1-", "--array=1-5, -o %a.txt", "--array=1-10% -o %a.txt", "--ntasks=+1",
    "-N -1", "--core-spec=0", "--wait-all-nodes=0", "-p parallel,",
    "--propagate", "--propagate=STACK,MEMLOCK", "--profile=task", "--switches=1@10:00", "--wait-all-nodes=1",
    "--nodes=1-2", "--ntasks-per-node=1", "--cores-per-socket=1", "--extra-node-info=1:1", "--core-spec=1",
    "--job-name=a\u2013b", "--comment=don\u2019t", "--comment=\u2013time=5", "--job-name=a\u00a0b",
    "--comment='-mem=1G, --share'", "--nodes=1 # \u2013time=5\u00a0--share", '--job-name="a b"',
]  # fmt: skip


def findings(options: str) -> list[Finding]:
    """The findings in a script for HEC with one more line."""
    return [finding for finding in check(SCRIPT.format(options)) if finding.code[:3] == "RK2"]


@pytest.mark.parametrize("line", [*REFUSED, *MISREAD], ids=lambda line: line.options)
def test_an_option_that_sbatch_refuses_or_misreads(line: Refused) -> None:
    [finding] = findings(line.options)
    assert (finding.code, finding.line) == (line.code, 2)
    assert finding.severity == ("error" if line in REFUSED else "warning")
    assert (finding.mended or "") == (f"#SBATCH {line.mended}" if line.mended else "")
    assert finding.safe == (line.safe and bool(line.mended))
    fixed = fix(SCRIPT.format(line.options))
    assert fixed == (SCRIPT.format(line.mended) if finding.safe else SCRIPT.format(line.options))
    assert not finding.safe or [later for later in check(fixed) if later.code[:3] == "RK2"] == []


@pytest.mark.parametrize("options", ACCEPTED)
def test_an_option_that_sbatch_takes_as_it_is_meant(options: str) -> None:
    assert findings(options) == []


@pytest.mark.parametrize(
    ("memory", "corrected"),
    [
        ("--mem=16", "--mem=16G"),
        ("--mem-per-cpu=4", "--mem-per-cpu=4G"),
        ("--mem=16M", None),
        ("--mem=500", None),
        ("--mem=0", None),
        ("--mem=16G", None),
    ],
)
def test_megabytes_where_gigabytes_are_meant(memory: str, corrected: str | None) -> None:
    text = SCRIPT.format("--time=1:0:0").replace("--mem=1G", memory)
    assert [(finding.code, finding.safe, finding.mended) for finding in check(text)] == (
        [("RK219", False, f"#SBATCH --partition=parallel {corrected}")] if corrected else []
    )


def test_minutes_that_can_be_no_hours_there() -> None:
    text = SCRIPT.format("--gres=gpu:1").replace("=parallel", "=gpu-short --time={}:00")
    assert [finding.code for finding in check(text.format(48))] == []
    assert [finding.code for finding in check(text.format(48).replace("gpu-short", "gpu-medium"))] == ["RK216"]


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ("--job-name", ["RK207"]),
        ("--nodes=1 -J", ["RK207"]),
        ("--mem=1G --time", ["RK207"]),
        ("--", []),
        ("-- --nodes=1", ["RK206"]),
        ("--wrap=x", []),
    ],
)
def test_the_end_of_the_last_line(options: str, codes: list[str]) -> None:
    text = f"#!/bin/bash\n#SBATCH -p parallel --mem=1G\n#SBATCH {options}\nsource /etc/profile\nhostname\n"
    assert [(finding.code, finding.severity) for finding in check(text)] == [(code, "error") for code in codes]


def test_one_slip_hides_no_option_from_other_rules() -> None:
    """What is missing, or too much, is judged by what was meant."""
    text = SCRIPT.replace(" --mem=1G", "").replace("=parallel", "=serial")
    assert [finding.code for finding in check(text.format("-mem=1G"))] == ["RK213"]
    assert [finding.code for finding in check(text.format("--memory=1G --n=1 -c=4"))] == [
        "RK209",
        "RK211",
        "RK214",
        "RK303",
    ]
    assert [finding.code for finding in check(text.format("--meme=1G"))] == ["RK205"]
    assert [finding.code for finding in check(text.format("--job-name\n#SBATCH --mem=1G"))] == ["RK207"]


@given(version=st.sampled_from(["", *option_table.VERSIONS]), text=st.text(string.ascii_lowercase + "-", min_size=1))
def test_a_name_is_looked_up_as_getopt_long_does(version: str, text: str) -> None:
    table = option_table.of(version)
    lookup = table.lookup(text)
    for name in {name for has in table.has.values() for name in has}:
        assert table.lookup(name).name
        assert name.startswith(text) <= bool(lookup.name or lookup.candidates)
    assert not lookup.name or not lookup.candidates


@given(
    words=st.lists(
        st.sampled_from(
            [
                "--mem",
                "-p",
                "=",
                ",",
                "1",
                "G",
                "-",
                "\u2013",
                "\u00a0",
                "'",
                "x",
                "--x11",
                "#",
                "\n#SBATCH ",
                "-time",
                "\u201c",
            ]
        ),
        max_size=12,
    )
)
def test_any_line_is_read_and_mending_it_comes_to_rest(words: list[str]) -> None:
    text = SCRIPT.format(" ".join(words))
    read = directives.read(text)
    assert all(option.start <= option.end <= len(text) for option in read.options)
    fixed = fix(text)
    assert fix(fixed) == fixed
