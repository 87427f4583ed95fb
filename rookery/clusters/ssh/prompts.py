"""Tell the user what ssh is about to ask on the terminal."""

from typing import TYPE_CHECKING, Any

from rookery.core.console import clean

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster


def announcement(cluster: "Cluster") -> str:
    """Return what a user should know before ssh asks: who asks, for what, and that nothing will show."""
    lines = [f"{cluster.name}: logging in to {cluster.host} as {cluster.user}"]
    if cluster.proxy_jump:
        lines.append(f"  through the jump host {cluster.proxy_jump}, which may ask you first")
    return "\n".join([*lines, f"  you need: {_typed(cluster)}", "  nothing appears while you type"])


def _typed(cluster: "Cluster") -> str:
    """Return what has to be typed for a login, by the profile."""
    data: dict[str, Any] = dict(cluster.data)
    logins = data.get("cluster_logins") or ["key"]
    login = next((login for login in logins if login not in {"key", "certificate"}), "key")
    if login == "key":
        return "your key's passphrase"
    factors = {"password": "your password", "totp": "the code from your app", "key": ""}
    named = [factors[part] for part in login.split("+") if factors[part]]
    prompts = data.get("cluster_login_prompts") or []
    if len(prompts) == len(named):
        named = [
            f"{factor} ({clean(prompt).strip().rstrip(':')})" for factor, prompt in zip(named, prompts, strict=True)
        ]
    return ", then ".join(named)
