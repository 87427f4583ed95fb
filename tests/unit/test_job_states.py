"""How the states of tasks are drawn in a grid."""

import pytest

from rookery.core import wrapping
from rookery.jobs.monitor import job_states
from rookery.remote.slurm import forms

KINDS = ("COMPLETED", "RUNNING", "PENDING", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "CANCELLED", "NODE_FAIL")


def test_each_kind_has_a_character_of_its_own_in_one_column() -> None:
    marks = [job_states.mark(code) for code in KINDS]
    for characters in ([mark.character for mark in marks], [mark.plain for mark in marks]):
        assert len(set(characters)) == len(KINDS)
        assert [wrapping.cells(character) for character in characters] == [1] * len(KINDS)
    assert all(mark.plain.isascii() for mark in marks)


@pytest.mark.parametrize(
    ("code", "like"),
    [
        ("CONFIGURING", "RUNNING"),
        ("COMPLETING", "RUNNING"),
        ("REQUEUED", "PENDING"),
        ("BOOT_FAIL", "NODE_FAIL"),
        ("DEADLINE", "FAILED"),
        ("A_STATE_OF_A_LATER_SLURM", "FAILED"),
    ],
)
def test_other_states_are_drawn_like_one_of_them(code: str, like: str) -> None:
    assert job_states.mark(code) == job_states.mark(like)


def test_every_state_of_a_task_that_has_not_ended_looks_so() -> None:
    ongoing = {job_states.mark(code).word for code in forms.ACTIVE}
    assert ongoing == {"running", "waiting"}
