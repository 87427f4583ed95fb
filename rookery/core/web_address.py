"""Addresses of the web that the user gives: whether they may carry a secret, and what of them may be shown."""

import re
from urllib.parse import SplitResult, urlsplit

_LOCAL = ("127.0.0.1", "::1", "localhost")
"""Hosts that are this computer, to which a line need not be encrypted."""


def wrong(address: str) -> str:
    """Return what is wrong with an address that a secret is sent to; "" where nothing is. It does not repeat it."""
    parts = _split(address)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", address):
        return "must be an address such as https://HOST/…"
    if not address.isascii():
        return "must be of ASCII characters; write others as %XX"
    if parts.username is not None or parts.password is not None:
        return "must not have a user name or password before its host"
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return "must begin with https://: http:// is not encrypted"
    return ""


def origin(address: str) -> str:
    """Return scheme, host and port of an address; "" where it is none."""
    parts = _split(address)
    if parts is None or not parts.scheme or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def last_part(address: str) -> str:
    """Return the last part of an address's path, such as an ntfy topic; "" where it has none."""
    parts = _split(address)
    return parts.path.rpartition("/")[2] if parts else ""


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts
