"""Redact private data in a text: names, paths, keys, addresses, secrets."""

import ipaddress
import re
from collections.abc import Callable, Iterable

USER, HOME, HOST, EMAIL, KEY, ADDRESS, SECRET = (
    "<user>",
    "<home>",
    "<this computer>",
    "<email>",
    "<key>",
    "<address>",
    "<secret>",
)

_EMAIL = r"[A-Za-z0-9_.+%'-]+@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}"
_KEY = (
    r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)"
    r"|(?:ssh-(?:ed25519|rsa|dss)|sk-\S+@openssh\.com|ecdsa-sha2-\S+)\s+AAAA[A-Za-z0-9+/=]+"
    r"|AAAA[A-Z][A-Za-z0-9+/]{20,}={0,2}"
    r"|SHA256:[A-Za-z0-9+/]{20,}={0,2}"
    r"|(?:MD5:)?(?:[0-9a-fA-F]{2}:){15}[0-9a-fA-F]{2}"
)
_ADDRESS = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)"
# what may be an address of the sixth version; whether it is one, `ipaddress` knows
_COLONS = r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%\w+)?"
_MADE = (
    r"\b(?:gh[pousr]_|github_pat_|glpat-|hf_|sk-|xox[abprs]-|pypi-|AKIA|eyJ)[A-Za-z0-9_.-]{10,}"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
)
_NAMED = (
    r"(?i:(?<=password[=:])|(?<=passwd[=:])|(?<=token[=:])|(?<=secret[=:])|(?<=api_key[=:])|(?<=apikey[=:])"
    r"|(?<=passphrase[=:])|(?<=pwd[=:])|(?<=credential[=:])|(?<=credentials[=:])|(?<=private_key[=:]))"
    r"\s*[^\s,;&'\"]+"
)
_LONG = r"(?<![A-Za-z0-9_+=-])[A-Za-z0-9_+=-]{20,}(?![A-Za-z0-9_+=-])"
_HOMES = r"(?<![\w.])/(?:home|users|Users|u)/[^/\s:'\",;]+"

LEAST = 5
"""Letters from which on a name is redacted anywhere; a shorter one only as a separate word."""


def redactor(users: Iterable[str], homes: Iterable[str], hosts: Iterable[str]) -> Callable[[str], str]:
    """Return a function that redacts a text in one go, so that no replacement is itself redacted.

    Args:
        users: Names of the user, here and on clusters.
        homes: Folders of theirs.
        hosts: Names of this computer.
    """
    parts = [
        ("key", _KEY),
        ("secret", f"{_MADE}|{_NAMED}"),
        ("email", _EMAIL),
        ("home", "|".join([*(re.escape(home) for home in _sorted(homes) if len(home) > 1), _HOMES])),
        ("host", "|".join(f"(?i:{_word(host)})" for host in _sorted(hosts) if host.lower() != "localhost")),
        ("user", "|".join(f"(?i:{_word(user)})" for user in _sorted(users))),
        ("address", _ADDRESS),
        ("colons", _COLONS),
        ("long", _LONG),
    ]
    pattern = re.compile("|".join(f"(?P<{name}>{part})" for name, part in parts if part), re.DOTALL)
    words = {"key": KEY, "secret": SECRET, "email": EMAIL, "home": HOME, "host": HOST, "user": USER, "address": ADDRESS}
    known = re.compile(dict(parts)["user"] or r"(?!)"), re.compile(dict(parts)["host"] or r"(?!)")

    def put(match: "re.Match[str]") -> str:
        kind = str(match.lastgroup)
        if kind in words:
            return words[kind]
        if kind == "long" and _is_secret(match[0]):
            return SECRET
        if kind == "colons" and (end := _address_in(match[0])):
            return ADDRESS + match[0][end:]
        return known[1].sub(HOST, known[0].sub(USER, match[0]))

    return lambda text: pattern.sub(put, text)


def _sorted(names: Iterable[str]) -> list[str]:
    """Return texts with the longest first, so that a name that begins like another leaves no end behind."""
    return sorted({name for name in names if name}, key=lambda name: (-len(name), name))


def _word(name: str) -> str:
    text = re.escape(name)
    return text if len(name) >= LEAST else rf"(?<![A-Za-z0-9]){text}(?![A-Za-z0-9])"


def _address_in(text: str) -> int:
    """Return how much of a text is an IPv6 address; 0 where it is none. The end of a sentence is not part of it."""
    for end in (len(text), len(text.rstrip(".")), len(text.rstrip(".:"))):
        try:
            ipaddress.IPv6Address(text[:end])
        except ValueError:
            continue
        return end
    return 0


def _is_secret(text: str) -> bool:
    """Return whether a long run of letters and digits looks as if a machine had made it up."""
    digits = sum(letter.isdigit() for letter in text)
    if re.fullmatch(r"[0-9a-fA-F]{20,}", text):
        return True
    mixed = bool(re.search(r"[a-z]", text) and re.search(r"[A-Z]", text) and digits)
    return mixed or (len(text) >= 32 and digits >= 4)
