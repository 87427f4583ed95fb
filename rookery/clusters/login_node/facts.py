"""Ask a login node for its facts, and read the answer.

The question is rookery/remote/scripts/probe.sh, one POSIX sh script, so that it works before a Python is known there.
"""

import base64
import gzip
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rookery.clusters import architectures
from rookery.clusters.cluster import expression, job_folders, job_home, large_storage, roomy
from rookery.clusters.config import mirror_addresses
from rookery.clusters.login_node import quota_formats
from rookery.core import paths
from rookery.core.errors import RookeryError

OLDEST_PYTHON = (3, 6)
"""The oldest Python that the apply program runs on."""

HOME_PROGRAMS = ".local/share"
"""Where in the home programs go, where the storage with room for them is one that others can change."""

_ONE = (
    "home",
    "user",
    "architecture",
    "node",
    "glibc",
    "os",
    "shell",
    "startup",
    "module_path",
    "r",
    "proxy",
    "programs_left",
)
_MANY = (
    "shells",
    "has",
    "present",
    "quota",
    "python_path",
    "writable",
    "python",
    "storage",
    "free_mb",
    "moving_mb",
    "installed_mb",
    "links_left",
)


_FLEETING = ("node", "free_mb", "installed_mb", "moving_mb", "writable", "programs_left", "links_left")


_PATH = re.compile(r"/[^\x00-\x1f\x7f]{0,4095}")
_FORMS = {
    "home": _PATH,
    "user": re.compile(r"[^\x00-\x20\x7f/:]{0,100}"),
    "architecture": re.compile(r"[A-Za-z0-9_.\-]{0,40}"),
}


def script() -> str:
    """Return the text of probe.sh, with what it needs in front."""
    return paths.remote("scripts/python.sh") + paths.remote("scripts/probe.sh")


