"""Plan a miniature of a cluster from the cluster's profile alone.

Pure functions: a profile's `cluster_*` keys in, plain data for the templates of roles/sandbox out. A profile has more
than a miniature can hold (hundreds of nodes) and less than Slurm asks (cores of a usual node): both are settled here.
"""

import re
from collections.abc import Mapping
from typing import Any

from rookery.clusters import architectures
from rookery.clusters.cluster import ACCOUNT
from rookery.sandbox import auth, storage

FEWEST_NODES = 3
MOST_USUAL_NODES = 5
MOST_TASKS = 100_000
"""Elements of an array, and its largest index, where the profile knows no limit."""
DEFAULT_PARTITION = "batch"
"""The partition of jobs that name none, where the profile has no such partition."""
# A node that the profile says nothing about: enough for the largest example of the training page (8 tasks, 2 GPUs).
NODE_CORES = 16
NODE_MEMORY_MB = 65536
# Older Pythons than this can't run what the base image has, and are taken from the machine's own pyenv, or left out.
BASE_PYTHON_STANDS_FOR = (3, 9)


def _entries(profile: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [dict(entry) for entry in profile.get(key) or []]


def nodes(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the compute nodes: two of each type that --constraint tells apart, two with each type of GPU.

    One where the profile says that there is only one such. And usual ones.

    Returns:
        name, cores, memory_mb, features, partitions, gpu_type, gpus (devices' paths) of each, at least three; and
        architecture, "" where it is the login node's.
    """
    usual = profile.get("cluster_nodes") or {}
    plain: dict[str, Any] = {
        "cores": usual.get("cores") or NODE_CORES,
        "memory_mb": usual.get("memory_mb") or NODE_MEMORY_MB,
        "features": _features({"name": "", **usual}),
        "partitions": [],
        "gpu_type": "",
        "gpus": 0,
        "architecture": "",
    }
    made: list[dict[str, Any]] = []
    for kind in _entries(profile, "cluster_constraints"):
        own = {key: kind[key] for key in ("cores", "memory_mb", "partitions") if kind.get(key)}
        made += [{**plain, **own, "features": _features(kind)}] * 2
    gpus = [
        _gpu_node(kind, plain, profile)
        for kind in _entries(profile, "cluster_gpus")
        for _ in range(min(kind.get("nodes") or 2, 2))
    ]
    if usual or not made or len(made) + len(gpus) < FEWEST_NODES:  # jobs without GPUs have a node without them
        made = [plain] * min(max(usual.get("count") or 0, FEWEST_NODES), MOST_USUAL_NODES) + made
    having = {node["architecture"] for node in gpus}
    gpus += [
        {**plain, "architecture": one}
        for one in dict.fromkeys(_architecture(entry, profile) for entry in _entries(profile, "cluster_partitions"))
        if one and one not in having
    ]
    device = 0
    numbered = []
    for number, node in enumerate(made + gpus, start=1):
        devices = [f"/dev/nvidia{device + index}" for index in range(node["gpus"])]
        device += len(devices)
        numbered.append({**node, "name": f"wn{number:02d}", "gpus": devices})
    return numbered


def _features(kind: Mapping[str, Any]) -> list[str]:
    """Return the features that --constraint finds a kind of node by: those in what the profile gives for it."""
    values = [kind.get("constraint") or kind["name"], *(kind.get("also") or [])]
    return list(dict.fromkeys(word for value in values for word in re.split(r"[\s&|,*()\[\]]+", value) if word))


def _architecture(partition: Mapping[str, Any], profile: Mapping[str, Any]) -> str:
    """Return the architecture of a partition's nodes where it is not the login node's, which all others have."""
    return architectures.of_partition(profile, str(partition["name"]))


def _gpu_node(kind: Mapping[str, Any], plain: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    listed = _entries(profile, "cluster_partitions")
    having = kind.get("partitions") or [
        entry["name"] for entry in listed if kind["type"] in (entry.get("gpu_types") or [])
    ]
    return {
        **plain,
        "features": _features({"name": "", **kind}),
        "cores": kind.get("node_cores") or plain["cores"],
        "memory_mb": kind.get("node_memory_mb") or plain["memory_mb"],
        "partitions": having,
        "architecture": next((_architecture(entry, profile) for entry in listed if entry["name"] in having), ""),
        "gpu_type": kind["type"],
        "gpus": kind.get("per_node") or 1,
    }


def partitions(profile: Mapping[str, Any], machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the partitions with the nodes of each: those meant for it, else every one that has no GPU.

    Where the profile names no partition, or none for the jobs that name none, Slurm has one all the same, with the
    nodes that are in no other.

    Returns:
        name, default (bool), default_minutes and max_minutes (0 = none set), max_nodes (likewise), for_gpus (whether a
        job must ask for one), min_nodes (0 = none set), exclusive (whether jobs get whole nodes), qos (names of those
        that it takes), account (whom its jobs are charged to, "" for whom the cluster's are), nodes (names).
    """
    code = storage.account(profile)
    named = str(profile.get("cluster_default_partition") or "")
    listed = _entries(profile, "cluster_partitions")
    having: dict[str, list[str]] = {}
    for entry in listed:
        usable = [node for node in machines if node["architecture"] == _architecture(entry, profile)]
        meant = [node["name"] for node in usable if entry["name"] in node["partitions"]]
        without_gpu = [node["name"] for node in usable if not node["gpus"]]
        having[entry["name"]] = meant or without_gpu or [node["name"] for node in usable or machines]
    left = [node["name"] for node in machines if not any(node["name"] in names for names in having.values())]
    open_to_all = next((entry["name"] for entry in listed if not entry.get("min_gpus")), "")
    default = named or open_to_all or (DEFAULT_PARTITION if left else listed[0]["name"])
    if default not in having:
        listed.append({"name": default})
    having[default] = [*having.get(default, []), *left]
    return [
        {
            "name": entry["name"],
            "default": entry["name"] == default,
            "default_minutes": entry.get("default_minutes") or 0,
            "max_minutes": entry.get("max_minutes") or 0,
            "max_nodes": entry.get("max_nodes") or 0,
            "min_nodes": entry.get("min_nodes") or 0,
            "exclusive": bool(entry.get("exclusive")),
            "for_gpus": bool(entry.get("min_gpus")),
            "qos": [
                one["name"]
                for one in _entries(profile, "cluster_qos")
                if entry["name"] in one.get("partitions", [entry["name"]])
            ],
            "account": str(entry.get("account") or "").replace(ACCOUNT, code) if code else "",
            "nodes": having[entry["name"]],
        }
        for entry in listed
    ]


def accounts(profile: Mapping[str, Any]) -> list[str]:
    """Return the accounts that Slurm is to know: those that jobs must name, or that a user's settings do."""
    code = storage.account(profile)
    of_partitions = [
        str(entry.get("account") or "").replace(ACCOUNT, code) for entry in _entries(profile, "cluster_partitions")
    ]
    if code and of_partitions and all(of_partitions):  # it is only the beginning of these
        return list(dict.fromkeys(of_partitions))
    known = [code or "users", storage.own_account(profile), *(of_partitions if code else [])]
    return list(dict.fromkeys(filter(None, known)))


def qos(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the qualities of service, each with its limits as sacctmgr takes them."""
    made = []
    for entry in _entries(profile, "cluster_qos"):
        whole = {"max_minutes": "MaxWall", "max_running": "MaxJobsPerUser", "max_submitted": "MaxSubmitJobsPerUser"}
        limits = [f"{word}={entry[key]}" for key, word in whole.items() if entry.get(key)]
        a_job = {"max_nodes": "node", "cores": "cpu"}
        resources = [f"{word}={entry[key]}" for key, word in a_job.items() if entry.get(key)]
        limits += [f"MaxTRESPerJob={','.join(resources)}"] if resources else []
        limits += [f"MaxTRESPerUser=gres/gpu={entry['gpus_per_user']}"] if entry.get("gpus_per_user") else []
        fewest = {"min_nodes": "node", "min_gpus": "gres/gpu"}
        resources = [f"{word}={entry[key]}" for key, word in fewest.items() if entry.get(key)]
        limits += [f"MinTRESPerJob={','.join(resources)}"] if resources else []
        made.append({"name": entry["name"], "limits": limits})
    return made


def modules(profile: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the modules that the profile names: name, version ("" where it has none), purpose."""
    if (profile.get("cluster_module_system") or "none") == "none":
        return []
    made = []
    for purpose, names in (profile.get("cluster_modules") or {}).items():
        for full in names or []:
            name, _, version = str(full).partition("/")
            made.append({"name": name, "version": version, "purpose": purpose})
    return made


def commands(profile: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the site's own commands for nodes of another architecture, with Slurm's that each calls."""
    called = {"submit": "sbatch", "run": "srun"}
    return [
        {"name": name, "calls": command}
        for entry in _entries(profile, "cluster_architectures")
        for key, command in called.items()
        if (name := str(entry.get(key, ""))) not in {"", command} and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)
    ]


def wanted_python(profile: Mapping[str, Any]) -> str:
    """Return the version (major.minor) of a system Python too old for the base's to replace it; "" where it can."""
    version = str(profile.get("cluster_system_python") or "")
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and (int(match[1]), int(match[2])) < BASE_PYTHON_STANDS_FOR:
        return f"{match[1]}.{match[2]}"
    return ""


def has_internet(profile: Mapping[str, Any], entrance: auth.Entrance) -> bool:
    """Return whether a miniature has a way out; all its nodes are one machine, so login nodes decide.

    One behind a jump host keeps it, as both are reached at addresses of this machine.
    """
    login = (profile.get("cluster_internet") or {}).get("login")
    return login != "no" or bool(auth.describe(entrance, profile)["sandbox_jump_methods"])


def describe(name: str, profile: Mapping[str, Any], entrance: auth.Entrance | None = None) -> dict[str, Any]:
    """Return everything that the templates of roles/sandbox need of a cluster, as `sandbox_*` variables.

    Args:
        name: The cluster.
        profile: Its `cluster_*` keys.
        entrance: How users log in to the miniature.

    Returns:
        Those variables; besides them `port`, where its sshd is to listen, and `auth`, the entrance's way.
    """
    entrance = entrance or auth.Entrance()
    quota = profile.get("cluster_quota") or {}
    form, command = quota.get("format") or "", re.match(r"([A-Za-z0-9_.-]+)(?:\s|$)", quota.get("command") or "")
    machines = nodes(profile)
    listed = modules(profile)
    r_modules = [module for module in listed if module["purpose"] == "r"]
    return {
        "sandbox_cluster": re.sub(r"[^a-z0-9]", "", name.lower()) or "miniature",
        "sandbox_hostname": str(profile.get("cluster_host") or name).split(".")[0],
        "sandbox_host": str(profile.get("cluster_host") or name),
        "sandbox_internet": has_internet(profile, entrance),
        "sandbox_nodes": machines,
        "sandbox_partitions": partitions(profile, machines) if profile.get("cluster_scheduler") != "none" else [],
        "sandbox_qos": qos(profile),
        "sandbox_commands": commands(profile),
        "sandbox_default_qos": str(profile.get("cluster_default_qos") or ""),
        "sandbox_gpu_types": sorted({node["gpu_type"] for node in machines if node["gpu_type"]}),
        "sandbox_storage": storage.storage(profile),
        "sandbox_variables": storage.common_variables(profile),
        "sandbox_node_variables": storage.node_variables(profile),
        "sandbox_folders": storage.folders(profile),
        "sandbox_hidden": storage.hidden(profile),
        "sandbox_account": storage.account(profile),
        "sandbox_accounts": accounts(profile),
        "sandbox_modules": listed,
        "sandbox_has_modules": (profile.get("cluster_module_system") or "none") != "none",
        "sandbox_r_is_module": bool(r_modules) and not profile.get("cluster_system_r"),
        "sandbox_old_python": wanted_python(profile),
        **auth.describe(entrance, profile),
        "auth": entrance.way,
        "port": int(profile.get("cluster_port") or 22),
        "sandbox_default_memory_mb": (profile.get("cluster_limits") or {}).get("default_memory_mb") or 0,
        "sandbox_array_max": ((profile.get("cluster_array") or {}).get("max_size") or MOST_TASKS) + 1,
        "sandbox_array_may_mail": (profile.get("cluster_array") or {}).get("may_mail", True),
        "sandbox_quota_format": form,
        "sandbox_quota_command": command[1] if command and form in {"lfs", "json"} else "",
    }
