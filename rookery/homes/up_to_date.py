"""Compare homes with their last complete setup: one command tells whether a whole run would find anything to do.

A whole run leaves a note on the cluster of what was asked for and of what was there (remote/apply/last_run.py). Where
the same is asked for now, the login node is the same, and everything is as it was left, there is nothing to do. In any
doubt the full run decides.
"""

import hashlib
import importlib.util
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery import __version__
from rookery.clusters.login_node import answers, bundle, facts, frame
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.core.shapes import MismatchError
from rookery.remote import strict_json

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.clusters.ssh.connection import Connection
    from rookery.clusters.ssh.process import Completed

PATIENCE = 20
"""Seconds that the fast way may take; after that the full one is gone, which finds out what hangs."""

CONNECTION = (
    "ansible_",
    "cluster_identity_file",
    "cluster_ssh_host",
    "cluster_login_command",
    "cluster_known_hosts_file",
    "cluster_proxy_jump",
    "cluster_forward_agent",
)
"""Variables on how a laptop reaches the cluster, not on what the home shall hold: two laptops may differ."""

_ELSEWHERE = {"sandbox", "workstation"}
"""Roles for other machines than a login node."""

_PLAY = (
    "ansible.cfg",
    "playbooks/setup.yml",
    "plugins",
    "rookery/remote/apply",
    "rookery/remote/scripts/probe.sh",
    "rookery/remote/scripts/python.sh",
    "rookery/remote/frame.py",
    "rookery/remote/strict_json.py",
    "rookery/clusters/cluster.py",
    "rookery/clusters/login_node/facts.py",
    "rookery/homes/declaration.py",
    "rookery/homes/remote_session.py",
    "rookery/homes/bootstrap_python.py",
    "rookery/clusters/login_node/bundle.py",
    "rookery/clusters/login_node/frame.py",
)
_ENGINES = ("ansible_core-", "jinja2-", "PyYAML-")
_UNSTEADY = re.compile(r"\b(lookup|query|q|now|random|shuffle|hostvars|groups|vars|env|ansible_\w+|lipsum)\b")

# The probe runs beside the program, which reads its output at the end. A Python too old, or broken, gives no answer.
_SCRIPT = """
packed=$1
shift
glance() {{
{probe}
}}
(ROOKERY_GLANCE=pythons && glance "$@") | while IFS= read -r python; do
  (ROOKERY_GLANCE={depth} && glance "$@") </dev/null | "$python" -IS -c {code} "$packed" && exit
done
"""