def proxy_variables(facts: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables by which programs there use the web proxy; none where there is none.

    Args:
        facts: What the probe found: the proxy that a login shell sets.
        profile: The cluster's `cluster_*` values, whose proxy counts first.
    """
    proxy = str(profile.get("cluster_proxy") or facts.get("proxy") or "")
    if mirror_addresses.proxy_problem(proxy):
        return {}
    return dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)


def lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are worth keeping: those that don't change by themselves."""
    return {key: value for key, value in facts.items() if key not in _FLEETING}


def arguments(profile: Mapping[str, Any]) -> list[str]:
    """Return the arguments of probe.sh.

    Args:
        profile: The cluster's `cluster_*` values.
    """
    areas = [f"{area['name']}={expression(area, profile)}" for area in _areas(profile)]
    quota = (profile.get("cluster_quota") or {}).get("command") or ""
    return [*areas, "--", roomy(profile), quota, *(profile.get("cluster_moved_folders") or []), *job_folders(profile)]


def command(script: str, profile: Mapping[str, Any], *, glance: bool = False) -> str:
    """Return the probe as one line of POSIX sh.

    It has no newline in it, so that it passes through fish and tcsh as well, which are what sshd hands it to where
    they are a user's login shell.

    Args:
        script: The text of probe.sh.
        profile: The cluster's `cluster_*` values.
        glance: Only what a role's declaration may depend on.
    """
    packed = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
    words = shlex.join(arguments(profile))
    before = "ROOKERY_GLANCE=1 " if glance else ""
    return f'{before}sh -c "$(printf %s {packed} | base64 -d | gzip -dc)" rookery-probe {words}'


def _areas(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the storage areas that a login node can see: $TMPDIR, say, is a compute node's own."""
    return [area for area in profile.get("cluster_storage") or [] if area.get("scope") != "node"]


def read(output: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers, as `cluster_facts`.

    Raises:
        RookeryError: The answer is cut off, a storage area has no value there, or the area that caches and tools
            are to go to cannot be written to.
    """
    single, many = _parsed(output)
    name = str(profile.get("cluster_title") or "the cluster")
    if single.get("complete") != "yes":
        raise RookeryError(
            f"The login node of {name} sent an incomplete answer: a start-up file there may end the shell.",
            hint="log in with ssh, and look for `exit` in ~/.bashrc and ~/.profile",
        )
    _check(single, name)
    storage = _storage(many["storage"], profile, name)
    pairs = map(_pair, dict.fromkeys(many["python"]))
    pythons = [{"version": version, "path": path} for version, path in pairs if _is_python(version, path)]
    replaceable = why_replaceable(single.get("replaceable_by", ""))
    home, area = single.get("home", ""), roomy(profile)
    # where compute nodes do not see the home, programs can't be there
    is_at_home = bool(replaceable) and not job_folders(profile)
    programs = f"{home}/{HOME_PROGRAMS}" if is_at_home else storage[area]
    if is_at_home:
        area = next((name for name, path in storage.items() if path == home), "home")
    return {
        **{key: single.get(key, "") for key in _ONE},
        "shells": many["shells"],
        "has": sorted(set(many["has"])),
        "present": many["present"],
        "pythons": pythons,
        "python": next((python["path"] for python in pythons if _new_enough(python["version"])), ""),
        "storage": storage,
        "writable": {area: area in many["writable"] for area in storage},
        "free_mb": _free(many, storage, profile),
        "installed_mb": _whole(dict(map(_pair, many["installed_mb"])).get(area, "")),
        "moving_mb": 0 if is_at_home else sum(map(_whole, many["moving_mb"])),
        "roomy": storage[roomy(profile)],
        "job_home": job_home(profile, storage, home),
        "job_folders": job_folders(profile),
        "rookery_storage": large_storage(profile, storage, home),
        "replaceable": replaceable,
        "links_left": many["links_left"],
        "programs": programs,
        "programs_area": area,
        "prefix": f"{programs}/rookery/{single.get('architecture', '')}",
        # what is compiled can be run by machines of this architecture alone, where others share the home
        "only_on": single.get("architecture", "") if len(profile.get("cluster_architectures") or []) > 1 else "",
        "others": _others(profile, programs, single.get("architecture", "")),
        "set_up": single.get("set_up") == "yes",
    }


def _others(profile: Mapping[str, Any], programs: str, own: str) -> list[dict[str, Any]]:
    """Return the cluster's other architectures, each with its folder for programs, and how a job gets there."""
    return [
        {
            "name": other.name,
            "prefix": f"{programs}/rookery/{other.name}",
            "submit": list(other.submit),
            "options": list(other.options),
        }
        for other in architectures.others(profile)
        if other.name != own
    ]


def _parsed(output: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the facts that there is one of, and those that there may be more of."""
    single: dict[str, str] = {}
    many: dict[str, list[str]] = defaultdict(list)
    for line in output.splitlines():
        mark, _, rest = line.partition("rookery-fact ")
        key, _, value = rest.partition(" ")
        if mark or not rest:
            continue
        if key in _MANY:
            many[key].append(value.rstrip("\r"))
        else:
            single[key] = value.strip()
    return single, many


def _storage(lines: Iterable[str], profile: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the path of each storage area.

    Args:
        lines: Area and path, as the probe tells them.
        profile: The cluster's `cluster_*` values.
        name: The cluster's, for messages.

    Raises:
        RookeryError: An area of the profile has no value there.
    """
    storage = {area: path for area, path in map(_pair, lines) if _PATH.fullmatch(path)}
    missing = [area for area in _areas(profile) if not storage.get(area["name"])]
    if missing:
        raise RookeryError(
            f"Can't find the {missing[0]['name']} storage of {name}: "
            f"{expression(missing[0], profile)} has no value in a login shell.",
            hint="set cluster_storage in your own inventory (`scope: node` for storage that only jobs have), "
            "or ask the cluster's support",
        )
    return storage


def why_replaceable(fact: str) -> str:
    """Return why programs can't be on the large storage; "" where they can.

    Args:
        fact: The probe's fact replaceable_by: owner, group or everybody, whom, and the folder; "" for none.
    """
    kind, _, rest = fact.partition(" ")
    who, _, folder = rest.partition(" ")
    reasons = {
        "": "",
        "owner": f"{who} owns {folder}, and could replace what is in it",
        "group": f"members of the group {who} could replace what is in {folder}",
    }
    return reasons.get(kind, f"every user could replace what is in {folder}")


def _pair(value: str) -> tuple[str, str]:
    """Split `NAME REST` in two; the rest may hold spaces, or be empty."""
    name, _, rest = value.partition(" ")
    return name, rest


def _check(single: Mapping[str, str], name: str) -> None:
    """Refuse facts that can't become parts of paths and commands.

    Raises:
        RookeryError: One is not.
    """
    for key, form in _FORMS.items():
        if not form.fullmatch(single.get(key, "")):
            raise RookeryError(
                f"The login node of {name} sent an invalid answer: {key} is {single.get(key, '')[:60]!r}.",
                hint="log in with ssh, and check what ~/.bashrc and ~/.profile print and set",
            )


def _is_python(version: str, path: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,5}(?![0-9])[0-9A-Za-z.+]{0,20}", version) and _PATH.fullmatch(path))


def _whole(text: str) -> int:
    """Return a whole number; 0 for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def _new_enough(version: str) -> bool:
    return tuple(map(int, re.findall(r"[0-9]+", version)[:2])) >= OLDEST_PYTHON


def _free(many: Mapping[str, list[str]], storage: Mapping[str, str], profile: Mapping[str, Any]) -> dict[str, int]:
    """Return the free MB of each storage area: by the file system, or the user's quota where that is less."""
    free = {name: _whole(value) for name, value in map(_pair, many["free_mb"]) if value}
    form = (profile.get("cluster_quota") or {}).get("format", "")
    areas = quota_formats.areas(form, "\n".join(many["quota"]))
    for name, left in free.items():
        # `quota -s` names file systems; where it knows a single one, that is the home's
        alone = areas[0] if name == "home" and form == "quota-s" and len(areas) == 1 else None
        area = alone or quota_formats.of_storage(areas, {name}, storage.get(name, ""))
        if area and area.limit_mb is not None:
            free[name] = max(0, min(left, int(area.limit_mb - area.used_mb)))
    return free
