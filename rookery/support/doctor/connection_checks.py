"""Check the way to a cluster, from its profile to an open connection: which step fails, and why.

ssh is asked once, as in every other command, so that the user's own config, jump hosts and agents count; its
output tells which step failed. Only where that leaves two answers is it asked again, with -v.
"""

import re
import shlex
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.clusters.ssh import certificates, diagnosis, host_keys, user_settings
from rookery.clusters.ssh.config_file import config_file
from rookery.clusters.ssh.connection import Connection
from rookery.clusters.ssh.errors import SshError, again
from rookery.clusters.ssh.remote_command import unattended
from rookery.core import console, local_time, prompts
from rookery.core.errors import RookeryError
from rookery.homes import login
from rookery.support.doctor.checks import WAY, CheckResults

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.certificates import Certificate

SOON = 60 * 60
"""Seconds before its end from which a certificate gets a warning."""

PATIENCE = 30
"""Seconds for ssh to be asked once more."""

_STEPS = ("jump", "dns", "vpn", "port", "host-key", "account", "key", "second-factor")
"""The steps on the way, in the order in which they are taken."""

_OF = {
    "unresolved": "dns",
    "refused": "port",
    "no-answer": "port",
    "dropped": "port",
    "changed-key": "host-key",
    "unknown-key": "host-key",
    "jump": "jump",
    "identity": "key-file",
    "certificate": "certificate",
    "too-many-keys": "key",
    "denied": "key",
}
"""Which step a reason of ssh_errors belongs to."""


@dataclass(frozen=True)
class SshDebugOutput:
    """The facts in the output of `ssh -v` on a failed login.

    Attributes:
        methods: What the cluster would still take, as sshd names it.
        offered: Whether a key was offered.
        accepted: Whether a key was taken.
        message: The cluster's own words.
    """

    methods: tuple[str, ...] = ()
    offered: bool = False
    accepted: bool = False
    message: str = ""

    @property
    def asks(self) -> bool:
        """Whether it would ask for something."""
        return bool({"password", "keyboard-interactive"} & set(self.methods))


def parse_debug_output(text: str) -> SshDebugOutput:
    """Return the facts in ssh's output with -v. OpenSSH 7 to 9 use these words."""
    lines = text.replace("\r", "").splitlines()
    plain = [
        line for line in lines if line.strip() and not re.match(r"debug\d: |OpenSSH_|Connection closed|Warning: ", line)
    ]
    methods = re.findall(r"^debug1: Authentications that can continue: (\S+)", text, re.MULTILINE)
    messages = [line for line in plain if "Permission denied" not in line]
    return SshDebugOutput(
        tuple(methods[-1].split(",")) if methods else (),
        "Offering public key" in text,
        bool(re.search(r"Server accepts key|partial success|^(debug1: )?Authenticated to ", text, re.MULTILINE)),
        messages[-1].strip() if messages else "",
    )


def check_profile(results: CheckResults, name: str, *, sandbox: bool) -> "Cluster | None":
    """Check the cluster's profile and return it; None where it can't be used."""
    sources = profile.sources(sandbox)
    try:
        cluster = profile.load(name, sources, for_setup=True)
        if cluster.user:  # who has none yet has no account either
            profile.require_account(cluster)
    except RookeryError as error:
        results.fault_in_files("profile", error.message, error.hint or f"invoke clusters.show {name}")
        results.skip_rest("fix the cluster's profile first")
        return None
    results.ok("profile", f"{cluster.title}: {cluster.host}")
    if not cluster.user:
        fix = f"invoke login {name} --user YOUR_USERNAME   # no account yet? {whom_to_ask(cluster)}"
        results.fault("username", "not set", fix)
        results.skip_rest("fix your username first")
        return None
    results.ok("username", cluster.user)
    at_risk(results, cluster, time.localtime())
    return cluster


def whom_to_ask(cluster: "Cluster") -> str:
    """Return whom to ask about an account, in the profile's words."""
    access = cluster.data.get("cluster_access") or {}
    words = access.get("how") or (f"ask {access['ask']}" if access.get("ask") else "ask the people who run the cluster")
    url = access.get("url")
    return f"{words.rstrip('.')} ({url})" if url else str(words).rstrip(".")


def at_risk(results: CheckResults, cluster: "Cluster", now: time.struct_time) -> None:
    """Check whether the cluster may be down for work."""
    text = str((cluster.data.get("cluster_policies") or {}).get("at_risk") or "")
    if not text:
        results.ok("at-risk", "no regular times are known")
    elif login.at_risk_now(text, now):
        results.warn("at-risk", f"the cluster may be down for maintenance now ({text})", "try again later")
    else:
        results.ok("at-risk", f"not now ({text})")


