"""Invoke without unittest.mock, asyncio and ssl, which it imports for its users' tests alone: a third of a start-up."""

import sys
import types

_NAMES = ("unittest", "unittest.mock")
_absent = [name for name in _NAMES if name not in sys.modules]

if len(_absent) == len(_NAMES) and "invoke" not in sys.modules:
    _package, _mock = (types.ModuleType(name) for name in _NAMES)
    vars(_mock)["Mock"] = object
    vars(_package)["mock"] = _mock
    sys.modules.update({"unittest": _package, "unittest.mock": _mock})
try:
    from invoke import Collection, Exit, Program, Task, task
    from invoke.parser.parser import ParseMachine
finally:
    for _name in _absent:
        if not hasattr(sys.modules.get(_name), "__file__"):  # who asks for the real one later gets it
            sys.modules.pop(_name, None)

__all__ = ["Collection", "Exit", "ParseMachine", "Program", "Task", "task"]
