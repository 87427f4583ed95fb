"""Tell the user what ssh is about to ask: on the terminal, on their phone, or by the light of a security key."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clusters.ssh import user_settings
from rookery.clusters.ssh.config_file import usual_keys
from rookery.core.console import clean

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_FACTORS = {
    "password": "your password",
    "totp": "the code from your app",
    "push": "your phone, to approve the login",
    "interactive": "your answers to what the cluster asks",
    "gssapi": "a Kerberos ticket",
}
"""What a user needs for each part of a way of logging in, as `cluster_logins` has them."""


def announcement(cluster: "Cluster") -> str:
    """Return what a user should know before ssh asks: who asks, for what, and that nothing will show."""
    lines = [f"{cluster.name}: logging in to {cluster.host} as {cluster.user}"]
    if cluster.proxy_jump:
        lines.append(f"  through the jump host {cluster.proxy_jump}, which may ask you first")
    return "\n".join([*lines, f"  you need: {_typed(cluster)}", "  nothing appears while you type"])


def touch(cluster: "Cluster") -> str:
    """Return what to do where a login waits for a touch of a FIDO2 key; "" where no such key is used.

    ssh asks for it on standard error, which can't be shown while a login is tried without asking anything.
    """
    named = [Path(cluster.identity_file).expanduser()] if cluster.identity_file else user_settings.keys(cluster)
    for path in named or usual_keys():
        public = path.with_name(f"{path.name.removesuffix('.pub')}.pub")
        if public.is_file() and public.read_text(encoding="utf-8", errors="replace").startswith("sk-"):
            return f"{cluster.name}: touch your security key when it blinks ({public.name.removesuffix('.pub')})"
    return ""


def _typed(cluster: "Cluster") -> str:
    """Return what has to be typed for a login, by the profile."""
    data: dict[str, Any] = dict(cluster.data)
    logins = data.get("cluster_logins")
    if not logins:
        return "your password, or your key's passphrase"
    login = next((login for login in logins if login not in {"key", "certificate"}), "key")
    if login == "key":
        return "your key's passphrase"
    named = [_FACTORS[part] for part in login.split("+") if part != "key"]
    prompts = [clean(prompt).strip().rstrip(":") for prompt in data.get("cluster_login_prompts") or []]
    if len(prompts) == len(named):
        named = [f"{factor} ({prompt})" for factor, prompt in zip(named, prompts, strict=True)]
    elif "interactive" in login and prompts:
        named[-1] += f" ({', '.join(prompts)})"
    return ", then ".join(named)