def connect(
    results: CheckResults, cluster: "Cluster", *, accept_host_key: str = "", can_ask: bool | None = None
) -> "Connection | None":
    """Find the connection or open it; None where that fails, and the results say at which step.

    Args:
        results: Where the results go.
        cluster: The cluster.
        accept_host_key: The fingerprint of a host key that the user vouches for.
        can_ask: Whether there is a terminal to ask on; found out where None.
    """
    asking = prompts.is_interactive() if can_ask is None else can_ask
    connection, typed = Connection(cluster), False
    try:
        diagnosis.check_identity(cluster)
        own = "from your ~/.ssh/config" if user_settings.has_identity(cluster) else "chosen by ssh"
        results.ok("key-file", cluster.identity_file or own)
        certificate = certificates.best(cluster)
        if certificate is None or certificate.is_valid:  # of another one, the login shows whether it is needed
            _certificate(results, cluster, certificate)
        try:
            with console.waiting(f"Connecting to {cluster.name}"):
                was_open = connection.is_open()
                connection.open(batch=True, accept_host_key=accept_host_key)
        except SshError as error:
            if not asking or error.reason not in {"denied", "unknown-key", "jump"}:
                raise
            was_open, typed = False, True
            connection.open(batch=False, accept_host_key=accept_host_key)
            _without_key(results, cluster, error)
    except SshError as error:
        blame(results, cluster, error, _ask_again(connection, error), typed=typed)
        return None
    except RookeryError as error:  # ssh can't be given what the profile says
        results.fault("connection", error.message, error.hint or again(cluster))
        results.skip_rest("fix the connection first")
        return None
    how = "you typed it" if typed else "not needed" if not was_open else "not needed: already connected"
    note_connected(results, cluster, how)
    return connection


def _certificate(results: CheckResults, cluster: "Cluster", certificate: "Certificate | None") -> None:
    """Note until when the certificate is valid."""
    if certificate is None:
        results.ok("certificate", "none, and none needed so far")
    elif not certificate.is_valid:
        results.warn("certificate", certificates.problem(certificate), certificates.renewal(cluster))
    elif certificate.ends == certificates.FOREVER:
        results.ok("certificate", f"{certificate.shown} does not expire")
    else:
        message = f"{certificate.shown} is valid until {local_time.when(certificate.ends)}"
        if certificate.ends - time.time() < SOON:
            results.warn("certificate", message, certificates.renewal(cluster))
        else:
            results.ok("certificate", message)


def _without_key(results: CheckResults, cluster: "Cluster", error: SshError) -> None:
    """Note that a password was taken in the end, where the key was not."""
    codes = any("totp" in method for method in cluster.data.get("cluster_logins") or ())  # asked for besides a key
    if error.reason == "denied" and cluster.identity_file and not codes and "passphrase" not in error.message:
        fix = _copying(cluster, SshDebugOutput(methods=("password",)))
        results.warn(
            "key", f"the cluster does not accept {cluster.identity_file}, so each login asks for your password", fix
        )


def _ask_again(connection: "Connection", error: SshError) -> SshDebugOutput:
    """Ask ssh again in more detail, where its output may mean two things."""
    if error.reason not in {"denied", "dropped", "other"}:
        return SshDebugOutput()
    with (
        suppress(subprocess.TimeoutExpired, RookeryError),
        console.waiting(f"Asking {connection.cluster.name} for the reason"),
    ):
        ask = [
            *connection.ssh,
            "-v",
            "-o",
            "ControlPath=none",
            "-o",
            "BatchMode=yes",
            "-T",
            connection.cluster.name,
            "true",
        ]
        done = subprocess.run(
            ask, stderr=subprocess.PIPE, text=True, errors="replace", timeout=PATIENCE, check=False, **unattended()
        )
        return parse_debug_output(str(done.stderr))
    return SshDebugOutput()


