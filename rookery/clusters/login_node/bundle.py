"""The apply program and its task, packed into the one script that is sent to a login node; and its answer unpacked.

`home` sends it through Ansible, `undo` and the fast way through the connection. Its modules are those of
rookery/remote/apply/.
"""

import base64
import functools
import json
import re
import shlex
import zlib
from typing import Any

from rookery.clusters.login_node import answers
from rookery.core import paths
from rookery.remote import strict_json

PARTS = (
    "apply.problem",
    "strict_json",
    "apply.paths",
    "apply.disk",
    "apply.records",
    "apply.ledger",
    "apply.fingerprint_check",
    "apply.last_run",
    "apply.disk_space",
    "apply.lease",
    "apply.work",
    "apply.shells",
    "apply.files",
    "apply.blocks",
    "apply.settings",
    "apply.tree_copy",
    "apply.weigh",
    "apply.relocate",
    "apply.process",
    "apply.reply",
    "apply.jobs",
    "apply.commands",
    "apply.schedule",
    "apply.restore",
    "apply.prune_undeclared",
    "apply.resources",
    "apply.main",
)

PACKAGES = ("rookery", "rookery.remote", "rookery.remote.apply", "rookery.remote.slurm")

ARGUMENT_BYTES = 100_000  # Linux takes 128 kB in one argument, and login shells want quoting on top

# The modules become modules again over there, each when it is first asked for: most declarations need a third of them.
# -I and -S keep the user's own packages and settings out of it. `work` is what the last module shall do. Whatever the
# umask is, nothing that is made there, also by programs that it starts, is writable by others or closed to its owner.
BOOT = """
import os, sys, types
from _frozen_importlib import ModuleSpec
class Parts:
    texts = {parts!r}
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name in self.texts else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(compile(self.texts[module.__name__], module.__name__, "exec"), module.__dict__)
os.umask(os.umask(0o077) & ~0o700 | 0o022)
sys.meta_path.insert(0, Parts())
for name in {packages!r}:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
import json
import rookery.remote.{last}
try:
    sys.modules["rookery.remote.{last}"].main(json.loads(work))
except BrokenPipeError:
    os._exit(0)
"""
# chr(44) is a comma: login shells differ in how they read quotes within quotes
_START = (
    "import sys,zlib,base64;code,work=(zlib.decompress(base64.b64decode(one)) for one in {}.split(chr(44)));exec(code)"
)
FROM_ARGUMENT = _START.format("sys.argv[1]")
FROM_INPUT = _START.format("sys.stdin.read()")
ANSWER = re.compile(r"<<<rookery:([A-Za-z0-9+/=]+):rookery>>>")


def pack(payload: dict[str, Any], parts: tuple[str, ...] = PARTS) -> str:
    """Return the modules and what they shall do, as one word: base64, a comma, base64.

    Args:
        payload: Handed to `main` of the last part.
        parts: The modules.
    """
    return f"{code(parts)},{word(json.dumps(payload))}"


@functools.cache
def code(parts: tuple[str, ...] = PARTS) -> str:
    """Return the modules, as a word of base64; made once in a process, and in those that it forks from then on."""
    texts = {f"rookery.remote.{name}": paths.remote(f"{name.replace('.', '/')}.py") for name in parts}
    return word(BOOT.format(parts=texts, packages=PACKAGES, last=parts[-1]))


def word(text: str) -> str:
    """Return a text as a word of base64: compressed, and safe in any shell."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def command(interpreter: str, packed: str) -> tuple[str, bytes | None]:
    """Return the command line for a login shell of any kind, and what goes to its standard input.

    No line ends, no `!` and no nested quotes are in it: csh and fish read those in ways of their own.
    """
    python = shlex.quote(interpreter)
    if len(packed) <= ARGUMENT_BYTES:
        return f"{python} -IS -c {shlex.quote(FROM_ARGUMENT)} {packed}", None
    return f"{python} -IS -c {shlex.quote(FROM_INPUT)}", packed.encode()


def unpack(output: str, node: str = "the login node") -> dict[str, Any] | None:
    """Return the apply program's answer in whatever the login shell printed, or None.

    Args:
        output: What was printed.
        node: Whose answer it is, for messages.

    Raises:
        RookeryError: It is not an answer that the apply program gives.
    """
    packed = ANSWER.findall(output)
    if not packed:
        return None
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(base64.b64decode(packed[-1]), strict_json.MOST_BYTES)
    except (ValueError, zlib.error):
        raise answers.unusable(node, ValueError("it can't be unpacked")) from None
    if not unpacking.eof:
        raise answers.unusable(node, ValueError("it is cut off, or too large"))
    answer: dict[str, Any] = answers.parsed(node, answers.apply_program, text)
    return answer
