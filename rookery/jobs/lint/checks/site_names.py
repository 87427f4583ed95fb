"""RK313 to RK317: names that the cluster does not have: features, generic resources, nodes, clusters, accounts.

sbatch refuses each of them (22.05 and 24.11: "Invalid feature specification", "Invalid generic resource", "Invalid node
name", "No cluster … known by database", "Invalid account"). Only a profile that lists all of a kind can say that one is
missing; what it lists among its unverified keys is a warning.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from rookery.clusters.cluster import ACCOUNT
from rookery.core import near_names
from rookery.jobs.lint.checks import placeholders
from rookery.jobs.lint.finding import Finding, Severity
from rookery.jobs.lint.script import node_names, similar_names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.requested_resources import partitions, requested, usable
from rookery.projects.scripts import node_sizes
from rookery.projects.scripts.directives import DirectiveOption

_FEATURE = re.compile(r"[^\s&|,()\[\]]+")
_ACCOUNT = re.compile(r"[A-Za-z0-9][\w.-]*")
_COUNT = re.compile(r"\*\d+$")


def unknown(script: Context) -> Iterator[Finding]:
    """Yield findings for names in `#SBATCH` lines that the cluster does not have."""
    for option in script.directives.options:
        check = _CHECKS.get(option.name)
        overruled = script.directives.get(option.name, part=option.part) is not option
        if check and option.value and "$" not in option.value and not overruled:
            yield from check(script, option)


def _severity(script: Context, key: str) -> Severity:
    return "warning" if key in (script.cluster.data.get("cluster_unverified") or []) else "error"


def _features(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    known: Sequence[str] | None = script.cluster.data.get("cluster_features")
    if known is None:
        return
    for found in _FEATURE.finditer(option.value or ""):
        name = _COUNT.sub("", found.group())
        if not name or name in known or re.fullmatch(r"\*?\d+", name):
            continue
        listed = f"It has {', '.join(known)}." if known else "It has none."
        what = f"{script.cluster.name} has no nodes with the feature {name}"
        yield _replaceable(script, option, "RK313", "cluster_features", name, (what, listed, known))
    if option.name == "constraint":
        yield from _elsewhere(script, option)


def _elsewhere(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    """Yield a finding for a feature that only nodes of other partitions have."""
    part = next(part for part in requested(script) if part.part == option.part)
    names = {str(entry["name"]) for entry in usable(script, part)}
    for kind in node_sizes.of_constraint(option.value or "", script.cluster):
        having = kind.get("partitions")
        if names and having and names.isdisjoint(having):
            what = f"{near_names.either(sorted(names))} has no nodes with the feature {kind['name']}"
            yield script.finding("RK313", option.line, f"{what}. Partitions that have such: {', '.join(having)}.")


def _resources(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    known: Sequence[str] | None = script.cluster.data.get("cluster_gres")
    if known is None or (option.value or "").lower() == "none":
        return
    for piece in (option.value or "").split(","):
        name = re.split("[:=]", re.sub("^gres[:/]", "", piece))[0]
        if not name or name in {*known, "gpu"}:  # a cluster without GPUs is RK304's
            continue
        usual = [*known, *(["gpu"] if script.cluster.data.get("cluster_gpus") else [])]
        listed = f"It has {', '.join(dict.fromkeys(usual))}." if usual else "It has none."
        what = f"{script.cluster.name} has no generic resource {name}"
        yield _replaceable(script, option, "RK314", "cluster_gres", name, (what, listed, usual))


def _replaceable(  # noqa: PLR0913, PLR0917
    script: Context,
    option: DirectiveOption,
    code: str,
    key: str,
    name: str,
    texts: tuple[str, str, Sequence[str]],
) -> Finding:
    """Return the finding for a name, with the one that was meant where that is plain."""
    what, listed, known = texts
    singular = name.lower().removesuffix("s")
    certain = similar_names.meant(name, known) or next((other for other in known if singular == other), "")
    near = certain or next((other for other in known if other.rpartition("=")[2] == name), "")
    value = re.sub(rf"(?<![\w=.-]){re.escape(name)}(?![\w=.-])", lambda _: near, option.value or "", count=1)
    return script.finding(
        code,
        option.line,
        f"{what} (did you mean {near}?)." if near else f"{what}. {listed}",
        severity=_severity(script, key),
        edits=[script.value_edit(option, value)] if near and value != option.value else [],
        safe=bool(certain),
    )


def _nodes(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    known: Sequence[str] | None = script.cluster.data.get("cluster_node_names")
    value = option.value or ""
    if not known or "/" in value:  # with a slash, it is the path of a file
        return
    missing = [name for name in node_names.expanded(value) if not node_names.is_one(name, known)]
    if missing:
        yield script.finding(
            "RK315",
            option.line,
            f"{script.cluster.name} has no node {near_names.either(missing[:3])}. Its nodes: {', '.join(known)}.",
            severity=_severity(script, "cluster_node_names"),
        )


def _clusters(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    """Yield a finding for a job that is for another cluster."""
    cluster = script.cluster
    known = str(cluster.data.get("cluster_slurm_name", ""))
    host = cluster.host.split(".")
    own = {cluster.name, known, *host, *host[0].split("-"), "all"}
    named = {name.strip().lower() for name in (option.value or "").split(",")}
    if named.isdisjoint(name.lower() for name in own):
        why = f"--clusters={option.value} names another cluster than {cluster.name}"
        outcome = "sbatch rejects the job, or sends it there."
        yield script.finding("RK316", option.line, f"{why}: {outcome}", severity="error" if known else "warning")


def _accounts(script: Context, option: DirectiveOption) -> Iterator[Finding]:
    """Yield a finding for an account that is not the user's, as far as their settings say.

    Users may have several, so it is a warning. Slurm keeps accounts in lower case, and takes any.
    """
    account = script.cluster.data.get("cluster_account") or {}
    name, value = str(account.get("name", "")), (option.value or "")
    if not name or not _ACCOUNT.fullmatch(value) or placeholders.placeholder("account", value):  # the latter is RK503's
        return
    part = next((part for part in requested(script) if part.part == option.part), None)
    entries = (part.partitions if part else ()) or tuple(partitions(script))
    own = list(dict.fromkeys(entry.get("account", ACCOUNT).replace(ACCOUNT, name) for entry in entries)) or [name]
    if value.lower() in {other.lower() for other in own}:
        return
    yield script.finding(
        "RK317",
        option.line,
        f"This charges {value}; your account on {script.cluster.name} is {near_names.either(own)}. sbatch rejects an "
        "account that you have no access to.",
        severity="warning",
        edits=[script.value_edit(option, own[0])] if len(own) == 1 else [],
    )


_CHECKS: dict[str, Callable[[Context, DirectiveOption], Iterator[Finding]]] = {
    "constraint": _features,
    "prefer": _features,
    "gres": _resources,
    "nodelist": _nodes,
    "exclude": _nodes,
    "clusters": _clusters,
    "account": _accounts,
}
