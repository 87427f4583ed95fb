"""Pack a program of rookery/remote and its payload into the one word that is sent to a login node.

`home` sends one through Ansible, everything else through the connection.
"""

import base64
import functools
import json
import re
import shlex
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rookery.core import paths

PACKAGES = (
    "rookery",
    "rookery.remote",
    "rookery.remote.apply",
    "rookery.remote.data",
    "rookery.remote.slurm",
)

ARGUMENT_BYTES = 100_000  # Linux takes 128 kB in one argument, and login shells want quoting on top

# The modules are imported on the cluster, each when it is first needed: most declarations need a third of them.
# -I and -S keep the user's own packages and settings out of it. `work` is the program's payload. Whatever the
# umask is, no file that it or its programs make is writable by others or closed to its owner.
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
import rookery.remote.{program}
try:
    sys.modules["rookery.remote.{program}"].main(work and __import__("json").loads(work))
except BrokenPipeError:
    os._exit(0)
"""
# chr(44) is a comma: login shells differ in how they read quotes within quotes
_START = (
    "import sys,zlib,binascii;code,work=(zlib.decompress(binascii.a2b_base64(word)) for word in {}.split(chr(44)));"
    "exec(code)"
)
FROM_ARGUMENT = _START.format("sys.argv[1]")
FROM_INPUT = _START.format("sys.stdin.read()")
_NAMED = re.compile(
    r"^[ \t]*from (rookery\.remote[\w.]*) import (\([^)]*\)|[^\n#]*)"
    r'|"(rookery\.remote\.[\w.]+)"',
    re.MULTILINE,
)


def pack(program: str, payload: Any = None) -> str:
    """Return a program and what it shall do, as one word: base64, a comma, base64.

    Args:
        program: A module of rookery/remote with a `main`, such as `apply.main`.
        payload: Handed to that; JSON can hold it.
    """
    return f"{code(program)},{word('' if payload is None else json.dumps(payload))}"


@functools.cache
def code(program: str) -> str:
    """Return a program with all that it imports, as a word of base64.

    It is made once in a process, and in those that it forks from then on.
    """
    return word(BOOT.format(parts=modules(f"rookery.remote.{program}"), packages=PACKAGES, program=program))


def modules(program: str) -> dict[str, str]:
    """Return the texts of a program and of all modules of rookery/remote that it names, by their dotted names.

    A module is named where it is imported, also within a function, or by its dotted name in quotes.
    """
    texts: dict[str, str] = {}
    waiting = [program]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = _file(name).read_text(encoding="utf-8")
            waiting += _named(texts[name])
    return texts


def _named(text: str) -> Iterator[str]:
    for package, names, quoted in _NAMED.findall(text):
        if quoted:
            yield quoted
            continue
        inner = [f"{package}.{name}" for name in re.findall(r"\w+", names)]
        yield from {name if _file(name).is_file() else package for name in inner}


def _file(module: str) -> Path:
    return paths.package().parent / f"{module.replace('.', '/')}.py"


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
