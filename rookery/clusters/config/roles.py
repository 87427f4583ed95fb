"""The roles that set up a home, and the settings that each reads."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rookery.core import paths
from rookery.core.yaml_document import read

TAGS = ("cluster", "shell", "storage", "python", "python_tools", "r", "tmux", "vscode", "other_architectures")
"""The roles of playbooks/setup.yml, which are its tags."""


def settings_of_roles() -> dict[str, str]:
    """Return the settings that a user may give, and the role that reads each."""
    return {name: role for role in TAGS if role != "cluster" for name in options(role)}


def options(role: str) -> Mapping[str, Any]:
    """Return the settings that a role reads, with their type and rules."""
    return _options(paths.root() / "roles" / role / "meta" / "argument_specs.yml")


@cache
def _options(file: Path) -> Mapping[str, Any]:
    """Return the settings that a file of rookery's own describes, which stays as it is while a command runs."""
    return MappingProxyType(read(file).data["argument_specs"]["main"].get("options", {}))
