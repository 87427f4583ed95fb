"""Turn ssh's error output into one line for a user, and what to do next.

OpenSSH's messages are not translated, whatever the user's language. The patterns are the texts of OpenSSH 8 to 9.
"""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.clusters.ssh import certificates, user_settings
from rookery.clusters.ssh.config_file import config_file, usual_keys
from rookery.clusters.ssh.errors import CHANGED_KEY, THROUGH_JUMP, UNKNOWN_KEY, SshError, again
from rookery.clusters.ssh.host_keys import changed_key, host_pattern

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
    show = f"invoke clusters.show {cluster.name}   # shows where cluster_identity_file was set"
    if not path.is_file():
        if Path(f"{path}.pub").is_file():  # the private half is in the agent or on a token
            return
        raise SshError("identity", f"{cluster.name}: can't find the key file {path}.", hint=show)
    try:
        with path.open("rb"):
            status = path.stat()
    except OSError as error:
        raise SshError(
            "identity", f"{cluster.name}: can't read the key file {path}: {error.strerror}.", hint=show
        ) from None
    if path.suffix != ".pub" and status.st_mode & 0o077:
        raise SshError(
            "identity",
            f"{cluster.name}: ssh refuses your private key {path}, because others can read it "
            f"(mode {status.st_mode & 0o777:04o}).",
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
    if error := certificates.refused(cluster, text):
        return error
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
    if cluster.sandbox:
        return f"invoke sandbox.up {cluster.name}   # starts the miniature"
    return f"invoke clusters.show {cluster.name}   # shows {key} and where it was set"


def _online(cluster: "Cluster") -> str:
    """Return the question whether the network and the cluster's VPN are on."""
    if cluster.sandbox:
        return "is the miniature running?"
    vpn = cluster.data.get("cluster_vpn") or {}
    name = f"the {vpn['name']}" if vpn.get("name") else "the VPN"
    if vpn.get("needed") in {"off_campus", "always"}:
        return f"are you online, and is {name} on?"
    return (
        f"are you online, and is {name} on, if it needs one?" if vpn.get("needed") == "unknown" else "are you online?"
    )


def _go_online(cluster: "Cluster") -> str:
    """Return what to do where a cluster can't be reached."""
    if cluster.sandbox:
        return f"invoke sandbox.up {cluster.name}   # starts the miniature"
    vpn = cluster.data.get("cluster_vpn") or {}
    url = f" ({vpn['url']})" if vpn.get("url") else ""
    on = f" and {vpn.get('name') or 'the VPN'}{url}" if vpn.get("needed") in {"off_campus", "always", "unknown"} else ""
    return f"check your network{on}, then run the command again"


def _by_hand(cluster: "Cluster") -> str:
    return f"ssh -v -F {shlex.quote(str(config_file(cluster)))} {cluster.name}   # shows the details"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not _NOISE.search(line)]
    return lines[-1].strip() if lines else "no output"


_NOISE = re.compile(
    r"^\s*$|Host key verification failed|^Warning: |^mux_client|^Connection to .* closed|^ControlSocket|^@+$"
    r"|Received disconnect|^Disconnected from|^kex_exchange_identification: |^Connection closed by UNKNOWN"
)

_Tell = Callable[["Cluster", str, "re.Match[str]", bool], SshError]


