"""Plan the storage of a miniature from the cluster's profile: folders, variables, and what compute nodes do not see.

Pure functions, as in `plan`. Every storage that a profile names is there in its miniature, at the path it names.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rookery.clusters.cluster import ACCOUNT
from rookery.clusters.config.profile import is_account

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ONLY = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_OF_LOGIN = {"HOME", "USER", "LOGNAME", "UID"}
"""Variables that every login has, whatever the site does."""
_HOME = re.compile(r"(\$\{?HOME\}?|~)(/|$)")
_PLAIN = re.compile(r"(/[A-Za-z0-9_.-]+)+")
_OF_SYSTEM = {"bin", "boot", "dev", "etc", "home", "lib", "opt", "proc", "root", "run", "sbin", "srv", "sys", "usr"}

ALL, OWN = "1777", "700"
SHARED, PASSED = "2770", "2750"
"""Modes of an account's folder: where its users make folders of their own, and where the site does."""


def _entries(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(entry) for entry in profile.get("cluster_storage") or []]


def _is_of_node(entry: Mapping[str, Any]) -> bool:
    return entry.get("scope") == "node"


def _variable(entry: Mapping[str, Any]) -> str:
    """Return the variable that the site sets for an entry; "" for none."""
    only = _ONLY.fullmatch(str(entry["expression"]))
    name = str(entry.get("variable") or (only[1] if only else ""))
    return name if entry.get("site_sets", True) and _VARIABLE.fullmatch(name) else ""


def _label(variable: str) -> str:
    """Return the folder at the top that a variable of the site leads to, which is its name in the quota command."""
    short = variable.lower().rsplit("_", maxsplit=1)[-1]
    return variable.lower() if short in _OF_SYSTEM or not short else short


def storage(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the storage that the site itself gives a variable.

    Returns:
        name, label (in the quota command), variable, at_login (whether the start-up file sets it), path ("" for a
        folder of the account's below /LABEL), quota_mb (0 = none), file_cost_kb.
    """
    made = []
    for entry in _entries(profile):
        variable = _variable(entry)
        if not variable or _is_of_node(entry):
            continue
        is_alone = _ONLY.fullmatch(str(entry["expression"])) is not None
        made.append(
            {
                "name": entry["name"],
                "label": entry["name"] if variable == "HOME" else _label(variable),
                "variable": variable,
                "at_login": variable != "HOME",
                "path": "" if is_alone else _path(entry, profile),
                "quota_mb": entry.get("quota_mb") or 0,
                "file_cost_kb": entry.get("file_cost_kb") or 4,
            }
        )
    return made


def common_variables(profile: Mapping[str, Any]) -> dict[str, str]:
    """Return the site's variables that are a part of an expression, and the folder that each leads to: CFS, /cfs."""
    own = {entry["variable"] for entry in storage(profile)} | _OF_LOGIN
    used = [
        name
        for entry in _entries(profile)
        if not _is_of_node(entry)
        for name in _USED.findall(str(entry["expression"]))
        if name not in own
    ]
    return {name: f"/{_label(name)}" for name in dict.fromkeys(used)}


def node_variables(profile: Mapping[str, Any]) -> list[str]:
    """Return the variables that lead to a folder of the job on its node, $TMPDIR always."""
    return list(dict.fromkeys(["TMPDIR", *filter(None, map(_variable, filter(_is_of_node, _entries(profile))))]))


def account(profile: Mapping[str, Any]) -> str:
    """Return the account that jobs of a miniature must name; "" where the cluster asks for none."""
    return _code(profile) if (profile.get("cluster_account") or {}).get("required") else ""


def own_account(profile: Mapping[str, Any]) -> str:
    """Return the account of those who use a miniature; "" where neither jobs nor paths name one."""
    named = any(ACCOUNT in str(entry["expression"]) for entry in _entries(profile))
    return _code(profile) if named else account(profile)


def _code(profile: Mapping[str, Any]) -> str:
    known = profile.get("cluster_account") or {}
    code = str(known.get("name") or known.get("example") or "")
    return code if is_account(code) else "project"


def _path(entry: Mapping[str, Any], profile: Mapping[str, Any]) -> str:
    return str(entry["expression"]).replace(ACCOUNT, _code(profile)).rstrip("/")


def folders(profile: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the folders that the site makes for a new account.

    Returns:
        path (for a shell of the account's to evaluate), mode, owner ("user" or "root"), group ("" for the owner's);
        what is above others first.
    """
    made: dict[str, dict[str, str]] = {}
    for entry in _entries(profile):
        for folder in _folders(entry, profile):
            known = made.get(folder["path"])
            if known is None or known["mode"] == PASSED:
                made[folder["path"]] = folder
    return sorted(made.values(), key=lambda folder: folder["path"].count("/"))


def _folders(entry: Mapping[str, Any], profile: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    text, path, creates = str(entry["expression"]), _path(entry, profile), bool(entry.get("create"))
    if _HOME.match(text) or _ONLY.fullmatch(text) or entry["name"] == "home":
        return
    group, has_own = "", bool({"USER", "LOGNAME"} & set(_USED.findall(text))) or "$(" in text
    if ACCOUNT in text:
        group = _code(profile)
        above, _, below = text.rpartition(ACCOUNT)
        part, slash, below = below.partition("/")
        shared = f"{above}{ACCOUNT}{part}".replace(ACCOUNT, group)
        yield _folder(shared, SHARED if creates or not below else PASSED, group=group)
        if creates or not slash or not below:
            return
    if _is_of_node(entry):
        yield _folder(path.partition("/$")[0], ALL)
    elif has_own and not creates:
        yield _folder(path, OWN, owner="user")
    elif group:
        yield _folder(path, SHARED, group=group)
    else:
        yield _folder(path.rpartition("/")[0] if creates else path, ALL)


def _folder(path: str, mode: str, *, owner: str = "root", group: str = "") -> dict[str, str]:
    return {"path": path or "/", "mode": mode, "owner": owner, "group": group}


def hidden(profile: Mapping[str, Any]) -> list[str]:
    """Return the folders that compute nodes do not see."""
    common, made = common_variables(profile), []
    for entry in _entries(profile):
        if entry.get("on_compute_nodes", True) or _is_of_node(entry):
            continue
        text = str(entry["expression"])
        first = _USED.match(text)
        if _HOME.match(text) or entry["name"] == "home":
            made.append("/home")
        elif first:
            made.append(common.get(first[1]) or f"/{_label(first[1])}")
        else:
            made.append(_path(entry, profile).partition("/$")[0])
    return [folder for folder in dict.fromkeys(made) if _PLAIN.fullmatch(folder)]
