"""The ways to log in to a miniature: keys, a made-up password, one-time codes, and a jump host before it.

Pure functions: a way of logging in and a cluster's profile in, plain data out. Only `secrets_for` makes something up.
"""

import base64
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.core.errors import RookeryError

WAYS = ("key", "password", "password+totp", "key+totp")
CODE_SECONDS = 30
"""How long one code is the right one (RFC 6238, 5.2)."""
_PASSWORD_PROMPT, _CODE_PROMPT = "Password:", "Verification code:"


@dataclass(frozen=True)
class Entrance:
    """The way to log in to a miniature.

    Attributes:
        way: One of WAYS; "" for a key, and a password where the cluster takes those.
        jump: Whether they come through a jump host, and no other way.

    Raises:
        RookeryError: There is no such way.
    """

    way: str = ""
    jump: bool = False

    def __post_init__(self) -> None:
        if self.way and self.way not in WAYS:
            raise RookeryError(
                f"Unknown --auth {self.way!r}. Use {', '.join(WAYS[:-1])} or {WAYS[-1]}.",
                hint="run the command again with one of these for --auth",
            )


def logins(way: str, profile: Mapping[str, Any]) -> list[str]:
    """Return what cluster_logins says of the miniature, the first way first."""
    real = profile.get("cluster_logins") or ["key"]
    if not way:
        return ["key", *(["password"] if any(login.startswith("password") for login in real) else [])]
    # where the cluster takes keys besides, they have to be brought there with the password first
    return [way, *(["key"] if way == "password" and "key" in real else [])]


def prompts(way: str, profile: Mapping[str, Any]) -> list[str]:
    """Return keyboard-interactive's questions, in order, in the cluster's own words where the profile has them."""
    usual = {"password+totp": [_PASSWORD_PROMPT, _CODE_PROMPT], "key+totp": [_CODE_PROMPT]}.get(way, [])
    own = [re.sub(r"[^ -~]", "", prompt).strip() for prompt in profile.get("cluster_login_prompts") or []]
    return own[-len(usual) :] if usual and len(own) >= len(usual) else usual


def describe(entrance: Entrance, profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the login settings for the templates of roles/sandbox, as `sandbox_*` variables.

    Args:
        entrance: The way to log in.
        profile: The cluster's `cluster_*` keys.
    """
    way = entrance.way
    methods = {
        "key": "publickey",
        "password": "password",
        "password+totp": "keyboard-interactive:pam",
        "key+totp": "publickey,keyboard-interactive:pam",
    }
    ways = logins(way, profile)
    return {
        "sandbox_methods": [methods[login] for login in ways],
        "sandbox_prompts": [f"{prompt} " for prompt in prompts(way, profile)],
        "sandbox_asks_password": way == "password+totp",
        "sandbox_knows_key": way in {"", "key", "key+totp"},
        # one factor is enough for a host that only forwards: the one that the cluster asks for first
        "sandbox_jump_methods": [methods[way.partition("+")[0]] if way else "publickey"] if entrance.jump else [],
    }


def settings(way: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the login settings of the miniature's inventory."""
    values: dict[str, Any] = {"cluster_logins": logins(way, profile)}
    if prompts(way, profile) or profile.get("cluster_login_prompts"):
        values["cluster_login_prompts"] = prompts(way, profile)
    return values


def secrets_for(described: Mapping[str, Any]) -> tuple[str, str]:
    """Return a new password and a new secret for codes; "" for what is not asked for.

    Args:
        described: What `describe` says.
    """
    asks_password = described["sandbox_asks_password"] or "password" in described["sandbox_methods"]
    return (
        secrets.token_urlsafe(9) if asks_password else "",
        base64.b32encode(secrets.token_bytes(20)).decode() if described["sandbox_prompts"] else "",
    )


def code(secret: str, now: float | None = None) -> str:
    """Return the six digits that an app would show (RFC 6238, with its default of HMAC-SHA-1).

    Args:
        secret: In base32, as apps take it.
        now: Seconds since 1970; by default this moment.
    """
    step = int(time.time() if now is None else now) // CODE_SECONDS
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    place = digest[-1] & 15
    return f"{int.from_bytes(digest[place : place + 4], 'big') % 2**31 % 10**6:06d}"
