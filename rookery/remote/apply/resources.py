"""The kinds of things in a declaration, in the order in which they are applied; commands come last."""

import importlib
from typing import Any, Dict

from rookery.remote.apply.work import Work

# each with the function that applies it: its module is imported, and so compiled there, only where it is needed
_KINDS = (
    ("directories", "rookery.remote.apply.files", "directory"),
    ("moves", "rookery.remote.apply.relocate", "move"),
    ("links", "rookery.remote.apply.files", "link"),
    ("files", "rookery.remote.apply.files", "file"),
    ("blocks", "rookery.remote.apply.blocks", "block"),
    ("json", "rookery.remote.apply.settings", "settings"),
    ("environment", "rookery.remote.apply.files", "environment"),
)


def bring_about(work: Work, declaration: Dict[str, Any]) -> None:
    """Apply all of a declaration but its commands."""
    for kind, module, name in _KINDS:
        items = declaration.get(kind, [])
        for item in [items] if isinstance(items, dict) else items:
            getattr(importlib.import_module(module), name)(work, item)
