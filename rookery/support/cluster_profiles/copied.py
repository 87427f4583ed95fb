"""Add a cluster by a profile that somebody else wrote: from a file, a web address, or rookery's library."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.config import library, own_inventory, profile_edit
from rookery.clusters.config.profile import PREFIX
from rookery.clusters.ssh import user_settings
from rookery.core import console, paths, prompts, yaml_document
from rookery.core.errors import RookeryError, one_line
from rookery.core.invocation import invocation
from rookery.support.cluster_profiles import questions
from rookery.support.options import ClustersAddOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

PATIENCE = 20
"""Seconds that a web server is given."""

OF_ALIAS = ("cluster_port", "cluster_proxy_jump")
"""Keys that the user's ssh alias says, where they give one."""


def run(options: ClustersAddOptions, known: "Cluster | None") -> int:
    """Write a copy of a profile into the user's own inventory, with their options in it.

    Args:
        options: The command's.
        known: The cluster of that name, where there is one already.

    Returns:
        The exit code: 0; 1 where the cluster has a profile already, which stays as it is.

    Raises:
        RookeryError: The profile can't be had, or is not valid.
    """
    text = _text(options)
    data = dict(yaml_document.parse(Path(options.source), text).data)
    if others := [key for key in data if not key.startswith(PREFIX)]:
        raise RookeryError(
            f"{options.source}: unknown key `{one_line(str(others[0]))}`: keys of a profile start with {PREFIX}.",
            hint="invoke docs profile",
        )
    alias = options.host if options.host and user_settings.is_alias(options.host) else ""
    unwanted = (*own_inventory.PERSONAL, *OF_ALIAS) if alias else tuple(own_inventory.PERSONAL)
    data = {key: value for key, value in data.items() if key not in unwanted}
    if known is None and not (options.yes or options.print) and prompts.is_interactive():
        options = _asked(options, data)
    own = _own(options, data, alias)
    own_inventory.check_source(options.name, text, options.source, own)
    for key in unwanted:
        text = profile_edit.without_key(text, key)
    for key, value in own.items():
        text = profile_edit.with_key(text, key, value)
    if known is not None:
        changed = [key for key in {**data, **own} if {**data, **own}[key] != known.data.get(key)]
        if not changed:
            console.say(f"{known.name} has this profile already.")
            console.say(f"next: {invocation()} setup {known.name}")
            return 0
        console.say(f"{known.name} has a profile already, and it stays as it is. Other values: {', '.join(changed)}")
        console.say(f"next: {invocation()} clusters.show {known.name}")
        return 1
    if options.print:
        own_inventory.validate(options.name, text, {**data, **own})
        print(text, end="")
        return 0
    file = own_inventory.add(options.name, text, {**data, **own})
    console.say(f"Wrote the profile of {options.name}: {paths.typed(file)}")
    for sentence in _trusted(data):
        console.say(f"  {sentence}")
    for note in data.get("cluster_notes") or []:
        console.say(f"  Note: {note}")
    console.say(f"next: {invocation()} setup {options.name}")
    return 0


def _asked(options: ClustersAddOptions, data: Mapping[str, Any]) -> ClustersAddOptions:
    """Return the options with the username and the account that the user says, where they did not give them."""
    host = options.host or str(data.get("cluster_host", options.name))
    user = options.user or questions.user(host, str(data.get("cluster_user_hint", "")))
    account = data.get("cluster_account")
    wanted = isinstance(account, dict) and account.get("required") and not options.account
    return replace(options, user=user, account=questions.account(account) if wanted else options.account)


def _own(options: ClustersAddOptions, data: dict[str, Any], alias: str) -> dict[str, Any]:
    """Return the values that the user's options give."""
    own = {
        "cluster_host": "" if alias else options.host,
        "cluster_ssh_host": alias,
        "cluster_port": int(options.port) if options.port.isdecimal() else 0,
        "cluster_user": options.user,
        "cluster_proxy_jump": options.jump or _jump(options.user, data),
    }
    account = data.get("cluster_account")
    if options.account:
        known = account if isinstance(account, dict) else {"required": True}
        own["cluster_account"] = {**known, "name": options.account}
    elif isinstance(account, dict) and "name" in account:  # somebody else's
        own["cluster_account"] = {key: value for key, value in account.items() if key != "name"}
    return {key: value for key, value in own.items() if value}


