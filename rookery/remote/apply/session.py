"""Apply one declaration after another in a remote session, so that each needs no new Python and no new compilation.

The first answer comes without a question: the probe's output at the session's start. Nobody asks before it is there,
since a start-up file may read standard input. A question is a line of that: base64 of compressed JSON, with `to`, which
comes back in the answer, and the declaration `payload` for the Python named by `python`.
"""

import base64
import contextlib
import os
import sys
import zlib
from typing import Any, Dict

from rookery.remote import strict_json
from rookery.remote.apply import process, reply
from rookery.remote.apply.main import ApplySession


def main(_: Any) -> None:
    """Answer questions, until standard input ends.

    The probe's output is in ROOKERY_PROBED, and the name of this Python is the last argument.
    """
    process.Programs.is_asked = is_fit = True
    probed = os.environb.pop(b"ROOKERY_PROBED", b"").decode("utf-8", "surrogateescape")
    with process.stoppable(), contextlib.suppress(process.Interrupted):
        reply.tell({"to": "", "probed": probed})
        for line in sys.stdin.buffer:
            question = strict_json.loads(zlib.decompress(base64.b64decode(line)))
            answer: Dict[str, Any] = {}
            if is_fit and question["python"] == sys.argv[-1]:
                result = reply.answer(ApplySession, question["payload"])
                answer = {"answer": result}
                is_fit = not _is_outdated_by(result)
            reply.tell(dict(answer, to=question["to"]))
            if answer.get("answer", {}).get("failed"):
                break  # it may have had a signal to stop; and nothing comes after a failure


def _is_outdated_by(result: Dict[str, Any]) -> bool:
    """Return whether a drop-in that this login has read was changed, so that the next has other variables."""
    return any(
        outcome["kind"] == "environment" and outcome["state"] == "changed" for outcome in result.get("outcomes", [])
    )
