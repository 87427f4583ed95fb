"""What is sent to a login node: all that it needs over there, and no login shell reads it as anything else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.clusters.login_node import bundle
from rookery.homes import remote_session, undo, up_to_date

REMOTE = Path(__file__).parents[2] / "rookery/remote"
SENT = {
    "a declaration": bundle.PARTS,
    "one declaration after another": remote_session.PARTS,
    "the last declaration": (*up_to_date.PARTS, "apply.fingerprint", "apply.main"),
    "a look": up_to_date.PARTS,
    "undo": undo.PARTS,
}


def imported(module: str) -> Iterator[str]:
    """The modules of the apply program that a module imports, wherever in it, but not for its types alone."""
    tree = ast.parse((REMOTE / f"{module.replace('.', '/')}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body.clear()
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rookery.remote"):
            module = str(node.module).removeprefix("rookery.remote").removeprefix(".")
            names = [f"{module}.{each.name}".removeprefix(".") for each in node.names]
            yield from (name if (REMOTE / f"{name.replace('.', '/')}.py").is_file() else module for name in names)


@pytest.mark.parametrize("what", SENT)
def test_all_that_a_part_imports_is_sent_with_it(what: str) -> None:
    parts = SENT[what]
    assert len(set(parts)) == len(parts)
    missing = {(part, needed) for part in parts for needed in imported(part) if needed not in parts}
    # a role's last declaration alone brings what seals a run; what is told in check mode needs no more than that
    assert missing <= ({("apply.main", "apply.fingerprint")} if what.endswith(("a declaration", "another")) else set())


def test_what_a_kind_of_thing_is_carried_out_by_is_sent() -> None:
    from rookery.remote.apply import resources

    assert {f"apply.{module}" for _, module, _ in resources._KINDS} <= set(bundle.PARTS) & set(up_to_date.PARTS)


def test_the_command_line_has_nothing_that_a_login_shell_reads_in_a_way_of_its_own() -> None:
    line, given = bundle.command("/usr/bin/python3", bundle.pack({"a": 'it\'s "quoted" !x\n'}))
    assert given is None
    assert not set(line) & set('"\n!`$\\')
    assert line.count("'") == 2
