"""Check what a profile's schema can't: the form of names and addresses, and settings that must agree.

A value that the schema refused is None here, and nothing is concluded from it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rookery.clusters.cluster import ACCOUNT, account
from rookery.clusters.config import mirror_addresses
from rookery.clusters.config.inventory import Setting
from rookery.core.file_problems import Complaint, FileProblems
from rookery.core.near_names import meant
from rookery.core.places import Place, named, written

# One place to stay clear of a dash in front, which ssh would take for an option.
_USER: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*")
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+")
_ALIAS: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_JUMP: Final = re.compile(
    r"([A-Za-z0-9._][A-Za-z0-9._-]*@)?([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
)
_DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FOLDER: Final = re.compile(r"~/[^/\x00-\x1f]+(/[^/\x00-\x1f]+)*")
_QUOTED: Final = re.compile(r'["\\\x00-\x1f\x7f]')
"""What would end the quotes in which a login shell evaluates an expression (remote/scripts/probe.sh)."""
_OPTION: Final = re.compile(r"--([a-z][a-z0-9-]*)(=[^\x00-\x1f\x7f]*)?")
_ELSEWHERE: Final = {
    "partition": "`cluster_partitions`",
    "qos": "`cluster_qos`",
    "account": "`cluster_account`, or `account` of a partition",
    "exclusive": "`exclusive` of a partition or QOS",
    "gpus": "`min_gpus` of a partition or QOS",
}
"""Options of sbatch that rookery writes from other keys of a profile."""
_OF_JOBS: Final = (
    "array", "chdir", "cpus-per-task", "dependency", "error", "gpus-per-node", "job-name", "mail-type", "mail-user",
    "mem", "nodes", "ntasks", "ntasks-per-node", "output", "time", "wrap",
)  # fmt: skip
"""Options of sbatch that a job says by itself."""
_SIGNS: Final = "use letters, digits, dots, dashes and _"


def is_account(name: str) -> bool:
    """Return whether a name can be that of an account: it becomes part of paths, and of job scripts."""
    return bool(_ACCOUNT.fullmatch(name))


def check(name: str, profile: Mapping[str, Setting], problems: FileProblems) -> None:
    """Check what a schema can't.

    Args:
        name: The cluster's.
        profile: Its settings, as `schema.check` returns them.
        problems: Where it is noted what is wrong.
    """
    data = {key: setting.value for key, setting in profile.items()}
    for complaint in (
        *_bad_addresses(data),
        *_bad_downloads(data),
        *_bad_own_login(data),
        *_bad_storage(data),
        *_bad_account(data),
        *_bad_options(data),
        *_twice(data),
    ):
        of_user = complaint.place == ("cluster_user",)
        hint = f"invoke setup {name} --user YOUR_USERNAME" if of_user else ""
        profile[str(complaint.place[0])].note(complaint, problems, hint)
    _check_names(profile, data, problems)


def _check_names(profile: Mapping[str, Setting], data: Mapping[str, Any], problems: FileProblems) -> None:
    """Note names that are none of the list that they refer to.

    Where the list is the user's own, and rookery's profile refers to more than it has, the list is what is wrong.
    """
    lacking: dict[str, list[str]] = {}
    for place, key, name in _unlisted(data):
        setting = profile[str(place[0])]
        if key in profile and setting.is_rookerys and not profile[key].is_rookerys:
            lacking.setdefault(key, []).append(name)
            continue
        names = _names(data, key) or []
        listed = f"a name in `{key}`" + (f" ({', '.join(names)})" if names else ", which has none")
        text = f"{named(place)} must be {listed}, not {written(name)}{meant(name, names)}"
        setting.note(Complaint(place, text), problems)
    for key, names in lacking.items():
        text = f"`{key}` must have {', '.join(dict.fromkeys(names))} too, which other settings refer to"
        profile[key].note(Complaint((key,), text, usable=True), problems)


def _unlisted(data: Mapping[str, Any]) -> Iterator[tuple[Place, str, str]]:
    """Yield each name that is none of the list that it refers to: its place, the key of the list, and the name."""
    roomy, areas = data.get("cluster_roomy_storage"), _names(data, "cluster_storage")
    if roomy not in (None, "home") and areas and roomy not in areas:  # of the home _bad_areas says so
        yield ("cluster_roomy_storage",), "cluster_storage", roomy
    partitions = _names(data, "cluster_partitions")
    if partitions is None:
        return
    wanted = data.get("cluster_default_partition")
    if wanted and wanted not in partitions:
        yield ("cluster_default_partition",), "cluster_partitions", wanted
    yield from _unlisted_qos(data)
    for key in ("cluster_gpus", "cluster_constraints", "cluster_qos"):
        for number, entry in _entries(data, key):
            for index, name in _entries(entry, "partitions"):
                if name not in partitions:
                    yield (key, number, "partitions", index), "cluster_partitions", name


def _bad_own_login(data: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield what can't be a name in the user's ssh configuration, or a command for them to copy."""
    alias, command = data.get("cluster_ssh_host"), data.get("cluster_login_command")
    if alias and not _ALIAS.fullmatch(alias):
        yield _must("be a name that ~/.ssh/config has behind Host", alias, "cluster_ssh_host")
    if command and not command.isprintable():
        yield _must("be one line", command, "cluster_login_command")


