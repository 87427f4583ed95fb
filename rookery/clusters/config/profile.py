"""Load a cluster's profile: read from the inventory folders, merged as Ansible merges them, validated, and frozen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rookery.clusters.cluster import ACCOUNT, Cluster, NotApplicableError, account
from rookery.clusters.config import library, profile_checks, profile_edit, role_settings, schema
from rookery.clusters.config.inventory import Inventory, Setting, vars_files
from rookery.clusters.config.profile_checks import is_account
from rookery.clusters.ssh import user_settings
from rookery.core import atomic_files, paths, state_files
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblems
from rookery.core.yaml_document import Document, read

__all__ = [
    "Setting",
    "explain",
    "found_user",
    "is_account",
    "load",
    "names",
    "of_user",
    "remember",
    "require_account",
    "sources",
    "such_as",
]

PREFIX = "cluster_"


def sources(sandbox: bool = False) -> list[Path]:
    """Return the inventory folders, in the order in which they are merged: rookery's, the user's, the sandbox's."""
    own_folder = paths.config_dir() / "inventory"
    folders = [paths.root() / "inventory", *([own_folder] if own_folder.is_dir() else [])]
    return [*folders, *([_sandbox()] if sandbox else [])]


def _sandbox() -> Path:
    return state_files.place("sandbox", "inventory")


def names(sources: Sequence[Path] | None = None) -> list[str]:
    """Return the clusters that these folders (by default rookery's and the user's) know, in order of first mention.

    Raises:
        RookeryError: An inventory file is malformed.
    """
    inventory = Inventory.of(_or_default(sources))
    inventory.problems.report()
    return [name for name in inventory.hosts if name != "localhost"]


def load(
    name: str,
    sources: Sequence[Path] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    own_ssh: bool = True,
    for_setup: bool = False,
) -> Cluster:
    """Read, merge and validate a cluster's profile.

    Args:
        name: A host of the inventory.
        sources: Inventory folders, in order; by default rookery's and the user's.
        overrides: Variables given on the command line, which win over all folders.
        own_ssh: Whether the user's ~/.ssh/config has a say (user_settings.py); not in what is written for others.
        for_setup: Whether the settings that the roles read are checked as well.

    Raises:
        RookeryError: The cluster is unknown, or a file is malformed, or the profile is not as the schema wants it;
            with all problems of its files. Or the sandbox's folder is among the sources and holds no miniature of
            this cluster: the real one is never meant then.
    """
    folders = _or_default(sources)
    settings, problems = _merged(name, folders, overrides)
    profile = {key: setting for key, setting in settings.items() if key.startswith(PREFIX)}
    sandbox = _sandbox() in folders
    if sandbox and not vars_files(_sandbox() / "host_vars", name):
        problems.report()
        raise RookeryError(f"No miniature of {name} on this computer.", hint=f"invoke sandbox.up {name}")
    profile_checks.check(name, schema.check(name, profile, problems), problems)
    if for_setup or problems:
        role_settings.check(settings.values(), problems)
    problems.report()
    data = {key: setting.value for key, setting in profile.items()}
    cluster = Cluster(
        name=name,
        host=data["cluster_host"],
        port=data.get("cluster_port", 22),
        user=data.get("cluster_user", ""),
        identity_file=_expanded(data.get("cluster_identity_file", "")),
        known_hosts_file=_expanded(data.get("cluster_known_hosts_file", "")),
        proxy_jump=data.get("cluster_proxy_jump") or None,
        sandbox=sandbox,
        data=MappingProxyType(data),
        variables=MappingProxyType({key: setting.value for key, setting in settings.items()}),
    )
    if not own_ssh:
        return cluster
    own_folder = paths.config_dir() / "inventory"
    files = {setting.file for setting in profile.values()}
    own = {file for file in files if file is None or file.is_relative_to(own_folder)}
    chosen = {key for key, setting in profile.items() if setting.file in own}
    return user_settings.applied(cluster, chosen)


def _expanded(path: str) -> str | None:
    return str(Path(path).expanduser()) if path else None


def explain(
    name: str, sources: Sequence[Path] | None = None, overrides: Mapping[str, Any] | None = None
) -> list[Setting]:
    """Return every variable of a cluster with the file and line that set it. Merged, not validated.

    Raises:
        RookeryError: The cluster is unknown, or a file is malformed.
    """
    settings, problems = _merged(name, sources, overrides)
    problems.report()
    return list(settings.values())


def _merged(
    name: str, sources: Sequence[Path] | None, overrides: Mapping[str, Any] | None
) -> tuple[dict[str, Setting], FileProblems]:
    """Return every variable of a cluster, and what is wrong in the files that they came from."""
    inventory = Inventory.of(_or_default(sources))
    if name not in inventory.hosts:
        inventory.problems.report()
        raise _unknown(name, inventory)
    settings = inventory.variables(name)
    for key, value in (overrides or {}).items():
        settings[key] = Setting(key, value, None, 0, None, (key,))
    return settings, inventory.problems


