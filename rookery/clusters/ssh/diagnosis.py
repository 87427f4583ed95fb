"""Turn ssh's error output into one line for a user, and what to do next.

OpenSSH's messages are not translated, whatever the user's language. The patterns are the texts of OpenSSH 8 to 9.
"""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import user_settings
from rookery.clusters.ssh.config_file import config_file, hops, usual_keys
from rookery.clusters.ssh.errors import CHANGED_KEY, THROUGH_JUMP, UNKNOWN_KEY, SshError, again
from rookery.clusters.ssh.host_keys import changed_key

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


def check_identity(cluster: "Cluster") -> None:
    """Refuse a key file that ssh would skip in silence or with a page of warnings.

    Raises:
        SshError: It is not there, can't be read, or others can read it.
    """
    if not cluster.identity_file:
        return
    path = Path(cluster.identity_file).expanduser()
    show = f"invoke clusters.show {cluster.name}   # says where cluster_identity_file was set"
    if not path.is_file():
        if Path(f"{path}.pub").is_file():  # the private half is in the agent or on a token
            return
        raise SshError("identity", f"{cluster.name}: there is no key file {path}.", hint=show)
    try:
        with path.open("rb"):
            status = path.stat()
    except OSError as error:
        raise SshError("identity", f"{cluster.name}: key file {path}: {error.strerror}.", hint=show) from None
    if path.suffix != ".pub" and status.st_mode & 0o077:
        raise SshError(
            "identity",
            f"{cluster.name}: others can read your private key {path} (mode {status.st_mode & 0o777:04o}), "
            "so ssh won't use it.",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )


def explain(cluster: "Cluster", stderr: str, *, batch: bool) -> SshError:
    """Return the error for what ssh printed before it failed.

    Args:
        cluster: Whom ssh was to reach.
        stderr: What it printed.
        batch: Whether it was forbidden to ask the user anything.
    """
    text = stderr.replace("\r", "")
    if cluster.proxy_jump and (THROUGH_JUMP.search(text) or _names_jump(cluster, text)):
        return _jump(cluster, text, batch=batch)
    if not text.strip():  # a command through a master that ends says nothing at all
        return _lost(cluster)
    for pattern, tell in _TABLE:
        if match := pattern.search(text):
            return tell(cluster, text, match, batch)
    return SshError("other", f"{cluster.name}: ssh failed: {_last(text)}", hint=_by_hand(cluster))


def _at(cluster: "Cluster") -> str:
    return f"{cluster.host} (port {cluster.port})"


def _show(cluster: "Cluster", key: str) -> str:
    return f"invoke clusters.show {cluster.name}   # is {key} right?{_vpn(cluster)}"


def _vpn(cluster: "Cluster") -> str:
    """Return a sentence on the cluster's VPN, where one may be missing."""
    vpn = cluster.data.get("cluster_vpn") or {}
    if vpn.get("needed") not in {"off_campus", "always", "unknown"} or cluster.sandbox:
        return ""
    when = {"off_campus": "off campus it needs", "always": "it needs", "unknown": "it may need"}[vpn["needed"]]
    return f" And {when} {vpn.get('name') or 'the VPN'}."


def _by_hand(cluster: "Cluster") -> str:
    return f"ssh -v -F {shlex.quote(str(config_file(cluster)))} {cluster.name}   # shows ssh's own account of it"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not _NOISE.search(line)]
    return lines[-1].strip() if lines else "it said nothing"


_NOISE = re.compile(
    r"^\s*$|Host key verification failed|^Warning: |^mux_client|^Connection to .* closed|^ControlSocket|^@+$"
    r"|Received disconnect|^Disconnected from|^kex_exchange_identification: |^Connection closed by UNKNOWN"
)

_Tell = Callable[["Cluster", str, "re.Match[str]", bool], SshError]


