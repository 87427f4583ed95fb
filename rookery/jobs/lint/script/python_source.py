"""Python's source, as the rules read it: its calls by their full names, and constants."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

_KEPT = 64
"""Programs that are kept in memory: several rules read each, and several scripts run one."""


@lru_cache(_KEPT)
def source(text: str) -> "PythonSource":
    """Return a program, which is parsed once."""
    return PythonSource(text)


def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a program; an empty one where Python can't read it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # not for us to say
        return ast.Module([], [])


@dataclass(frozen=True)
class PythonSource:
    """A program in Python.

    Attributes:
        text: Its source.
    """

    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return parsed(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for: `mp` for multiprocessing, `Pool` for multiprocessing.Pool."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    names[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return names

    @cached_property
    def modules(self) -> list[str]:
        """The modules that it imports; one that is named from its own place has a dot before its name."""
        names = [alias.name for node in self.nodes if isinstance(node, ast.Import) for alias in node.names]
        froms = [node for node in self.nodes if isinstance(node, ast.ImportFrom)]
        return list(dict.fromkeys([*names, *(f"{'.' * node.level}{node.module or ''}" for node in froms)]))

    @cached_property
    def _values(self) -> dict[str, list[ast.expr | None]]:
        """What each name is given, over the whole program; None where that is not a plain assignment's value."""
        values: dict[str, list[ast.expr | None]] = {}
        plain: dict[ast.expr, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                plain |= {target: node.value for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and node.value:
                plain[node.target] = node.value
            elif isinstance(node, ast.arg):
                values.setdefault(node.arg, []).append(None)
        for node in self.nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                values.setdefault(node.id, []).append(plain.get(node))
        return values

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield each call of something imported, with its full name; "" for others."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield self.full_name(node.func), node

    def full_name(self, node: ast.expr) -> str:
        """Return the full name of something imported, `()` after what is called; "" for anything else."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, "")
        if isinstance(node, ast.Attribute):
            holder = self.full_name(node.value)
            return f"{holder}.{node.attr}" if holder else ""
        if isinstance(node, ast.Call):
            called = self.full_name(node.func)
            return f"{called}()" if called else ""
        return ""

    def integer(self, node: ast.expr) -> tuple[int, ast.expr] | None:
        """Return the whole number that an expression is, and where it is written.

        A name stands for the number that the program gives it, where it does so once.
        """
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value, node
        if isinstance(node, ast.Name) and len(given := self._values.get(node.id, [])) == 1 and given[0] is not None:
            return self.integer(given[0]) if isinstance(given[0], ast.Constant) else None
        return None

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where an expression begins and ends in the text."""
        return self._offset(node.lineno, node.col_offset), self._offset(
            node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        )

    def _offset(self, line: int, column: int) -> int:
        """Return the offset of a place that `ast` counts in bytes of a line."""
        start = self._starts[line - 1]
        return start + len(self.text[start:].partition("\n")[0].encode()[:column].decode())

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts
