"""Note what each role asked for in the last run, and that a whole run was completed: for the fast way of the next one.

`declared/ROLE` in the state folder: a role's declarations, and what the answers of their tests depended on.
`asked`, written when a whole run has come to its end: what the laptop asked for, and what the login node is like.
Each is a line with a digest, then JSON.
"""

import json
import os
import sys
import time
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from rookery.remote import strict_json
from rookery.remote.apply import disk, fingerprint_check
from rookery.remote.apply.ledger import make_state_folder, state_folder
from rookery.remote.apply.paths import native, portable

VERSION = 1
_FACT = "rookery-fact "
# what may be another each time, and no declaration depends on
_FLEETING = (
    "node",
    "epoch",
    "glibc",
    "os",
    "python",
    "free_mb",
    "writable",
    "installed_mb",
    "moving_mb",
    "quota",
    "programs_left",
    "links_left",
    "replaceable_by",
)

Observations = Dict[str, str]
"""By path, the word that `fingerprint_check.see` returns."""


def observe(paths: Iterable[str]) -> Observations:
    """Return the state of each path, as `fingerprint_check.see` returns it."""
    return {portable(path): fingerprint_check.see(fingerprint_check.TEST, path) for path in paths}


def is_unchanged(observations: Observations) -> bool:
    """Return whether all paths still look as they did."""
    return bool(observations) and all(
        fingerprint_check.see(fingerprint_check.TEST, native(path)) == was for path, was in observations.items()
    )


def note(home: str, payload: Dict[str, Any], observations: Dict[str, Observations]) -> None:
    """Write down what a role declared in this run, and what its tests depended on.

    Args:
        home: The home.
        payload: What the laptop sent: role, run, storage, declaration.
        observations: By command (see commands.name_of), what the answer of its test depends on.
    """
    run, declaration = payload["run"]["id"], _lean(payload["declaration"])
    if not declaration:
        return
    known = _read(_declared(home, payload["role"]))
    parts = known["parts"] if known is not None and known.get("run") == run and _is_declared(known) else []
    same = next((part for part in parts if part["declaration"] == declaration), None)
    if same is not None:  # a role that went on after a Slurm job
        same["sights"].update(observations)
    else:
        parts.append({"declaration": declaration, "storage": payload["storage"], "sights": observations})
    _write(home, _declared(home, payload["role"]), {"run": run, "parts": parts})


def declared(home: str, run: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield what each role declared in a run."""
    folder = os.path.join(state_folder(home), "declared")
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
        document = _read(os.path.join(folder, name))
        if document is not None and document.get("run") == run and _is_declared(document):
            yield name, document


def seal(home: str, run: str, asked: Dict[str, Any]) -> None:
    """End a whole run: write down what was asked for, and the login node's facts.

    Args:
        home: The home.
        run: The run's name.
        asked: What the laptop sends for this: `glance`, a command line that tells the facts, and whatever it wants to
            know of this run later.
    """
    import subprocess

    kept = {key: value for key, value in asked.items() if key != "glance"}
    completed = subprocess.run(
        ["sh", "-c", asked["glance"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    facts = facts_in(completed.stdout)
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    roles = [role for role, _ in declared(home, run)]
    document = dict(kept, version=VERSION, run=run, when=when, python=python(), glance=facts, declared=roles)
    _write(home, _sealed(home), document)


def sealed(home: str) -> Optional[Dict[str, Any]]:
    """Return what the last whole run wrote down, or None."""
    document = _read(_sealed(home))
    is_whole = (
        document is not None
        and document.get("version") == VERSION
        and isinstance(document.get("run"), str)
        and _are_texts(document.get("glance"))
        and _are_texts(document.get("declared"))
        and isinstance(document.get("facts", {}), dict)
    )
    return document if is_whole else None


def facts_in(output: bytes) -> List[str]:
    """Return the lasting facts in the probe's output; the order of shells and folders does not count."""
    lines = output.decode("utf-8", "surrogateescape").splitlines()
    facts = {line[len(_FACT) :].strip() for line in lines if line.startswith(_FACT)}
    return sorted(fact for fact in facts if fact.partition(" ")[0] not in _FLEETING)


def python() -> str:
    """Return the version of the Python that this runs on."""
    return "{}.{}.{}".format(*sys.version_info[:3])


def _lean(declaration: Dict[str, Any]) -> Dict[str, Any]:
    """Return a declaration without what only matters while it is carried out."""
    kept = {key: value for key, value in declaration.items() if key not in ("space", "release", "seal") and value}
    if "commands" in kept:
        needed = ("what", "creates", "unless", "environment", "makes", "stage")
        kept["commands"] = [
            dict(
                {key: item[key] for key in needed if key in item}, argv=[disk.digest(json.dumps(item["argv"]).encode())]
            )
            for item in kept["commands"]
            if item.get("unless") != ["false"]  # for this one time
        ]
    return {key: value for key, value in kept.items() if value}


def _sealed(home: str) -> str:
    return os.path.join(state_folder(home), "asked")


def _declared(home: str, role: str) -> str:
    return os.path.join(state_folder(home), "declared", role)


def _read(file: str) -> Optional[Dict[str, Any]]:
    """Return the content of one of these files.

    None where it is damaged: then a full run decides.
    """
    try:
        digest, _, text = strict_json.read_bytes(file).partition(b"\n")
        if digest.decode("ascii", "replace") != disk.digest(text):
            return None
        document = strict_json.loads(text)
    except (OSError, strict_json.MalformedError):
        return None
    return document if isinstance(document, dict) else None


def _is_declared(document: Dict[str, Any]) -> bool:
    parts = document.get("parts")
    return isinstance(parts, list) and all(
        isinstance(part, dict)
        and isinstance(part.get("declaration"), dict)
        and _are_texts(part.get("storage"))
        and isinstance(part.get("sights"), dict)
        and all(isinstance(observed, dict) for observed in part["sights"].values())
        for part in parts
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def _write(home: str, file: str, document: Dict[str, Any]) -> None:
    make_state_folder(home)
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    text = json.dumps(document).encode()
    disk.write(file, disk.digest(text).encode() + b"\n" + text, 0o600)
