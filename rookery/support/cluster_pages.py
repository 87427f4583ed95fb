"""Write a page on each cluster for its users, from its profile: docs/clusters/NAME.md.

A fact that the profile does not have is not on the page; one that could not be verified is marked so.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rookery.clusters.cluster import ACCOUNT
from rookery.clusters.config import profile
from rookery.core import atomic_files, shipped_templates, typed_command
from rookery.core.errors import RookeryError
from rookery.support import cluster_page_tables
from rookery.support.cluster_page_tables import Facts, amount, shown
from rookery.support.cohort.pages import markdown
from rookery.support.options import ClustersGuideOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

MARK: Final = "This page is made from the cluster's profile by `"
"""What every page of ours says of itself."""

_LOGINS: Final = {
    "key": "your ssh key",
    "password": "your password",
    "password+totp": "your password, then the six digits from your app",
    "key+totp": "your ssh key, then the six digits from your app",
    "password+push": "your password, then a request that you approve on your phone",
    "key+push": "your ssh key, then a request that you approve on your phone",
    "interactive": "your answers to what the cluster asks",
    "key+interactive": "your ssh key, then your answers to what the cluster asks",
    "certificate": "a certificate, which you renew when it expires",
    "gssapi": "a Kerberos ticket",
}
_VPN: Final = {
    "never": "No VPN is needed.",
    "off_campus": "A VPN is needed off campus",
    "always": "A VPN is always needed",
    "unknown": "It is not known whether a VPN is needed",
}
_REACH: Final = {"yes": "yes", "http": "only through a web proxy", "no": "no", "unknown": "not known"}


def run(options: ClustersGuideOptions) -> int:
    """Print a cluster's page, or write those of all clusters, or of that one.

    Raises:
        RookeryError: The cluster is unknown, a profile is not as it should be, no cluster was named to print, or a file
            stands where a page would.
    """
    if not options.cluster and not options.output:
        raise RookeryError(
            "Missing argument CLUSTER.",
            hint=f"{typed_command.again(argument='penguins')}   # or --output DIR for all clusters",
        )
    for name in [options.cluster] if options.cluster else profile.names():
        text = page(profile.load(name, own_ssh=False))
        if options.output:
            path = Path(options.output).expanduser() / f"{name}.md"
            if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
                raise RookeryError(
                    f"{path} exists already and is not a page of clusters.guide, so it was not overwritten.",
                    hint="run the command again with another folder for --output",
                )
            if not options.check:
                atomic_files.write(path, text, mode=0o644)
            print(f"would write {path}" if options.check else path)
        else:
            print(text, end="")
    return 0


def page(cluster: "Cluster") -> str:
    """Return the page of a cluster, in Markdown."""
    facts = Facts(cluster, frozenset(cluster.data.get("cluster_unverified", [])))
    parts = {
        "Account": (list(_account(facts)), None),
        "Login": (list(_login(facts)), None),
        "Storage": (list(_files(facts)), cluster_page_tables.storage(facts)),
        "Jobs": (list(_jobs(facts)), cluster_page_tables.partitions(facts)),
        "Quality of service": ([], cluster_page_tables.qos(facts)),
        "GPUs": ([], cluster_page_tables.gpus(facts)),
        "Whole nodes": (list(_whole(facts)), cluster_page_tables.constraints(facts)),
        "Software": (list(_software(facts)), None),
        "Notes": ([markdown(note) for note in facts.get("notes", [])], None),
    }
    return (
        shipped_templates.environment("guide")
        .get_template("cluster.md.j2")
        .render(
            name=cluster.name,
            title=markdown(cluster.title),
            verified=facts.get("verified_on"),
            source=markdown(facts.get("source_url")),
            docs=markdown(facts.get("docs_url", "")),
            unsure=bool(facts.doubtful),
            sections=[(heading, lines, table) for heading, (lines, table) in parts.items() if lines or table],
        )
    )


def _account(facts: Facts) -> Iterator[str]:
    access, account = facts.get("access", {}), facts.get("account", {})
    instructions = " ".join(markdown(access[key]) for key in ("how", "url") if key in access)
    if access.get("ask") and access["ask"].casefold() not in access.get("how", "").casefold():
        instructions = f"Ask {markdown(access['ask'])}. {instructions}".strip()
    if instructions:
        yield instructions + facts.mark("access")
    if access:
        yield f"`rookery onboard {facts.cluster.name} --request` writes the email for you."
    if hint := facts.get("user_hint"):
        yield f"Usernames look like `{hint}`.{facts.mark('user_hint')}"
    if account.get("required"):
        example = f", such as `{account['example']}`" if account.get("example") else ""
        hint = f" ({markdown(account['hint'])})" if account.get("hint") else ""
        yield (
            f"Jobs are charged to an account{example}{hint}. `onboard` and `setup` remember yours (`--account`); "
            f"here, it is `ACCOUNT`. `account:` in rookery.yml sets another one for a job.{facts.mark('account')}"
        )


def _login(facts: Facts) -> Iterator[str]:
    port = f", port {facts.cluster.port}" if facts.cluster.port != 22 else ""
    yield f"Login node: `{facts.cluster.host}`{port}.{facts.mark('host')}"
    if logins := facts.get("logins"):
        ways = ", or ".join(_LOGINS[login] for login in logins)
        yield f"You log in with {ways}.{facts.mark('logins')}"
    if prompts := facts.get("login_prompts"):
        yield f"The login asks for `{'`, then `'.join(prompts)}`.{facts.mark('login_prompts')}"
    if command := facts.get("login_command"):
        yield f"`{command}` on your own computer gets a new certificate or ticket.{facts.mark('login_command')}"
    if hours := facts.get("login_hours"):
        yield f"A login lasts {hours} hours.{facts.mark('login_hours')}"
    if vpn := facts.get("vpn"):
        yield _vpn(vpn) + facts.mark("vpn")
    if jump := re.sub("[^@,]*@", "", facts.get("proxy_jump") or ""):  # without the user's own name there
        yield f"rookery connects through the jump host `{jump}`.{facts.mark('proxy_jump')}"
    if keys := facts.get("host_keys"):
        where = f" (published at {markdown(facts.get('host_keys_url'))})" if facts.get("host_keys_url") else ""
        fingerprints = ", ".join(f"`{key['fingerprint']}` ({key['type']})" for key in keys)
        yield f"Host keys{where}: {fingerprints}.{facts.mark('host_keys')}"
    else:
        yield "No published host keys are known: ask the people who run the cluster for its fingerprint, and compare."
    yield from _policies(facts)


def _vpn(vpn: Mapping[str, Any]) -> str:
    named = ", ".join(markdown(vpn[key]) for key in ("name", "url") if vpn.get(key))
    need = _VPN[vpn["needed"]]
    if vpn["needed"] == "never":
        return need
    jump = f" The jump host `{vpn['jump']}` works instead." if vpn.get("jump") else ""
    return f"{need}{': ' if named else ''}{named}.{jump}"


def _policies(facts: Facts) -> Iterator[str]:
    policies, internet = facts.get("policies", {}), facts.get("internet", {})
    for key, what in (
        ("vscode", "VS Code" if "vscode_compute" not in policies else "VS Code on login nodes"),
        ("vscode_compute", "VS Code on compute nodes"),
        ("tmux", "Persistent sessions (tmux)"),
        ("connection_sharing", "Several commands over one connection"),
    ):
        if key in policies:
            policy = "not known whether allowed" if policies[key] == "unknown" else policies[key]
            yield f"{what}: {policy}.{facts.mark(f'policies.{key}')}"
    if "at_risk" in policies:
        yield f"Maintenance: {markdown(policies['at_risk'])}.{facts.mark('policies.at_risk')}"
    for key, what in (("login", "login nodes"), ("compute", "compute nodes")):
        if key in internet:
            yield f"Internet on {what}: {_REACH[internet[key]]}.{facts.mark(f'internet.{key}')}"


def _files(facts: Facts) -> Iterator[str]:
    roomy = facts.get("roomy_storage")
    place = next((area for area in facts.get("storage", []) if area["name"] == roomy), None)
    if place and roomy != "home":
        path = shown(place["expression"])
        yield (
            f"`rookery setup` and `deploy` put results, environments and large files on `{path}`; `rookery data.push` "
            "copies input data there."
        )
    if moved := facts.get("moved_folders"):
        yield f"`setup` moves these folders there, and leaves links: {', '.join(f'`{folder}`' for folder in moved)}."
    if place and ACCOUNT in place["expression"]:
        yield "If other users can replace your folder there, programs and these folders stay in your home."
    if quota := facts.get("quota"):
        shown_by = (
            f"`rookery quota {facts.cluster.name}` shows how full your storage is, and there `{quota['command']}`."
        )
        yield shown_by + facts.mark("quota")


def _node_size(nodes: Mapping[str, Any], prefix: str) -> str:
    """Return the cores and the memory of a node in words: of the smallest, or with max_ before the keys the largest."""
    cores, memory = nodes.get(f"{prefix}cores"), nodes.get(f"{prefix}memory_mb")
    sizes = [f"{cores} cores"] if cores else []
    return " and ".join([*sizes, *([f"{amount('mb', memory)} of memory"] if memory else [])])


def _jobs(facts: Facts) -> Iterator[str]:
    if facts.cluster.scheduler == "none":
        yield "There is no scheduler: log in, and start your programs."
        return
    if name := facts.get("default_partition"):
        yield f"rookery chooses the partition that fits a job; the default is `{name}`."
    if nodes := facts.get("nodes"):
        smallest, largest = _node_size(nodes, ""), _node_size(nodes, "max_")
        count = str(nodes.get("count", ""))
        words = [
            count,
            f"each with at least {smallest}" if smallest else "",
            f"{'' if count or smallest else 'each with '}at most {largest}" if largest else "",
        ]
        if any(words):
            yield f"Compute nodes: {', '.join(filter(None, words))}.{facts.mark('nodes')}"
    yield from _limits(facts)
    if facts.get("array", {}).get("may_mail") is False:
        yield f"Job arrays can't send mail by themselves; `mail:` in rookery.yml still works.{facts.mark('array')}"
    if size := facts.get("array", {}).get("max_size"):
        yield f"An array has at most {size} tasks.{facts.mark('array')}"
    if facts.get("mpi_launcher"):
        yield f"Start MPI programs with `{facts.get('mpi_launcher')}`.{facts.mark('mpi_launcher')}"
    if preamble := facts.get("job_preamble"):
        yield f"Begin your own job scripts with `{'`, `'.join(preamble)}`.{facts.mark('job_preamble')}"


def _limits(facts: Facts) -> Iterator[str]:
    limits, mark = facts.get("limits", {}), facts.mark("limits")
    most = [f"{limits['cores']} cores"] if "cores" in limits else []
    most += [f"{amount('mb', limits['memory_mb'])} of memory"] if "memory_mb" in limits else []
    if most:
        shown = f" (shown by `{limits['command']}`)" if "command" in limits else ""
        yield f"Limits per user: {', '.join(most)}{shown}.{mark}"
    if "default_memory_mb" in limits:
        yield f"The default memory of a job is {amount('mb', limits['default_memory_mb'])}.{mark}"
    if "cycle_seconds" in limits:
        yield f"Slurm starts jobs every {limits['cycle_seconds']} s, so combine short tasks (`chunk:`).{mark}"
    if limits.get("follow_gpus"):
        yield f"The number of GPUs determines cores and memory.{mark}"


def _whole(facts: Facts) -> Iterator[str]:
    if facts.get("constraints"):
        yield "To use whole nodes of one kind, set `sbatch: [--exclusive, --constraint=…]` in rookery.yml."


def _software(facts: Facts) -> Iterator[str]:
    if system := facts.get("os"):
        yield f"Operating system: {markdown(system)}.{facts.mark('os')}"
    for architecture in facts.get("architectures", []):
        enter = f"; `{architecture['enter']}` opens a shell there" if architecture.get("enter") else ""
        submit = f"; submit jobs with `{architecture['submit']}`" if architecture.get("submit") else ""
        note = f" {markdown(architecture['note'])}" if architecture.get("note") else ""
        yield f"Architecture: {architecture['name']}{enter}{submit}.{note}{facts.mark('architectures')}"
    for key, what in (("system_python", "Python"), ("system_r", "R")):
        if version := facts.get(key):
            yield f"{what} of the system: {version}.{facts.mark(key)}"
    if provider := facts.get("python_provider"):
        yield f"`rookery setup` installs Python with {provider}."
    if modules := facts.get("modules"):
        verb = facts.get("module_verb", "load")
        listed = "; ".join(
            f"{purpose}: {', '.join(f'`{module}`' for module in named)}" for purpose, named in modules.items()
        )
        yield f"Modules (`module {verb} NAME`): {listed}.{facts.mark('modules')}"
