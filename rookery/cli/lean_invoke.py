"""A lean start: Invoke without what it imports and commands of ours never use, which is half of its start-up.

Python's looks for unused memory, as modules come in and once more through all at its end, are done without: for a
command that lasts a fifth of a second, they are a seventh of it.

unittest.mock, which brings asyncio and ssl, is for its users' tests. The YAML of its own is for settings files of
Invoke's, and PyYAML, which reads the same and is here for the profiles, is imported where there is one.
"""

import atexit
import gc
import sys
import types
from typing import Any

gc.set_threshold(50_000)
atexit.register(gc.freeze)

_MOCK = ("unittest", "unittest.mock")
_YAML = "invoke.vendor.yaml"


class _Yaml(types.ModuleType):
    """PyYAML, from when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        import yaml

        return getattr(yaml, name)


_absent: list[str] = []
if "invoke" not in sys.modules:
    sys.modules[_YAML] = _Yaml(_YAML)
    if not sys.modules.keys() & set(_MOCK):
        _absent += _MOCK
        _package, _mock = (types.ModuleType(name) for name in _MOCK)
        vars(_mock)["Mock"] = object
        vars(_package)["mock"] = _mock
        sys.modules.update({"unittest": _package, "unittest.mock": _mock})
try:
    from invoke import Collection, Exit, ParseError, Program, Task, task
    from invoke.parser.parser import ParseMachine
finally:
    for _name in _absent:
        if not hasattr(sys.modules.get(_name), "__file__"):  # who asks for the real one later gets it
            sys.modules.pop(_name, None)

__all__ = ["Collection", "Exit", "ParseError", "ParseMachine", "Program", "Task", "task"]
