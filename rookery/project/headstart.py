"""The head start of a deploy: the command that brings a release, sent before what would tell what to send is imported.

Where HEAD is a commit that the cluster does not have, the same command from the same folder sends what it sent the last
time. This imports half of what `opening` does, and the cluster is what takes longest.
"""

import json
import os
import subprocess
import sys
import time
import zlib
from contextlib import suppress

from rookery import ahead, strict_json, xdg
from rookery.marks import new_mark


def begin() -> None:
    """Send what this command probably sends."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, subprocess.SubprocessError):
        _begin()


def _begin() -> None:
    told = strict_json.read(file())
    bring, about = told["bring"], told["about"]
    if told["for"] != here() or not bring or abs(time.time() - os.stat(bring["used"]).st_mtime) > ahead.FRESH:
        return
    known = strict_json.read(told["memory"])["commits"]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with (
        subprocess.Popen(bring["check"], stdin=null, stdout=null, stderr=null) as check,
        subprocess.Popen(["git", "-C", about["root"], "rev-parse", "HEAD"], stdout=pipe, stderr=null) as asked,
    ):
        head = asked.communicate()[0].decode().strip()
        try:
            is_open = check.wait(ahead.ANSWER_HERE) == 0
        except subprocess.TimeoutExpired:
            check.kill()
            raise
    if is_open and head and (about["dirty"] or head not in known):
        mark = new_mark()
        *ssh, remote = bring["command"]
        ahead.send([*ssh, remote.replace(bring["mark"], mark)], mark)


def here() -> list[object]:
    """What tells one command from another: the folder, and what was typed."""
    return [os.getcwd(), sys.argv[1:]]


def file() -> str:
    """Where it is remembered what this command was about; another one may have the same."""
    name = f"{zlib.crc32(json.dumps(here()).encode()):08x}"
    return os.path.join(xdg.base("XDG_STATE_HOME", ".local/state"), "rookery/deploys/from", name)
