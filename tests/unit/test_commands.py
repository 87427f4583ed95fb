"""Every command calls a function that is there, and takes what it is given."""

import importlib
import inspect

import pytest

from rookery.cli.command import CommandTask
from rookery.cli.commands import COMMANDS, GROUPS


@pytest.mark.parametrize("task", [*COMMANDS, *(task for group in GROUPS.values() for task in group)])
def test_its_function_takes_its_options(task: CommandTask) -> None:
    made_of = inspect.getclosurevars(task.body).nonlocals
    module, _, name = made_of["function"].partition(":")
    takes = inspect.signature(getattr(importlib.import_module(module), name))
    takes.bind(made_of["options"])
