"""The user's side of a miniature: the key that logs in, the host key to check, the inventory that points there."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rookery.core import atomic_files, state_files
from rookery.remote import strict_json
from rookery.sandbox import auth, storage

KEY = "id_ed25519"
USER = "student"


def ensure_key(state: Path) -> Path:
    """Return the user's private key for all miniatures, made once; nobody else can read it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    private = state / KEY
    if not private.exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rookery-sandbox", "-f", str(private)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    for file in state.glob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(0o600)
    return private


def remember(state: Path, fields: Mapping[str, Any], host_key: str, jump_key: str = "") -> None:
    """Write the record of a miniature that has just started: NAME.json, and its host keys in known_hosts.

    Args:
        state: The user's folder.
        fields: The fields of `Miniature`.
        host_key: Kind and key, as in ssh_host_ed25519_key.pub.
        jump_key: The jump host's.
    """
    port, known_hosts = fields["port"], state / "known_hosts"
    fresh = {
        address if port == 22 else f"[{address}]:{port}": " ".join(key.split()[:2])
        for address, key in ((fields["address"], host_key), (fields.get("jump"), jump_key))
        if address
    }
    lines = known_hosts.read_text(encoding="utf-8").splitlines() if known_hosts.exists() else []
    kept = [line for line in lines if line.split(" ")[0] not in fresh]
    atomic_files.write(
        known_hosts, "".join(f"{line}\n" for line in (*kept, *(f"{place} {key}" for place, key in fresh.items())))
    )
    state_files.save(state / f"{fields['name']}.json", fields)


def write_inventory(name: str, state: Path, mirrors: Mapping[str, str], profile: Mapping[str, Any]) -> None:
    """Write the inventory that makes a cluster's name mean its miniature.

    Args:
        name: The cluster.
        state: The user's folder, where `remember` wrote of it.
        mirrors: `cluster_mirrors`; where empty the profile's own stay.
        profile: The cluster's `cluster_*` keys.
    """
    fields = strict_json.read(state / f"{name}.json")
    settings: dict[str, Any] = {
        "cluster_host": fields["address"],
        "cluster_port": fields["port"],
        "cluster_user": fields["user"],
        "cluster_identity_file": str(state / KEY),
        "cluster_known_hosts_file": str(state / "known_hosts"),
        "cluster_proxy_jump": f"{fields['user']}@{fields['jump']}:{fields['port']}" if fields.get("jump") else "",
        "cluster_host_keys": [{"type": "ssh-ed25519", "fingerprint": fields["fingerprint"]}],
        **auth.settings(fields.get("auth", ""), profile),
        **_account(profile),
    }
    if mirrors:
        settings["cluster_mirrors"] = dict(mirrors)
    atomic_files.write(state / "inventory" / "host_vars" / f"{name}.yml", _yaml(settings))
    _write_hosts(state)


def _account(profile: Mapping[str, Any]) -> dict[str, Any]:
    code = storage.own_account(profile)
    return (
        {"cluster_account": {"required": False, **(profile.get("cluster_account") or {}), "name": code}} if code else {}
    )


def forget(name: str, state: Path) -> None:
    """Remove the record of a miniature; the key stays for the next one."""
    note = state / f"{name}.json"
    if note.exists():
        fields: Any = {}
        with suppress(OSError, ValueError):
            fields = strict_json.read(note)
        addresses = {fields.get("address"), fields.get("jump")} if isinstance(fields, dict) else set()
        known_hosts = state / "known_hosts"
        lines = known_hosts.read_text(encoding="utf-8").splitlines() if known_hosts.exists() else []
        kept = [line for line in lines if line.split(" ")[0].strip("[").split("]")[0] not in addresses]
        atomic_files.write(known_hosts, "".join(f"{line}\n" for line in kept))
    for file in (note, state / "inventory/host_vars" / f"{name}.yml"):
        file.unlink(missing_ok=True)
    if (state / "inventory").is_dir():
        _write_hosts(state)


def hand_over(state: Path) -> None:
    """Give the folder back to the user who ran sudo."""
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit() and "ROOKERY_SANDBOX_STATE" in os.environ:
        owner, group = int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "-1"))
        for path in (state, *state.rglob("*")):
            os.chown(path, owner, group, follow_symlinks=False)


def _write_hosts(state: Path) -> None:
    names = sorted(file.stem for file in (state / "inventory/host_vars").glob("*.yml"))
    atomic_files.write(state / "inventory/hosts.yml", _yaml({"all": {"hosts": {name: {} for name in names}}}))


def _yaml(data: Mapping[str, Any]) -> str:
    import yaml

    return "# Written by rookery, for a miniature on this computer.\n" + yaml.safe_dump(dict(data), sort_keys=False)
