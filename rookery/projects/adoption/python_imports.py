"""Find the modules that Python code imports, and those of them without which it does not run."""

import ast
from collections.abc import Iterator


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that code imports, by the first part of their names."""
    for node in ast.walk(tree):
        yield from _named(node)


def needed(tree: ast.AST) -> Iterator[str]:
    """Yield the modules without which code does not run, by the first part of their names.

    Not those for which it has another way (`try: import … except ImportError:`), nor those for type checkers alone.
    """
    unread = [tree]
    while unread:
        node = unread.pop()
        yield from _named(node)
        if isinstance(node, ast.Try) and any(map(_is_for_imports, node.handlers)):
            unread += node.finalbody
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in _names(node.test):
            unread += node.orelse
        else:
            unread += ast.iter_child_nodes(node)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module.partition(".")[0]


def _is_for_imports(handler: ast.ExceptHandler) -> bool:
    caught = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return handler.type is None or bool(caught & _names(handler.type))


def _names(expression: ast.expr) -> set[str]:
    nodes = list(ast.walk(expression))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }
