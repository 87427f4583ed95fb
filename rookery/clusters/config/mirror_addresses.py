"""Check the addresses of `cluster_mirrors` and `cluster_proxy`.

Downloads from mirrors run as the user, so no network may change them.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_PROXY = re.compile(r"https?://([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_BY_SSH = re.compile(r"[\w.][\w.-]*(@[\w.-]+)?:[^:].*")
"""HOST:PATH, as git takes it; two colons would name a program that git shall run (gitremote-helpers(7))."""


def problem(key: str, address: str) -> str:
    """Return what is wrong with the value of a key of cluster_mirrors.

    Args:
        key: Such as pypi.
        address: Its value.

    Returns:
        The end of a sentence that begins with the key; "" where nothing is wrong.
    """
    if key == "pyenv_commit":
        return "" if _COMMIT.fullmatch(address) else f"must be a commit (40 hexadecimal digits), not {address!r}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return f"must be an address, not {address!r}"
    if "@" in parts.netloc:
        return (
            "can't have a username or password, which others on the cluster could read (put them into ~/.netrc there)"
        )
    is_for_git = key == "pyenv_git"
    if _BLANK.search(address):
        is_safe = False
    elif "://" not in address:
        is_safe = address.startswith("/") or (is_for_git and _BY_SSH.fullmatch(address) is not None)
    else:
        safe = {"https", "file"} | ({"ssh"} if is_for_git else set()) | ({"http"} if _is_here(host) else set())
        is_safe = parts.scheme in safe
    if is_safe:
        return ""
    return (
        f"must begin with https:// or file://, not {address!r}: other downloads can be tampered with "
        "(http:// works only for addresses of the machine itself, such as 127.0.0.1)"
    )


def proxy_problem(address: str) -> str:
    """Return what is wrong with the address of a web proxy; "" where nothing is.

    It carries encrypted downloads, so it need not be encrypted itself.

    Args:
        address: Such as "http://proxy.example.ac.uk:3128".
    """
    if _PROXY.fullmatch(address):
        return ""
    return f'must look like "http://proxy.example.ac.uk:3128", without a username or password, not {address!r}'


def _is_here(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