def _unresolved(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError("unresolved", f"{cluster.name}: no host is called {match[1]}.", hint=_show(cluster, "cluster_host"))


def _no_answer(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    hint = f"invoke clusters.show {cluster.name}   # are host and network right?{_vpn(cluster)}"
    return SshError("no-answer", f"{cluster.name}: {_at(cluster)} does not answer: {match[1].lower()}.", hint=hint)


def _refused(cluster: "Cluster", _text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    message = f"{cluster.name}: {cluster.host} refuses connections on port {cluster.port}: no ssh server listens there."
    return SshError("refused", message, hint=_show(cluster, "cluster_port"))


def _dropped(cluster: "Cluster", _text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    message = (
        f"{cluster.name}: {_at(cluster)} hung up before the login: too many logins at once, or your address is blocked."
    )
    return SshError("dropped", message, hint="wait a few minutes, then run the same command again")


def _changed(cluster: "Cluster", text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    return changed_key(cluster, text)


def _unknown(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError(
        "unknown-key",
        f"{cluster.name}: the {match[1]} host key of {match[2]} is not known.",
        hint=again(cluster),
    )


def _denied(cluster: "Cluster", text: str, match: "re.Match[str]", batch: bool) -> SshError:
    asks = _can_ask(match[1])
    key = f"key {cluster.identity_file}" if cluster.identity_file else "any key of yours"
    if bad := re.search(r'^Load key "(.+)": (.+)$', text, re.MULTILINE):
        return SshError(
            "identity",
            f"{cluster.name}: ssh can't use the key {bad[1]}: {bad[2]}.",
            hint=f"ssh-keygen -y -f {shlex.quote(bad[1])}",
        )
    if batch and (locked := _locked_key(cluster)):
        message = f"{cluster.name}: your key {locked} has a passphrase, and there is no terminal here to ask for it."
        hint = f"{again(cluster)}   # in a terminal; or first: ssh-add {shlex.quote(str(locked))}"
        return SshError("denied", message, hint=hint)
    if asks and batch:
        message = (
            f"{cluster.name}: {cluster.host} refuses {key} for {cluster.user}, and would ask for a password or a code."
        )
        hint = f"{again(cluster)}   # in a terminal, where it can ask; with --user if {cluster.user} is not you there"
        return SshError("denied", message, hint=hint)
    if asks:
        ways = "+".join(cluster.data.get("cluster_logins") or ())
        once = " A code serves once: wait for the next one." if "totp" in ways else ""
        message = (
            f"{cluster.name}: {cluster.host} does not let {cluster.user} in: the username or what was typed is wrong "
            f"there, or it came too late.{once}"
        )
        return SshError("denied", message, hint=f"{again(cluster)} --user YOUR_USERNAME_THERE")
    message = (
        f"{cluster.name}: {cluster.host} refuses the login of {cluster.user} with {key}: "
        "the username or the key is wrong there."
    )
    others = "or set cluster_identity_file; ssh-add a key that has a passphrase"
    return SshError("denied", message, hint=f"{again(cluster)} --user YOUR_USERNAME_THERE   # {others}")


def _can_ask(methods: str) -> bool:
    """Return whether one of the methods that sshd still offers, separated by commas, asks the user something."""
    return bool({"password", "keyboard-interactive"} & set(methods.split(",")))


def is_locked(path: Path) -> bool:
    """Return whether a passphrase protects a private key."""
    opened = ["ssh-keygen", "-y", "-P", "", "-f", str(path)]
    completed = subprocess.run(opened, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "incorrect passphrase" in completed.stderr


def _locked_key(cluster: "Cluster") -> Path | None:
    """Return the key that ssh would have used with its passphrase; None where that is not the reason."""
    identity_file = cluster.identity_file
    tried = [Path(identity_file).expanduser()] if identity_file else [*user_settings.keys(cluster), *usual_keys()]
    return next((path for path in tried if path.is_file() and is_locked(path)), None)


def _too_many(cluster: "Cluster", _text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError(
        "too-many-keys",
        f"{cluster.name}: {cluster.host} gave up after too many keys: your ssh agent offered all of its own.",
        hint=f"set cluster_identity_file for {cluster.name}, so that only that key is offered",
    )


def _lost(cluster: "Cluster", *_: object) -> SshError:
    message = f"{cluster.name}: the connection to {cluster.host} broke off."
    return SshError("lost", message, hint="run the same command again: it carries on where this one stopped")


def _config(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError(
        "other", f"{cluster.name}: ssh does not understand its configuration: {match[1]}.", hint="edit that file"
    )


def _open_to_others(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    message = f"{cluster.name}: others can write to {match[1]}, or it is not yours, so ssh won't read it."
    return SshError("other", message, hint=f"chmod 600 {shlex.quote(match[1])}")


_TABLE: list[tuple["re.Pattern[str]", _Tell]] = [
    (CHANGED_KEY, _changed),
    (UNKNOWN_KEY, _unknown),
    (re.compile(r"^(.+: line \d+: Bad .+?)\.?$", re.MULTILINE), _config),
    (re.compile(r"^(Can't open user config file .+)$", re.MULTILINE), _config),
    (re.compile(r"^Bad owner or permissions on (.+)$", re.MULTILINE), _open_to_others),
    (re.compile(r"Could not resolve hostname (\S+?):"), _unresolved),
    (re.compile(r"connect to host .* port \d+: Connection refused"), _refused),
    (re.compile(r"connect to host .* port \d+: (.+)"), _no_answer),
    (re.compile(r"^(Connection timed out) during banner exchange", re.MULTILINE), _no_answer),
    (re.compile(r"Too many authentication failures"), _too_many),
    (re.compile(r"Permission denied \(([^)]*)\)"), _denied),
    (re.compile(r"kex_exchange_identification|Connection (?:closed|reset) by .* port \d+"), _dropped),
    (
        re.compile(r"client_loop: |mux_client_|Timeout, server .* not responding|Broken pipe|[Ss]ession open refused"),
        _lost,
    ),
]


def _names_jump(cluster: "Cluster", text: str) -> bool:
    """Return whether ssh's first error message is about one of the jump hosts rather than the cluster."""
    named = re.search(r"Could not resolve hostname (\S+?):|connect to host (\S+) port", text)
    unknown = UNKNOWN_KEY.search(text)
    host = next((part for part in (named.groups() if named else ()) if part), None) or (unknown[2] if unknown else None)
    return host is not None and host != cluster.host and any(hop in host for hop in hops(cluster))


def _jump(cluster: "Cluster", text: str, *, batch: bool) -> SshError:
    """Return the error for a connection that failed on its way through the jump host."""
    jump = cluster.proxy_jump or ""
    first_hop = jump.partition(",")[0]
    by_hand = f"ssh {f'ssh://{first_hop}' if ':' in first_hop else first_hop}"
    if match := UNKNOWN_KEY.search(text):
        message = f"{cluster.name}: the {match[1]} host key of its jump host {match[2]} is not known."
        return SshError("jump", message, hint=f"{by_hand}   # once, and compare the key that it shows")
    if match := re.search(r"open failed: (?:connect failed|administratively prohibited): (.+)", text):
        message = f"{cluster.name}: its jump host {jump} can't reach {_at(cluster)}: {match[1]}."
        return SshError("jump", message, hint=_show(cluster, "cluster_host"))
    if (match := re.search(r"^(\S+): Permission denied \(([^)]*)\)", text, re.MULTILINE)) and _can_ask(match[2]):
        if batch:
            message = f"{cluster.name}: its jump host {match[1]} would ask for a password or a code."
            return SshError("denied", message, hint=f"{again(cluster)}   # in a terminal, where it can ask")
        message = f"{cluster.name}: its jump host {match[1]} refused what was typed, or it came too late."
        return SshError("denied", message, hint=f"{by_hand}   # must work first, or change cluster_proxy_jump")
    lines = [line.strip() for line in text.splitlines() if not (_NOISE.search(line) or "please try again" in line)]
    why = (lines or ["it closed the connection"])[0].removeprefix("ssh: ").rstrip(".")
    message = f"{cluster.name}: no way through its jump host {jump}: {why}."
    return SshError("jump", message, hint=f"{by_hand}   # must work first, or change cluster_proxy_jump")
