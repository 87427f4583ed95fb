"""Import Invoke without modules that rookery's commands never use, which are half of its start-up time.

Invoke 2.2 imports two large packages whenever it is imported itself:
- invoke/context.py imports unittest.mock, and with it asyncio and ssl, for MockContext, a class for users' tests.
- invoke/util.py imports a copy of PyYAML (invoke.vendor.yaml) for Invoke's own settings files. The installed PyYAML,
  which rookery needs for profiles anyway, stands in for it, and is imported when there is such a file.

This module can go when a release of Invoke imports both only where it uses them. Its issue on slow start-up names no
cause: https://github.com/pyinvoke/invoke/issues/775.
"""

import sys
import types
from typing import Any

_MOCK = ("unittest", "unittest.mock")
_YAML = "invoke.vendor.yaml"


class _Yaml(types.ModuleType):
    """A stand-in for invoke.vendor.yaml that imports PyYAML when an attribute is first used."""

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
    from invoke.parser import Parser
    from invoke.parser.argument import Argument
    from invoke.parser.parser import ParseMachine
finally:
    for _name in _absent:
        if not hasattr(sys.modules.get(_name), "__file__"):  # who asks for the real one later gets it
            sys.modules.pop(_name, None)

__all__ = [
    "Argument",
    "Collection",
    "Exit",
    "ParseError",
    "ParseMachine",
    "Parser",
    "Program",
    "Task",
    "task",
]
