"""For all tests. What an error tells people to run next is looked at: it can be run as it is printed."""

import signal
from collections.abc import Iterator

import pytest
from fuzzing import EXAMPLES
from hints import problem_of
from hypothesis import HealthCheck, settings

from rookery.core.errors import RookeryError

# A shell without job control starts what runs in the background with SIGINT ignored, `nohup` with SIGHUP; so would all
# programs be that tests start, and it is tested what these signals do to them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# How long an example takes says more of the machine than of the code.
# That all examples of a test share a folder is meant.
settings.register_profile(
    "untimed",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _hints_that_work() -> Iterator[None]:
    hints: set[str] = set()
    original = RookeryError.__init__

    def noted(self: RookeryError, *arguments: object, **named: object) -> None:
        original(self, *arguments, **named)  # type: ignore[arg-type]
        hints.add(self.hint or "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RookeryError, "__init__", noted)
        yield
    wrong = {hint: problem for hint in hints if (problem := problem_of(hint))}
    assert wrong == {}, "hints that can't be run as they are printed"
