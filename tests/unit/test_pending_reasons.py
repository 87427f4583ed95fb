"""Why a job waits, in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs.monitor.pending_reasons import explain


def test_the_most_tasks_at_a_time_are_counted_where_it_is_known() -> None:
    means = "running, as many as max_running or the free cores allow"
    assert explain("JobArrayTaskLimit", 10) == f"10 tasks are {means}"
    assert explain("JobArrayTaskLimit", 1) == f"1 task is {means}"
    assert "10" not in explain("Priority", 10)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Priority", "other jobs are ahead of it"),
        ("PartitionDown", "closed"),
        ("DependencyNeverSatisfied", "never start"),
        ("JobArrayTaskLimit", "max_running"),
        ("ReqNodeNotAvail, UnavailableNodes:wn[01-08]", "(wn[01-08])"),
        ("ReqNodeNotAvail", "down, reserved"),
        ("QOSMaxSubmitJobPerUserLimit", "no more jobs in the queue"),
        ("QOSMaxCpuPerUserLimit", "you no more cores"),
        ("QOSMaxGRESPerUser", "no more GPUs"),
        ("AssocGrpCpuLimit", "your account"),
        ("AssocGrpCPUMinutesLimit", "no more"),
        ("AssocMaxJobsLimit", "no more jobs at a time"),
        ("QOSSomethingNew", "the limits of its QOS"),
    ],
)
def test_what_slurm_means(code: str, words: str) -> None:
    assert words in explain(code)


@given(st.text())
def test_what_is_not_known_is_shown_as_it_is(code: str) -> None:
    assert explain(f"x{code}") == f"x{code}"
