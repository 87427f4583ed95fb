"""The kinds of things that a declaration may hold, in the order in which they are carried out; commands come last."""

from typing import Any, Dict

from converger import blocks, moves, settings, things
from converger.work import Work

_KINDS = (
    ("directories", things.directory),
    ("moves", moves.move),
    ("links", things.link),
    ("files", things.file),
    ("blocks", blocks.block),
    ("json", settings.settings),
    ("environment", things.environment),
)


def bring_about(work: Work, declaration: Dict[str, Any]) -> None:
    """Carry out all of a declaration but its commands."""
    for kind, carry_out in _KINDS:
        items = declaration.get(kind, [])
        for item in [items] if isinstance(items, dict) else items:
            carry_out(work, item)