def _jump(user: str, data: Mapping[str, Any]) -> str:
    """Return the profile's jump hosts with the user's name, which a shared profile leaves out; "" for no change."""
    jump = data.get("cluster_proxy_jump")
    if not user or not isinstance(jump, str):
        return ""
    return ",".join(hop if "@" in hop else f"{user}@{hop}" for hop in jump.split(","))


def _trusted(data: dict[str, Any]) -> list[str]:
    """Return what of a profile the user trusts its author with, in sentences, so that they can look at it."""
    quota = data.get("cluster_quota") or {}
    partitions = [entry for entry in data.get("cluster_partitions") or [] if isinstance(entry, dict)]
    preambles = [data.get("cluster_job_preamble"), *(partition.get("preamble") for partition in partitions)]
    lines = dict.fromkeys(str(line) for preamble in preambles for line in preamble or [])
    commands = [f"in jobs, {line}" for line in lines]
    if quota.get("command"):
        commands.append(f"for quotas, {quota['command']}")
    others = [str(entry.get("submit", "")) for entry in data.get("cluster_architectures") or []]
    commands += [f"to submit jobs, {command}" for command in filter(None, others)]
    expressions = [str(entry.get("expression", "")) for entry in data.get("cluster_storage") or []]
    commands += [f"to find storage, {text}" for text in expressions if "$(" in text or "`" in text]
    sentences = [f"It runs on the cluster, as you: {command}" for command in commands]
    if data.get("cluster_login_command"):
        sentences.append(f"To log in, you run on your own computer: {data['cluster_login_command']}")
    if data.get("cluster_forward_agent"):
        sentences.append("It forwards your ssh agent to the cluster, whose administrators can use your keys meanwhile.")
    downloads = [data.get("cluster_proxy"), *(data.get("cluster_mirrors") or {}).values()]
    sentences += [f"Downloads come from, or through: {address}" for address in dict.fromkeys(filter(None, downloads))]
    return [one_line(sentence) for sentence in sentences]


def _text(options: ClustersAddOptions) -> str:
    """Return the text of the profile that is meant: a web address, a profile of the library, or a file.

    Raises:
        RookeryError: It can't be read.
    """
    source = options.source
    if "://" in source:
        return _fetched(source)
    file = library.file(source) or Path(source).expanduser()
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RookeryError(f"Can't read {source}: {error.strerror}.", hint="ls   # is that the file's name?") from None
    return _decoded(source, data)


def _fetched(address: str) -> str:
    """Return what a web server sends for an address, by curl, which follows redirections to other https addresses.

    Raises:
        RookeryError: The address is not encrypted, or there is no answer.
    """
    if not address.startswith("https://"):
        raise RookeryError(
            f"{address}: only https addresses are used, since others can be changed on their way.",
            hint="download the file, look at it, and use --from FILE",
        )
    limits = ["--max-time", str(PATIENCE), "--max-filesize", str(yaml_document.LARGEST), "--proto", "=https"]
    command = ["curl", "--fail", "--silent", "--show-error", "--location", "--proto-redir", "=https", *limits]
    completed = subprocess.run([*command, "--", address], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if completed.returncode:
        why = (completed.stderr.decode(errors="replace").strip().splitlines() or ["curl failed"])[-1]
        why = one_line(re.sub(r"^curl: (\([0-9]+\) )?", "", why)).rstrip(".")
        raise RookeryError(f"Can't fetch {address}: {why}.", hint="are you online, and is the address right?")
    return _decoded(address, completed.stdout)


def _decoded(source: str, data: bytes) -> str:
    if len(data) > yaml_document.LARGEST:
        raise RookeryError(f"{source} is too large for a profile.", hint="use the address of the YAML file itself")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RookeryError(f"{source} is not text in UTF-8.", hint="use the address of the YAML file itself") from None
