"""Add a cluster to the user's own inventory: its profile, and its name in the list of hosts."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any, Final

from rookery.clusters.config import profile, profile_edit
from rookery.core import atomic_files, paths
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblemsError
from rookery.core.yaml_document import read

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}")
_TAKEN: Final = frozenset({"all", "localhost", "ungrouped"})
"""Names that mean something else to commands, or to Ansible."""

PERSONAL: Final = (
    "cluster_user",
    "cluster_identity_file",
    "cluster_known_hosts_file",
    "cluster_ssh_host",
)
"""Keys about one user, or one computer, which are neither given to others nor taken from them."""


def folder() -> Path:
    """Return the folder of the user's own inventory, which need not exist."""
    return paths.config_dir() / "inventory"


def profile_file(name: str) -> Path:
    """Return the file of a cluster's profile in it."""
    return folder() / "host_vars" / f"{name}.yml"


def check_name(name: str) -> None:
    """Refuse a name that can't be a cluster's: it becomes part of commands, paths and of an ssh_config.

    Raises:
        RookeryError: It can't.
    """
    if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
        raise RookeryError(
            f"{name!r} can't be the name of a cluster: use at most 31 letters, digits, - and _.",
            hint="invoke clusters.add --help",
        )


def check_source(name: str, text: str, source: str, given: Mapping[str, Any]) -> None:
    """Refuse somebody else's profile that is not valid, by the lines of the file that they wrote.

    Args:
        name: What the cluster is to be called.
        text: The profile, as it came.
        source: The file or the address that it came from.
        given: Keys and values that the user's options set instead.

    Raises:
        FileProblemsError: It is not valid, or an option is not; with all problems.
    """
    shown = Path(source.rpartition("/")[2]) if "://" in source else Path(source)
    try:
        _loaded(name, text, given)
    except FileProblemsError as error:
        problems = (with_changes(problem, file=problem.file and shown) for problem in error.problems)
        raise FileProblemsError(problems) from None


def validate(name: str, text: str, expected: Mapping[str, Any]) -> None:
    """Refuse a profile that does not say what it should, or that no command could load.

    Args:
        name: The cluster's.
        text: The profile, as YAML.
        expected: Its keys and values.

    Raises:
        RookeryError: It is not valid; with all problems.
    """
    try:
        loaded = _loaded(name, text)
    except FileProblemsError as error:  # of lines that are in no file yet
        why = "; ".join(problem.text for problem in error.problems)
        raise RookeryError(f"rookery can't write the profile of {name}: {why}.") from None
    if loaded != dict(expected):
        wrong = [key for key in {*loaded, *expected} if loaded.get(key) != expected.get(key)]
        raise RookeryError(f"rookery can't write the profile of {name}: {', '.join(sorted(wrong))} would change.")


def _loaded(name: str, text: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the `cluster_*` values of a profile's text, as commands would load it."""
    with tempfile.TemporaryDirectory(prefix="rookery-") as made:
        inventory = Path(made)
        (inventory / "host_vars").mkdir()
        (inventory / "host_vars" / f"{name}.yml").write_text(text, encoding="utf-8")
        (inventory / "hosts.yml").write_text(_hosts(name), encoding="utf-8")
        return dict(profile.load(name, [inventory], given, own_ssh=False).data)


def add(name: str, text: str, expected: Mapping[str, Any]) -> Path:
    """Write a new cluster's profile, and list its name; nothing is left where one of both can't be done.

    Args:
        name: The cluster's; no inventory knows it.
        text: Its profile, as YAML.
        expected: What that says.

    Returns:
        The profile's file.

    Raises:
        RookeryError: The profile is not valid, the file is there already, or the list can't be edited.
    """
    validate(name, text, expected)
    file, hosts = profile_file(name), folder() / "hosts.yml"
    if file.exists():
        raise RookeryError(
            f"{paths.typed(file)} exists already, so nothing was written.",
            hint=f"add `{name}:` below `all: hosts:` in {paths.typed(hosts)}, or delete that file",
        )
    listed = _with_host(hosts, name)
    atomic_files.write(file, text, mode=0o644)
    try:
        mode = hosts.stat().st_mode & 0o7777 if hosts.exists() else 0o644
        atomic_files.write(hosts.resolve(), listed, mode=mode)
    except BaseException:
        file.unlink()
        raise
    return file


def profile_text(name: str) -> str:
    """Return the text of the user's own file on a cluster; that of an empty one where there is none."""
    file = profile_file(name)
    return file.read_text(encoding="utf-8") if file.exists() else "---\n"


def check_values(name: str, values: Mapping[str, Any]) -> None:
    """Refuse values with which the cluster's profile would not be valid.

    Raises:
        RookeryError: It would not.
    """
    profile.load(name, overrides=values, own_ssh=False)


def replace(name: str, text: str, values: Mapping[str, Any]) -> None:
    """Replace the user's own file on a cluster, if its text says what it should; comments are the text's.

    Args:
        name: A cluster that is known.
        text: The new text.
        values: What it says that the old one did not.

    Raises:
        RookeryError: A value is not valid, or the text says something else.
    """
    check_values(name, values)
    file = profile_file(name)
    before = read(file).data if file.exists() else {}

    def check(fresh: Path) -> None:
        if read(fresh).data != {**before, **values}:
            raise RookeryError(f"rookery can't edit {paths.typed(file)}: unusual format.", hint=f"edit {file}")

    mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
    atomic_files.write(file.resolve(), text, mode=mode, check=check)
    if not any(folder().glob("*.yml")):  # without an inventory file in it, Ansible warns about the folder
        atomic_files.write(folder() / "hosts.yml", _hosts(name), mode=0o644)


def _hosts(name: str) -> str:
    return f"---\nall:\n  hosts:\n    {name}:\n"


def _with_host(file: Path, name: str) -> str:
    """Return the text of the list of hosts with one more, in front of the others; comments stay.

    Raises:
        RookeryError: It has another form.
    """
    import yaml

    if not file.exists() or not read(file).data:
        return _hosts(name)
    text = file.read_text(encoding="utf-8")
    node = profile_edit.composed(text)
    for key in ("all", "hosts"):
        inner = node.value if isinstance(node, yaml.MappingNode) and not node.flow_style else []
        node = next((value for known, value in inner if known.value == key), None)
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        start = node.value[0][0].start_mark
        return f"{text[: start.index]}{name}:\n{' ' * start.column}{text[start.index :]}"
    raise RookeryError(
        f"rookery can't edit {paths.typed(file)}: unusual format.",
        hint=f"add `{name}:` below `all: hosts:` in {paths.typed(file)}, and run the command again",
    )
