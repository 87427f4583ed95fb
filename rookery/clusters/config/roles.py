"""The roles that set up a home, and the settings that each reads."""

from rookery.core import paths
from rookery.core.yaml_document import read

TAGS = ("cluster", "shell", "storage", "python", "python_tools", "r", "tmux", "vscode")
"""The roles of playbooks/setup.yml, which are its tags."""


def settings_of_roles() -> dict[str, str]:
    """Return the settings that a user may give, and the role that reads each."""
    return {name: role for role in TAGS if role != "cluster" for name in _read_by(role)}


def _read_by(role: str) -> list[str]:
    specs = read(paths.root() / "roles" / role / "meta" / "argument_specs.yml").data["argument_specs"]
    return list(specs["main"].get("options", {}))
