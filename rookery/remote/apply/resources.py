"""The kinds of things that a declaration may hold, in the order in which they are carried out; commands come last."""

import importlib
from typing import Any, Dict

from rookery.remote.apply.work import Work

# each with what carries it out: its module is imported, and so compiled over there, where it is needed only
_KINDS = (
    ("directories", "files", "directory"),
    ("moves", "relocate", "move"),
    ("links", "files", "link"),
    ("files", "files", "file"),
    ("blocks", "blocks", "block"),
    ("json", "settings", "settings"),
    ("environment", "files", "environment"),
)


def bring_about(work: Work, declaration: Dict[str, Any]) -> None:
    """Carry out all of a declaration but its commands."""
    for kind, module, name in _KINDS:
        items = declaration.get(kind, [])
        for item in [items] if isinstance(items, dict) else items:
            getattr(importlib.import_module("rookery.remote.apply." + module), name)(work, item)