@dataclass(frozen=True)
class HomeComparison:
    """Result of comparing a home with its last complete setup.

    Attributes:
        sealed: What the last whole run wrote down: asked, rookery, when, facts, declared …; None where there was none.
        entries: How many things rookery has made or changed there.
        ended: Whether that run was the last, and nothing has begun since.
        drift: What is not as it was left: role, kind, path, what, how.
        stays: Folders that can't be moved to the storage: path, and why in `note`.
        intact: Whether all that a run looks at looks as it did then.
        new: Facts that are new since.
        gone: Facts that no longer hold.
        python: The version of the Python that answered.
        problem: What kept it from looking, in a line; "" where nothing did.
        hint: What to do about that.
        tools: Versions, where they were asked for.
        output: What the probe printed, where all of it was asked for.
        answered: Whether a command was carried out there at all.
        startup: What start-up files do to a command, as the probe tells it; "" where it was not asked.
    """

    sealed: Mapping[str, Any] | None = None
    entries: int = 0
    ended: bool = False
    drift: tuple[Mapping[str, str], ...] = ()
    stays: tuple[Mapping[str, str], ...] = ()
    intact: bool = True
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    python: str = ""
    problem: str = ""
    hint: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    answered: bool = False
    startup: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the login node was like at the last whole run."""
        return (self.sealed or {}).get("facts") or {}

    def reason_to_run(self, asked: Mapping[str, Any]) -> str:
        """Return why a full run is needed, in a line; "" where all is as asked for."""
        if self.problem or self.sealed is None:
            return self.problem or "no complete setup yet"
        doubts = (
            (not self.ended, "the last setup was interrupted, or ran only some roles"),
            (
                self.sealed.get("digest") != asked["digest"] or asked["unsteady"],
                f"new since the last setup: {', '.join(differences(self.sealed, asked))}",
            ),
            (
                self.new or self.gone or self.python != self.sealed.get("python"),
                f"the login node has changed: {', '.join((*self.gone, *self.new)) or 'its Python'}",
            ),
            (self.drift, f"changed since setup: {', '.join(item['path'] or item['what'] for item in self.drift)}"),
            (not self.intact, "something in the home has changed since setup"),
        )
        return next((why for is_so, why in doubts if is_so), "")


def asked(cluster: "Cluster") -> dict[str, Any]:
    """Return digests of what a whole run would ask for now; the same digests mean the same run.

    Args:
        cluster: The profile, merged.

    Returns:
        `digest` of everything; for telling what differs, `rookery` (version), `engines` (versions), `play`, `roles` (a
        digest each), `variables` (a digest each); and `unsteady`, the variables whose value may be another each time.
    """
    root = paths.root()
    variables = {key: value for key, value in cluster.variables.items() if not key.startswith(CONNECTION)}
    roles = sorted(path.name for path in (root / "roles").iterdir() if path.is_dir() and path.name not in _ELSEWHERE)
    parts = {
        "rookery": __version__,
        "engines": _engines(),
        "play": _digest(b"".join(content for name in _PLAY for content in _contents(_place(name)))),
        "roles": {role: _digest(b"".join(_contents(root / "roles" / role))) for role in roles},
        "variables": {key: _digest(_text(value).encode()) for key, value in sorted(variables.items())},
    }
    unsteady = [key for key, value in variables.items() if "{" in _text(value) and _is_unsteady(_text(value))]
    return {**parts, "digest": _digest(json.dumps(parts, sort_keys=True).encode()), "unsteady": unsteady}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs between two sets of these digests, in words.

    Args:
        then: As `asked` gave it, or as it was written down.
        now: The same of another time.
    """
    texts = []
    if then.get("rookery") != now["rookery"]:
        texts.append(f"rookery {now['rookery']} (was {then.get('rookery')})")
    elif then.get("play") != now["play"] or then.get("engines") != now["engines"]:
        texts.append("how rookery sets up a home")
    for kind, word in (("roles", "role"), ("variables", "setting")):
        old, new = then.get(kind) or {}, now[kind]
        texts += [f"{word} {key}" for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    return texts + [f"setting {key}, which can differ each time" for key in now["unsteady"]]


def look(connection: "Connection") -> HomeComparison:
    """Compare a home quickly, in one command: whether all that the last whole run looked at still looks the same.

    Args:
        connection: An open connection to the cluster.

    Raises:
        RookeryError: The cluster does not answer.
    """
    return read_quick(_ask(connection, bundle.pack("apply.fingerprint_check"), depth="1"))


def look_closely(connection: "Connection") -> HomeComparison:
    """Compare a home item by item, in one command, with the versions of tools and the free space.

    Args:
        connection: An open connection to the cluster.

    Raises:
        RookeryError: The cluster does not answer.
    """
    return read(_ask(connection, bundle.pack("apply.verify", {"full": True}), depth=""))


def _ask(connection: "Connection", packed: str, *, depth: str) -> "Completed":
    script = _SCRIPT.format(probe=facts.script(), code=shlex.quote(bundle.FROM_ARGUMENT), depth=depth)
    arguments = [packed, *facts.arguments(connection.cluster.data)]
    return connection.run(arguments, script=script, timeout=PATIENCE, check=False)


def read_quick(completed: "Completed") -> HomeComparison:
    """Return the comparison from fingerprint_check.py's answer."""
    answer = frame.last(completed.stdout, answers.apply_program)
    if answer is None:
        return _silent(completed)
    asked, lease, facts = (bytes.fromhex(answer.get(key, "")) for key in ("asked", "lease", "facts"))
    digest, _, text = asked.partition(b"\n")
    now = set(facts_in(facts.decode(errors="surrogateescape")))
    startup = next((fact.partition(" ")[2] for fact in now if fact.startswith("startup ")), "")
    if digest.decode(errors="replace") != hashlib.sha256(text).hexdigest():
        return HomeComparison(answered=True, startup=startup)
    try:
        sealed = answers.SEALED(strict_json.loads(text))
    except (strict_json.MalformedError, MismatchError):  # not what a run writes: a whole run finds out
        return HomeComparison(answered=True, startup=startup)
    then = set(sealed.get("glance") or [])
    return HomeComparison(
        sealed=sealed,
        ended=_is_ended(lease, sealed["run"]),
        intact=answer.get("same", False),
        new=tuple(sorted(now - then)),
        gone=tuple(sorted(then - now)),
        python=answer.get("python", ""),
        answered=True,
        startup=startup,
    )


def facts_in(output: str) -> Iterator[str]:
    """Yield the facts in what the probe printed at a glance."""
    for line in output.splitlines():
        if line.startswith("rookery-fact "):
            yield line.removeprefix("rookery-fact ").strip()


def _is_ended(lease: bytes, run: str) -> bool:
    """Return whether that run was the last one on the home, and came to its end."""
    try:
        held = strict_json.loads(lease)
        return bool(held["run"] == run and held["until"] == 0)
    except (ValueError, KeyError, TypeError):
        return False


def _silent(completed: "Completed") -> HomeComparison:
    lines = completed.stderr.strip().splitlines()
    return HomeComparison(problem=lines[-1] if lines else "no Python on the login node answers", answered=True)


def read(completed: "Completed") -> HomeComparison:
    """Return the comparison from verify.py's answer."""
    answer = frame.last(completed.stdout, answers.apply_program)
    if answer is None:
        return _silent(completed)
    if answer.get("failed"):
        return HomeComparison(
            problem=str(answer.get("msg") or "no reason given"), hint=str(answer.get("hint") or ""), answered=True
        )
    known = {attribute.name for attribute in fields(HomeComparison)} - {"problem", "hint", "answered"}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in answer.items() if key in known
    }
    return HomeComparison(**values, answered=True)


