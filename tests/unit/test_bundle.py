"""What is sent to a login node: all that it needs over there, and no login shell reads it as anything else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.clusters.login_node import answers, bundle, data_answers, usage_answers
from rookery.homes import up_to_date
from rookery.remote.apply import resources

REMOTE = Path(__file__).parents[2] / "rookery/remote"
PROGRAMS = (
    "apply.main", "apply.session", "apply.verify", "apply.undo", "apply.fingerprint_check",
    *(f"slurm.{name}" for name in {**answers.PROGRAMS, **usage_answers.PROGRAMS}), *data_answers.PROGRAMS,
)  # fmt: skip


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


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_that_a_program_imports_is_sent_with_it(program: str) -> None:
    sent = {name.removeprefix("rookery.remote.") for name in bundle.modules(f"rookery.remote.{program}")}
    assert {needed for part in sent for needed in imported(part)} <= sent
    if program == "apply.main":
        assert {module for _, module, _ in resources._KINDS} <= {f"rookery.remote.{name}" for name in sent}


def test_what_is_compared_first_is_small() -> None:
    assert bundle.modules("rookery.remote.apply.fingerprint_check").keys() == {
        "rookery.remote.apply.fingerprint_check",
        "rookery.remote.frame",
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_fits_into_an_argument(program: str) -> None:
    assert len(bundle.code(program)) < bundle.ARGUMENT_BYTES * 0.9


def test_the_command_line_has_nothing_that_a_login_shell_reads_in_a_way_of_its_own() -> None:
    line, given = bundle.command("/usr/bin/python3", bundle.pack("apply.main", {"a": 'it\'s "quoted" !x\n'}))
    assert given is None
    assert not set(line) & set('"\n!`$\\')
    assert line.count("'") == 2


def test_all_that_carries_out_a_setup_counts_for_its_digest() -> None:
    """A home is gone through once more where any of it has changed."""
    counted = [path if path.endswith(".py") else f"{path}/" for path in up_to_date._PLAY]
    sent = {*bundle.modules("rookery.remote.apply.main"), *bundle.modules("rookery.remote.apply.session")}
    files = {f"{name.replace('.', '/')}.py" for name in sent}
    assert {file for file in files if not file.startswith(tuple(counted))} == set()
