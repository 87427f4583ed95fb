"""Find files that may hold passwords or keys: they are never proposed for git."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from rookery.projects.adoption.folder_files import text_of

_NAMES: Final = (
    ".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pypirc", ".Renviron", ".git-credentials", ".pgpass",
    ".my.cnf", ".htpasswd", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.ppk",
    "*.kdbx", "*.keystore", "credentials", "credentials.*", "secrets.*", "secret.*", "service-account*.json",
    "service_account*.json", "kaggle.json", "token", "token.txt", "tokens.*", "api_key*", "apikey*", "password*",
)  # fmt: skip
_HARMLESS: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.example.env", "*.pub")
_CODE: Final = (".py", ".r", ".rmd", ".jl", ".sh")
_PATTERNS: Final = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}"),
    "a key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    "a token of GitLab": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a token of Hugging Face": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}"),
}


def find(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each file that looks like one with a secret, and why.

    Args:
        root: The folder.
        paths: Files in it.
    """
    for path in paths:
        name = PurePosixPath(path).name
        if _is_named_so(name):
            yield path, "its name"
        elif why := next((what for what, pattern in _PATTERNS.items() if pattern.search(text_of(root / path))), ""):
            yield path, why


def _is_named_so(name: str) -> bool:
    small = name if name == ".Renviron" else name.lower()
    if PurePosixPath(small).suffix in _CODE or any(fnmatchcase(small, pattern) for pattern in _HARMLESS):
        return False
    return any(fnmatchcase(small, pattern) for pattern in _NAMES)
