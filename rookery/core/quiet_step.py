"""Run another command as a step of one, and take its JSON document instead of printing it."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from rookery.core import invocation
from rookery.core.options import Options


def run(function: Callable[[Any], int | None], options: Options) -> tuple[int, dict[str, Any]]:
    """Run a command's function with --json; return its exit code and its document.

    Not within `console.waiting`: rich shows one thing at a time, and takes over what is printed meanwhile.

    Args:
        function: The function of a command, such as deploy.run.
        options: Its options; `json` is set here.

    Raises:
        RookeryError: What the command raises.
    """
    printed = io.StringIO()
    with redirect_stdout(printed), invocation.guiding():
        code = function(replace(options, json=True)) or 0  # type: ignore[type-var]
    text = printed.getvalue()
    return code, json.loads(text) if text.strip() else {}
