"""Send the laptop exactly one answer, whatever happens, between markers: start-up files may print around it."""

import contextlib
import json
import os
import pwd
from typing import Any, Callable, Dict

from rookery.remote import frame
from rookery.remote.apply import process
from rookery.remote.apply.problem import Problem, explain

Payload = Dict[str, Any]
Result = Dict[str, Any]


def main(session: Callable[[Payload], Any], payload: Payload) -> None:
    """Run a session, and write its answer.

    Args:
        session: Makes one: with `run`, which gives the result, and `result`, which gives that of the part done so far.
        payload: What the laptop sent.
    """
    with process.stoppable():
        tell(answer(session, payload))


def tell(result: Result) -> None:
    """Write an answer."""
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more; the ledger has it all
        frame.tell(json.dumps(result))


def answer(session: Callable[[Payload], Any], payload: Payload) -> Result:
    """Return the result of the request; never an exception."""
    os.environ["HOME"] = home_folder()
    call = session(payload)
    trouble = {}
    try:
        os.chdir(home_folder())
        return dict(call.run())
    except Problem as problem:
        failure = problem
    except OSError as error:
        failure = explain(error)
    except process.Interrupted as interrupted:
        failure = Problem(str(interrupted), "run the same command again to continue")
    except Exception as error:  # a mistake of ours: still one line, with where it was made beside it
        failure = Problem("rookery itself failed: {}: {}".format(type(error).__name__, error))
        import traceback

        trouble = {"exception": traceback.format_exc()}
    message = " ".join(failure.message.split())
    return dict(call.result(), failed=True, msg=message, hint=failure.hint, details=failure.details, **trouble)


def home_folder() -> str:
    """Return the user's home, as their login has it."""
    home = os.environ.get("HOME", "")
    return os.path.normpath(home if os.path.isabs(home) and os.path.isdir(home) else pwd.getpwuid(os.getuid()).pw_dir)