def require_account(cluster: Cluster) -> None:
    """Refuse a cluster whose storage is named after the account, where that is not known.

    Raises:
        NotApplicableError: It isn't known yet.
    """
    if account(cluster.data) or not any(ACCOUNT in area.expression for area in cluster.storage):
        return
    raise NotApplicableError(
        f"Missing account on {cluster.title}{such_as(cluster.data.get('cluster_account', {}))}: "
        "your jobs are charged to it, and your storage there has its name.",
        hint=f"invoke setup {cluster.argument} --account CODE   # remembered for next time",
    )


def such_as(known: Mapping[str, Any]) -> str:
    """Return ` (the code of your project, such as x01)`: what an account is, in the words of the profile."""
    words = [known["hint"]] if "hint" in known else []
    words += [f"such as {known['example']}"] if "example" in known else []
    return f" ({', '.join(words)})" if words else ""


def of_user(name: str, user: str, account: str = "") -> dict[str, Any]:
    """Return the settings for a user's name and account, to load a profile with and to remember.

    Args:
        name: The cluster.
        user: Their username; "" where they don't say.
        account: The account that their jobs are charged to; "" where they don't say.

    Raises:
        RookeryError: The cluster is unknown, or a file is malformed.
    """
    personal: dict[str, Any] = {"cluster_user": user} if user else {}
    if account:
        known = next((setting.value for setting in explain(name) if setting.key == "cluster_account"), None)
        personal["cluster_account"] = {"required": False, **(known if isinstance(known, dict) else {}), "name": account}
    return personal


def found_user(cluster: Cluster) -> str:
    """Return the username that the user's ~/.ssh/config alone says.

    "" where their inventory has one, or none is known.
    """
    return "" if cluster.data.get("cluster_user") else cluster.user


def _or_default(folders: Sequence[Path] | None) -> list[Path]:
    return list(folders) if folders is not None else sources()


def _unknown(name: str, inventory: Inventory) -> RookeryError:
    """Return the error for a cluster that no inventory has; it names the known ones."""
    known = [host for host in inventory.hosts if host != "localhost"]
    for source in inventory.sources:
        if files := vars_files(source / "host_vars", name):
            return RookeryError(
                f"{paths.shown(files[0])} has settings for {name}, but no inventory file lists it.",
                hint=f"add `{name}:` below `all: hosts:` in {paths.shown(source / 'hosts.yml')}",
            )
    listed = f"Clusters: {', '.join(known)}." if known else "There are no clusters in the inventory."
    hint = "invoke clusters   # `invoke clusters.add` adds another one"
    if library.file(name):
        hint = f"invoke clusters.add {name}   # from the library of profiles"
    return RookeryError(f"Unknown cluster {name!r}{schema.nearest(name, known)}. {listed}", hint=hint)


def remember(name: str, values: Mapping[str, Any]) -> Path:
    """Write values into the user's own inventory, keeping comments and all other settings.

    Args:
        name: A cluster that is known.
        values: `cluster_*` keys, such as cluster_user.

    Returns:
        The file that holds them now.

    Raises:
        RookeryError: A value is not what the key may have (nothing is written then), or the file can't be edited.
    """
    load(name, overrides=values)
    folder = paths.config_dir() / "inventory"
    files = vars_files(folder / "host_vars", name) or [folder / "host_vars" / f"{name}.yml"]
    holding = [file for file in files if file.exists() and values.keys() & read(file).data.keys()]
    file = (holding or files)[-1]
    document = read(file) if file.exists() else Document(file, {}, {})
    text = file.read_text(encoding="utf-8") if file.exists() else "---\n"
    if all(document.data.get(key) == value for key, value in values.items()):
        return file
    for key, value in values.items():
        text = profile_edit.with_key(text, key, value)
    _write(file, text, {**document.data, **values})
    if not any((folder / f"hosts{extension}").exists() for extension in ("", ".yml", ".yaml", ".json")):
        # without an inventory file in it, Ansible warns about the folder
        _write(folder / "hosts.yml", f"---\nall:\n  hosts:\n    {name}:\n", {"all": {"hosts": {name: None}}})
    return file


def _write(file: Path, text: str, expected: Mapping[str, Any]) -> None:
    """Replace a file, if the text means what it should; a link stays a link."""

    def check(fresh: Path) -> None:
        if not _says(fresh, expected):
            lines = "; ".join(f"{key}: {value}" for key, value in expected.items())
            raise RookeryError(
                f"rookery can't edit {paths.shown(file)}: unusual format.", hint=f"set in that file: {lines}"
            )

    target = file.resolve()
    atomic_files.write(target, text, mode=target.stat().st_mode & 0o7777 if target.exists() else 0o644, check=check)


def _says(file: Path, expected: Mapping[str, Any]) -> bool:
    try:
        return read(file).data == expected
    except RookeryError:
        return False