def blame(results: CheckResults, cluster: "Cluster", error: SshError, debug: SshDebugOutput, *, typed: bool) -> None:
    """Note the step that failed; those before it passed, those after it were not reached."""
    step = _step(cluster, error, debug, typed=typed)
    if step in _STEPS:
        _note_passed(results, cluster, _STEPS[: _STEPS.index(step)])
    message = error.message.removeprefix(f"{cluster.name}: ").rstrip(".")
    fix = error.hint or again(cluster)
    match step:
        case "account":
            reason = debug.message or "it closes the connection after the login"
            results.fault(
                "account",
                f"the cluster accepts your login, but refuses a session: {reason}",
                f"{whom_to_ask(cluster)}: is the account of {cluster.user} active?",
            )
        case "vpn":
            name = (cluster.data.get("cluster_vpn") or {}).get("name") or "the VPN"
            url = (cluster.data.get("cluster_vpn") or {}).get("url")
            message = f"{cluster.host} does not answer. Off campus, it needs {name}"
            results.fault("vpn", message, f"connect to {name}{f' ({url})' if url else ''}, then run the command again")
        case "dns":
            results.fault(
                "dns", message if _names_resolve() else "this computer can't look up any name: is it online?", fix
            )
        case "key":
            results.fault("key", message, _copying(cluster, debug) if error.reason == "denied" else fix)
        case "second-factor" if not typed:
            results.skip(
                "second-factor", f"{message}, and rookery can't ask without a terminal", _in_a_terminal(cluster)
            )
        case _:
            results.fault(step, message, fix)
    results.skip_rest(f"fix {WAY[step]} first")


def _step(cluster: "Cluster", error: SshError, debug: SshDebugOutput, *, typed: bool) -> str:
    """Return the step that failed."""
    vpn = (cluster.data.get("cluster_vpn") or {}).get("needed")
    if error.reason == "no-answer" and vpn in {"off_campus", "always"} and not cluster.sandbox:
        return "vpn"
    if error.reason in {"dropped", "other"} and debug.accepted:
        return "account"
    if error.reason == "denied":
        if typed:
            return "second-factor" if debug.asks else "key"
        if (
            "passphrase" in error.message
            or debug.accepted
            or (debug.asks and not (debug.offered and cluster.identity_file))
        ):
            return "second-factor"
    return _OF.get(error.reason, "connection")


def _names_resolve() -> bool:
    """Return whether this computer can look up names at all."""
    try:
        socket.getaddrinfo("pypi.org", 443)
    except OSError:
        return False
    return True


def _in_a_terminal(cluster: "Cluster") -> str:
    return f"{again(cluster)}   # in a terminal; then run the command again"


def _copying(cluster: "Cluster", debug: SshDebugOutput) -> str:
    """Return the command that copies the user's key, where a password lets them in; else whom to ask."""
    key = f"{cluster.identity_file}.pub" if cluster.identity_file else "~/.ssh/id_ed25519.pub"
    shown = shlex.quote(key) if cluster.identity_file else key
    if debug.asks:
        script = "umask 077; mkdir -p ~/.ssh; cat >>~/.ssh/authorized_keys"
        ssh = shlex.join(["ssh", "-F", str(config_file(cluster)), cluster.name])
        return f"{ssh} {shlex.quote(script)} <{shown}   # copies your key; asks for your password once"
    other = f"{again(cluster)} --user YOUR_USERNAME_THERE"
    return f"{whom_to_ask(cluster)}: give them {shown}. If your username is another: {other}"


def _note_passed(results: CheckResults, cluster: "Cluster", steps: tuple[str, ...]) -> None:
    """Note that the steps before the failure passed."""
    messages = {
        "jump": cluster.proxy_jump or "not needed",
        "dns": cluster.host,
        "vpn": "not needed: the cluster answers",
        "port": f"port {cluster.port}",
        "account": "active",
        "key": "accepted, or not needed",
    }
    for step in steps:
        if step == "host-key":
            _host_key(results, cluster)
        else:
            results.ok(step, messages[step])


def _host_key(results: CheckResults, cluster: "Cluster") -> None:
    """Check whether the known key is one of the published ones, where there are any."""
    published = host_keys.published(cluster)
    fingerprints = [key.fingerprint for key in host_keys.known_keys(cluster)]
    if not published:
        results.ok("host-key", "unchanged (no published fingerprint is known to compare it with)")
    elif not fingerprints or set(fingerprints) & set(published):
        results.ok("host-key", "matches the published fingerprint")
    else:
        url = cluster.data.get("cluster_host_keys_url")
        fix = f"compare it with the published fingerprints{f' at {url}' if url else ''}: {', '.join(published)}"
        results.fault("host-key", f"{fingerprints[0]} does not match any published fingerprint", fix)


def note_connected(results: CheckResults, cluster: "Cluster", how: str) -> None:
    """Note that the connection is open."""
    _certificate(results, cluster, certificates.best(cluster))
    _note_passed(results, cluster, _STEPS[:-1])
    results.ok("second-factor", how)
    results.ok("connection", f"{cluster.user}@{cluster.host}")