def looks(
    connections: Mapping[str, "Connection"], look_at: Callable[["Connection"], HomeComparison]
) -> dict[str, HomeComparison]:
    """Compare several homes, side by side; an error becomes that home's `problem`.

    Args:
        connections: Open connections to the clusters.
        look_at: Looks at one.
    """

    def compare(connection: "Connection") -> HomeComparison:
        try:
            return look_at(connection)
        except RookeryError as error:
            return HomeComparison(problem=error.message)

    if len(connections) < 2:
        return {name: compare(connection) for name, connection in connections.items()}

    from rookery.clusters.ssh import fabric_group  # noqa: PLC0415 start-up

    looked = fabric_group.side_by_side(connections.values(), compare)
    return {name: comparison for name, comparison in looked.items() if isinstance(comparison, HomeComparison)}


def _is_unsteady(text: str) -> bool:
    """Return whether a template in it may give another value the next time."""
    return any(_UNSTEADY.search(template) for template in re.findall(r"\{[{%].*?[%}]\}", text, re.DOTALL))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _place(name: str) -> Path:
    """Return a file of the checkout, or of the package."""
    own = name.removeprefix("rookery/")
    return paths.package() / own if own != name else paths.root() / name


def _contents(path: Path) -> Iterator[bytes]:
    """Yield the names and contents of a file, or of all files below a folder.

    Bytecode is left out, and so is documentation.
    """
    if path.is_file():
        yield f"\0{path.name}\0{path.stat().st_mode & 0o111}\0".encode() + path.read_bytes()
    elif path.is_dir():
        for inner in sorted(child for child in path.iterdir() if child.name not in {"__pycache__", "README.md"}):
            yield f"\1{path.name}\0".encode()
            yield from _contents(inner)


def _engines() -> list[str]:
    """Return the versions of Ansible and Python that carry out a run, from their folders' names.

    Reading them properly takes 20 ms.
    """
    spec = importlib.util.find_spec("ansible")
    folder = Path(spec.origin).parent.parent if spec and spec.origin else Path()
    return sorted(
        path.name for path in folder.iterdir() if path.name.startswith(_ENGINES) and path.suffix == ".dist-info"
    )