def _unlisted_qos(data: Mapping[str, Any]) -> Iterator[tuple[Place, str, str]]:
    wanted, known = data.get("cluster_default_qos"), _names(data, "cluster_qos")
    if wanted and known is not None and wanted not in known:
        yield ("cluster_default_qos",), "cluster_qos", wanted


def _bad_addresses(data: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield addresses that ssh's command line or configuration would not read as a name."""
    host, user, jump = data.get("cluster_host"), data.get("cluster_user"), data.get("cluster_proxy_jump")
    if host is not None and not _HOST.fullmatch(host):
        yield _must("be a host name or an address", host, "cluster_host")
    port = data.get("cluster_port")
    if port is not None and not 1 <= port <= 65535:
        yield _must("be between 1 and 65535", port, "cluster_port")
    if user and not _USER.fullmatch(user):
        yield _must("be a username", user, "cluster_user", advice=_SIGNS)
    if jump and not all(_JUMP.fullmatch(hop) for hop in jump.split(",")):
        yield _must("be [USER@]HOST[:PORT], with commas between several", jump, "cluster_proxy_jump")
    for key in ("cluster_identity_file", "cluster_known_hosts_file"):
        path = data.get(key)
        if path and (_CONTROL.search(path) or not path.startswith(("/", "~/"))):
            yield _must("be a path that starts with / or ~/", path, key)
    date = data.get("cluster_verified_on")
    if date is not None and not _DATE.fullmatch(date):
        yield _must("be a date", date, "cluster_verified_on", advice='such as "2026-05-18" or "2026-05"')


def _bad_downloads(data: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield addresses that nothing can be downloaded from, or through."""
    if (proxy := data.get("cluster_proxy")) and (problem := mirror_addresses.proxy_problem(proxy)):
        yield Complaint(("cluster_proxy",), f"`cluster_proxy` {problem}")
    for key, address in (data.get("cluster_mirrors") or {}).items():
        if address is not None and (problem := mirror_addresses.problem(key, address)):
            yield Complaint(("cluster_mirrors", key), f"`{key}` {problem}")


def _bad_storage(data: Mapping[str, Any]) -> Iterator[Complaint]:
    areas: dict[str, Mapping[str, Any]] = {}
    for number, entry in _entries(data, "cluster_storage"):
        place, area = ("cluster_storage", number), entry.get("name")
        if area is not None and not _NAME.fullmatch(area):
            yield _must("be a name", area, *place, "name", advice="use letters, digits, dashes and _")
        yield from _bad_role(place, entry)
        if area in areas:
            yield Complaint((*place, "name"), f"duplicate name {written(area)}: give each storage its own")
        if area is not None:
            areas[area] = entry
        text = entry.get("expression")
        if text is not None and _QUOTED.search(text):
            yield _must('be a path without ", \\ and line breaks', text, *place, "expression")
        variable = entry.get("variable")
        if variable is not None and not _VARIABLE.fullmatch(variable):
            yield _must("be the name of a variable", variable, *place, "variable", advice="letters, digits and _")
    if "cluster_storage" in data and _names(data, "cluster_storage") is not None:
        yield from _bad_areas(data, areas)
    for number, folder in _entries(data, "cluster_moved_folders"):
        if not _FOLDER.fullmatch(folder) or ".." in folder.split("/"):
            yield _must("be a folder of the home, such as ~/.cache", folder, "cluster_moved_folders", number)


def _bad_role(place: Place, entry: Mapping[str, Any]) -> Iterator[Complaint]:
    role, name = entry.get("role"), entry.get("name")
    if role is None or name is None:
        return
    if (role == "home") != (name == "home"):
        yield Complaint((*place, "role"), "`role` must be home for the storage with the name home, and for no other")
    if (role == "node") != (entry.get("scope") == "node"):
        yield Complaint((*place, "role"), "`role: node` and `scope: node` belong together")


def _bad_areas(data: Mapping[str, Any], areas: Mapping[str, Mapping[str, Any]]) -> Iterator[Complaint]:
    """Yield what is wrong with the storage as a whole, of which all names are known."""
    if "home" not in areas:
        yield Complaint(("cluster_storage",), "`cluster_storage` needs an entry with the name home", usable=True)
    shared = [area for area in areas.values() if area.get("scope") != "node"]
    if shared and not any(area.get("on_compute_nodes", True) for area in shared):
        text = "`cluster_storage` needs an entry that compute nodes see, for what jobs read"
        yield Complaint(("cluster_storage",), text)
    roomy = data.get("cluster_roomy_storage")
    area = areas.get(roomy or "", {})
    if "purge_days" in area or area.get("scope") == "node":
        text = f"`cluster_roomy_storage` must be permanent storage: {roomy} is purged, or exists only on a node"
        yield Complaint(("cluster_roomy_storage",), text)


def _bad_account(data: Mapping[str, Any]) -> Iterator[Complaint]:
    code = (data.get("cluster_account") or {}).get("name") and account(data)
    if code and not is_account(code):
        yield _must("be the name of an account", code, "cluster_account", "name", advice=_SIGNS)

    for number, entry in _entries(data, "cluster_partitions"):
        form = entry.get("account")
        if form is not None and not is_account(form.replace(ACCOUNT, "x")):
            yield _must("be the name of an account", form, "cluster_partitions", number, "account", advice=_SIGNS)


def _bad_options(data: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield options of sbatch that can't be written as they are, or that rookery writes from another key."""
    for place, text in _options(data):
        match = _OPTION.fullmatch(text)
        if not match:
            yield _must("be one option of sbatch", text, *place, advice="such as --constraint=gpu")
            continue
        name = "gpus" if match[1] == "gres" and (match[2] or "").startswith("=gpu") else match[1]
        if name in _ELSEWHERE:
            yield Complaint(place, f"{named(place)} can't have {written(text)}: use {_ELSEWHERE[name]}")
        elif name in _OF_JOBS:
            yield Complaint(place, f"{named(place)} can't have {written(text)}: each job has its own")


def _options(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Yield the options of sbatch that the profile adds to jobs, each with its place."""
    for number, text in _entries(data, "cluster_sbatch"):
        yield ("cluster_sbatch", number), text
    for key in ("cluster_partitions", "cluster_qos"):
        for number, entry in _entries(data, key):
            for index, text in _entries(entry, "options"):
                yield (key, number, "options", index), text


def _twice(data: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield entries with a name that an earlier one of the list has."""
    for key, name in (("cluster_partitions", "name"), ("cluster_qos", "name"), ("cluster_constraints", "name"),
                      ("cluster_gpus", "type")):  # fmt: skip
        seen: set[str] = set()
        for number, entry in _entries(data, key):
            value = entry.get(name)
            if value in seen:
                text = f"duplicate {name} {written(value)} in `{key}`: describe each once"
                yield Complaint((key, number, name), text)
            seen |= {value} if value is not None else set()


def _entries(data: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
    """Return the elements of a list that can be used, with their positions."""
    return [(number, entry) for number, entry in enumerate(data.get(key) or ()) if entry is not None]


def _names(data: Mapping[str, Any], key: str) -> list[str] | None:
    """Return the names in a list of mappings; None where not all of them are known."""
    entries = data.get(key, [])
    if entries is None or any((entry or {}).get("name") is None for entry in entries):
        return None
    return [entry["name"] for entry in entries]


def _must(what: str, value: Any, *place: str | int, advice: str = "") -> Complaint:
    return Complaint(place, f"{named(place)} must {what}, not {written(value)}{f' ({advice})' if advice else ''}")