def _unresolved(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    message = f"{cluster.name}: can't find {match[1]}: {_online(cluster)}"
    return SshError("unresolved", message, hint=_go_online(cluster))


def _no_answer(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    message = f"{cluster.name}: no answer from {_at(cluster)} ({match[1].lower()}): {_online(cluster)}"
    return SshError("no-answer", message, hint=_go_online(cluster))


def _refused(cluster: "Cluster", _text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    message = (
        f"{cluster.name}: {cluster.host} refuses connections on port {cluster.port}: no ssh server is running there."
    )
    return SshError("refused", message, hint=_show(cluster, "cluster_port"))


def _dropped(cluster: "Cluster", _text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    message = (
        f"{cluster.name}: {_at(cluster)} closed the connection before the login: too many logins at once, "
        "or your address is blocked."
    )
    return SshError("dropped", message, hint="wait a few minutes, then run the same command again")


def _changed(cluster: "Cluster", text: str, _match: "re.Match[str]", _batch: bool) -> SshError:
    return changed_key(cluster, text)


def _unknown(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError(
        "unknown-key",
        f"{cluster.name}: unknown {match[1]} host key of {match[2]}.",
        hint=again(cluster),
    )


def _denied(cluster: "Cluster", text: str, match: "re.Match[str]", batch: bool) -> SshError:
    asks = _can_ask(match[1])
    key = f"key {cluster.identity_file}" if cluster.identity_file else "all your keys"
    if bad := re.search(r'^Load key "(.+)": (.+)$', text, re.MULTILINE):
        return SshError(
            "identity",
            f"{cluster.name}: ssh can't use the key {bad[1]}: {bad[2]}.",
            hint=f"ssh-keygen -y -f {shlex.quote(bad[1])}",
        )
    if batch and (locked := _locked_key(cluster)):
        message = f"{cluster.name}: your key {locked} has a passphrase, and there is no terminal to ask for it."
        hint = f"{again(cluster)}   # in a terminal; or run first: ssh-add {shlex.quote(str(locked))}"
        return SshError("denied", message, hint=hint)
    if "gssapi" in (cluster.data.get("cluster_logins") or ()) and not has_ticket():
        command = cluster.data.get("cluster_login_command") or "kinit"
        message = f"{cluster.name}: {cluster.host} rejected {key} for {cluster.user}, and you have no Kerberos ticket."
        return SshError("denied", message, hint=f"{command}   # gets a ticket; then run the same command again")
    if asks and batch:
        message = f"{cluster.name}: {cluster.host} rejected {key} for {cluster.user}, and wants a password or a code."
        hint = f"{again(cluster)}   # in a terminal; with --user if {cluster.user} is not your username"
        return SshError("denied", message, hint=hint)
    if asks:
        ways = "+".join(cluster.data.get("cluster_logins") or ())
        once = " Each code works once: wait for the next one." if "totp" in ways else ""
        once += " If a request came to your phone, it was not approved in time." if "push" in ways else ""
        message = (
            f"{cluster.name}: {cluster.host} rejected the login of {cluster.user}: wrong username, password or code, "
            f"or you were too slow.{once}"
        )
        return SshError("denied", message, hint=f"{again(cluster)} --user YOUR_USERNAME")
    message = f"{cluster.name}: {cluster.host} rejected {key} for {cluster.user}: the username or the key is wrong."
    others = "or set cluster_identity_file to the right key"
    return SshError("denied", message, hint=f"{again(cluster)} --user YOUR_USERNAME   # {others}")


def has_ticket() -> bool:
    """Return whether there is a valid Kerberos ticket on this computer."""
    try:
        return subprocess.run(["klist", "-s"], capture_output=True, check=False).returncode == 0
    except OSError:  # Kerberos is not installed
        return False


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
        f"{cluster.name}: {cluster.host} rejected the login, because your ssh agent offered too many keys.",
        hint=f"set cluster_identity_file for {cluster.name}, so that ssh offers only that key",
    )


def _lost(cluster: "Cluster", *_: object) -> SshError:
    message = f"{cluster.name}: lost the connection to {cluster.host}."
    return SshError("lost", message, hint="run the same command again to continue")


def _config(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    return SshError("other", f"{cluster.name}: ssh can't read its configuration: {match[1]}.", hint="edit that file")


def _open_to_others(cluster: "Cluster", _text: str, match: "re.Match[str]", _batch: bool) -> SshError:
    message = f"{cluster.name}: ssh refuses to read {match[1]}, because others can write to it or own it."
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
    return host is not None and host not in {cluster.host, host_pattern(cluster)}


def _jump(cluster: "Cluster", text: str, *, batch: bool) -> SshError:
    """Return the error for a connection that failed on its way through the jump host."""
    jump = cluster.proxy_jump or ""
    first_hop = jump.partition(",")[0]
    by_hand = f"ssh {f'ssh://{first_hop}' if ':' in first_hop else first_hop}"
    if match := UNKNOWN_KEY.search(text):
        message = f"{cluster.name}: unknown {match[1]} host key of the jump host {match[2]}."
        return SshError("jump", message, hint=f"{by_hand}   # run it once, and compare the host key that it shows")
    if match := re.search(r"open failed: (?:connect failed|administratively prohibited): (.+)", text):
        message = f"{cluster.name}: the jump host {jump} can't reach {_at(cluster)}: {match[1]}."
        return SshError("jump", message, hint=_show(cluster, "cluster_host"))
    if (match := re.search(r"^(\S+): Permission denied \(([^)]*)\)", text, re.MULTILINE)) and _can_ask(match[2]):
        if batch:
            message = f"{cluster.name}: the jump host {match[1]} wants a password or a code."
            return SshError("denied", message, hint=f"{again(cluster)}   # in a terminal")
        message = f"{cluster.name}: the jump host {match[1]} rejected the password or code, or you were too slow."
        return SshError("denied", message, hint=f"{by_hand}   # must work first; or change cluster_proxy_jump")
    lines = [line.strip() for line in text.splitlines() if not (_NOISE.search(line) or "please try again" in line)]
    why = (lines or ["connection closed"])[0].removeprefix("ssh: ").rstrip(".")
    message = f"{cluster.name}: can't connect through the jump host {jump}: {why}."
    return SshError("jump", message, hint=f"{by_hand}   # must work first; or change cluster_proxy_jump")
