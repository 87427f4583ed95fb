"""Values of options as slurmctld and sbatch read them: times, arrays, numbers that are none."""

import math

import pytest
from linting import check, codes, fix

from rookery.jobs.lint.script import values

JOB = "#!/bin/bash\n#SBATCH -p parallel --mem=1G\n#SBATCH {}\nsource /etc/profile\nhostname\n"
LONG = "9" * 5000


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ("5", 5),
        ("5:30", 5.5),
        ("1:0:0", 60),
        ("1-", 1440),
        ("1-2", 1560),
        ("1-2:3", 1563),
        ("0", math.inf),
        ("0:0:0", math.inf),
        ("UNLIMITED", math.inf),
        ("-1", math.inf),
        ("", None),
        ("-5", None),
        (":5", None),
        ("1-:5", None),
        ("1:2:3:4", None),
        ("1:0:²", None),
        ("٣", None),
        (LONG, None),
    ],
)
def test_a_time(value: str, minutes: float | None) -> None:
    assert values.minutes(value) == minutes


@pytest.mark.parametrize(
    ("value", "tasks", "throttle"),
    [
        ("1-3", [1, 2, 3], None),
        ("[1-3]%2", [1, 2, 3], 2),
        ("1-3%2,7", [1, 2, 3, 7], 2),
        ("1,,3,", [1, 3], None),
        ("1, 3", [1, 3], None),
        ("%5", [0], 5),
        ("1-3%x", [1, 2, 3], None),
        ("1-3%", [1, 2, 3], None),
        ("1-4%²", [1, 2, 3, 4], None),
    ],
)
def test_an_array(value: str, tasks: list[int], throttle: int | None) -> None:
    read = values.array(value)
    assert read is not None
    assert ([number for numbers in read[0] for number in numbers], read[1]) == (tasks, throttle)


@pytest.mark.parametrize("value", ["1 -3", "1 ,3", "3-1", "5-", "-5", "x", ",", f"1-{LONG}", "1-٣"])
def test_no_array(value: str) -> None:
    assert values.array(value) is None


@pytest.mark.parametrize("option", ["--time=-5", "--array=%5", "--array=1-3%x"])
def test_what_sbatch_takes_and_does_otherwise(option: str) -> None:
    found = check(JOB.format(option))
    assert [(finding.code, finding.severity, finding.mended) for finding in found] == [("RK207", "warning", None)]


@pytest.mark.parametrize("option", ["--time=1-", "--array=1,3,", "--array=1-3%2", "--array=1-3%"])
def test_what_sbatch_takes(option: str) -> None:
    assert codes(JOB.format(option)) == []


@pytest.mark.parametrize(
    "option",
    [
        "--time=1:0:²",
        "--time=٣:00",
        "--mem=٣G",
        "--mincpus=٣",
        f"--time={LONG}",
        f"--time={LONG}:00",
        f"--time={LONG}h",
        f"--mem={LONG}GB",
        f"-n {LONG}",
        f"-N {LONG}",
        f"-N 1-{LONG}",
        f"--mincpus={LONG}",
        f"--signal=USR1@{LONG}",
        f"-a 1..{LONG}",
    ],
)
def test_numbers_that_slurm_does_not_read(option: str) -> None:
    text = JOB.format(option)
    assert [(finding.code, finding.severity) for finding in check(text)] == [("RK207", "error")]
    assert fix(text) == text


@pytest.mark.parametrize("option", ["--gres=gpu:¹", f"--gres=gpu:{LONG}", f"--gpus={LONG}", f"-w comp{LONG}"])
def test_other_numbers_do_not_end_the_run(option: str) -> None:
    check(JOB.format(option))


@pytest.mark.parametrize(("option", "is_none"), [("0", True), ("UNLIMITED", True), ("0:30", False), ("5", False)])
def test_a_time_of_0_is_no_limit(option: str, is_none: bool) -> None:
    found = check(JOB.replace("parallel", "test").format(f"-t {option}"))
    assert [finding.code for finding in found] == ["RK302"] * is_none


@pytest.mark.parametrize(
    ("option", "asked"),
    [("5:01", "6 minutes"), ("2:00:00", "2 hours"), ("2:05:00", "02:05:00"), ("2-0", "2 days")],
)
def test_more_time_than_there_is_in_words(option: str, asked: str) -> None:
    found = check(JOB.replace("parallel", "test").format(f"-t {option}"))
    assert f"test allows at most 5 minutes; this requests {asked}, and never starts." in found[0].why
