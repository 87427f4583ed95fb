"""Check that an environment has what its lock file lists. Run by its own Python, or for conda by any.

Argument: the environment's folder. On standard input, JSON: `lock` (the file's name), `versions` (of each package:
those that are locked), `roots`, and for each package and version `needs` by extra: lists of [name, extras, marker];
`conda` where conda made it: lists of [name, version]. What is wrong comes on standard output, a line each.

Only what is certain is a fault: a package whose marker can't be evaluated here is not asked for.
"""

import ast
import glob
import json
import os
import platform
import re
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

MOST = 15
"""Faults that are named."""


def main(folder: str, expected: Dict[str, Any]) -> int:
    """Print what is wrong with an environment; return the exit status."""
    installed, faults = distributions(folder)
    lock = expected["lock"]
    for name, version in sorted(installed.items()):
        locked = expected["versions"].get(name)
        if locked and not any(same(version, other) for other in locked):
            faults.append("%s %s is installed, and %s has %s" % (name, version, lock, " or ".join(locked)))
    for name in sorted(required(expected, installed)):
        if name not in installed:
            text = " ".join([name, *expected["versions"].get(name, [])[:1]])
            faults.append("%s of %s is not installed" % (text, lock))
    faults += missing_conda(folder, expected.get("conda", []), lock)
    for fault in faults[:MOST]:
        print("error: " + fault)
    if len(faults) > MOST:
        print("error: and %d more" % (len(faults) - MOST))
    return bool(faults)


def normalised(name: str) -> str:
    """Return a name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parts(version: str) -> Tuple[List[Any], str]:
    """Return a version in a form in which spellings of it are alike, and its local part."""
    public, _, local = version.lower().lstrip("v").partition("+")
    words = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "r": "post", "rev": "post"}
    public = re.sub(r"-(\d+)$", r".post\1", public)
    found = [int(part) if part.isdigit() else words.get(part, part) for part in re.findall(r"\d+|[a-z]+|!", public)]
    while len(found) > 1 and found[-1] == 0 and isinstance(found[-2], int):
        found.pop()
    return found, re.sub(r"[-_]", ".", local)


def same(version: str, locked: str) -> bool:
    """Return whether a version is the locked one; where that has no local part (`+cu121`), it may have any."""
    (have, local), (wanted, wanted_local) = parts(version), parts(locked)
    return have == wanted and (not wanted_local or local == wanted_local)


def site_packages(folder: str) -> List[str]:
    """Return the folders of an environment's packages."""
    found = [
        path
        for lib in ("lib", "lib64")
        for path in glob.glob(os.path.join(glob.escape(folder), lib, "python*", "site-packages"))
    ]
    return sorted({os.path.realpath(path) for path in found})


def distributions(folder: str) -> Tuple[Dict[str, str], List[str]]:
    """Return the version of each package whose metadata can be read, and what is wrong with others."""
    versions: Dict[str, str] = {}
    faults = []
    for packages in site_packages(folder):
        for entry in sorted(os.listdir(packages)):
            base, kind = os.path.splitext(entry)
            if kind not in (".dist-info", ".egg-info") or entry.startswith("~"):
                continue
            path = os.path.join(packages, entry)
            name, version = metadata(path)
            if not name or not version:
                faults.append("%s has no name and version in its metadata" % entry)
                continue
            versions[normalised(name)] = version
            if kind == ".dist-info":
                said, _, numbered = base.partition("-")
                if normalised(said) != normalised(name) or not same(version, numbered.replace("_", "-")):
                    faults.append("%s says in its metadata that it is %s %s" % (entry, name, version))
                faults += damaged(packages, path, name)
    return versions, faults


def metadata(path: str) -> Tuple[str, str]:
    """Return the name and version in a folder of metadata, or in the file that older tools write; "" for neither."""
    files = [os.path.join(path, name) for name in ("METADATA", "PKG-INFO")] if os.path.isdir(path) else [path]
    for file in files:
        try:
            with open(file, encoding="utf-8", errors="replace") as stream:
                head = stream.read(1 << 16).split("\n\n")[0]
        except OSError:
            continue
        found = dict(re.findall(r"^(Name|Version):[ \t]*(.+?)[ \t\r]*$", head, re.MULTILINE))
        return found.get("Name", ""), found.get("Version", "")
    return "", ""


def damaged(packages: str, path: str, name: str) -> List[str]:
    """Return a fault if a file of a package is empty that should not be, or all files are missing."""
    import csv

    try:
        with open(os.path.join(path, "RECORD"), encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if len(row) > 2 and row[2].isdigit() and int(row[2])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    code = [row[0] for row in rows if ".dist-info/" not in row[0]]
    present = 0
    for file in code:
        try:
            size = os.stat(os.path.join(packages, file)).st_size
        except OSError:
            continue
        if not size:
            return ["%s is incomplete: %s is empty" % (name, file)]
        present += 1
    return ["%s is incomplete: none of its files is there" % name] if code and not present else []


def required(expected: Dict[str, Any], installed: Dict[str, str]) -> Iterator[str]:
    """Yield the packages that must be there: from the roots on, along what holds on this platform."""
    seen = set()
    unread = [(name, extra) for name, extras, marker in expected["roots"] if holds(marker) for extra in ["", *extras]]
    while unread:
        name, extra = unread.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        yield name
        for known in expected["versions"].get(name, []):
            if same(installed.get(name, ""), known):
                edges = expected["needs"].get("%s %s" % (name, known), {}).get(extra, [])
                unread += [(to, more) for to, extras, marker in edges if holds(marker) for more in ["", *extras]]


def environment() -> Dict[str, str]:
    """Return the variables of markers (PEP 508)."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def holds(marker: str) -> bool:
    """Return whether a marker certainly holds on this platform."""
    if not marker:
        return True
    try:
        return value(ast.parse(marker.strip(), mode="eval").body) is True
    except (SyntaxError, ValueError):
        return False


def value(node: Any) -> Optional[bool]:
    """Return what an expression of a marker comes to; None where that is not known."""
    if isinstance(node, ast.BoolOp):
        values = [value(inner) for inner in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = operand(node.left), operand(node.comparators[0])
        if left is None or right is None:
            return None
        is_version = any(
            isinstance(side, ast.Name) and side.id.endswith("version") for side in (node.left, node.comparators[0])
        )
        return compared(left, type(node.ops[0]).__name__, right, is_version)
    return None


def operand(node: Any) -> Optional[str]:
    """Return a variable's value, or a text; None for another variable."""
    if isinstance(node, ast.Name):
        return environment().get(node.id)
    text = getattr(node, "value", getattr(node, "s", None))  # Python 3.6 and 3.7 have Str
    return text if isinstance(text, str) else None


def compared(left: str, operator: str, right: str, is_version: bool) -> Optional[bool]:
    """Return whether a comparison holds; None for an operator that needs more than numbers."""
    if operator in ("In", "NotIn"):
        return (left in right) == (operator == "In")
    if not is_version:
        return {"Eq": left == right, "NotEq": left != right}.get(operator)
    if right.endswith(".*"):
        begins = numbers(left)[: len(numbers(right[:-2]))] == numbers(right[:-2])
        return {"Eq": begins, "NotEq": not begins}.get(operator)
    one, other = numbers(left), numbers(right)
    width = max(len(one), len(other))
    one, other = one + [0] * (width - len(one)), other + [0] * (width - len(other))
    order = {"Eq": one == other, "NotEq": one != other, "Lt": one < other, "LtE": one <= other}
    return {**order, "Gt": one > other, "GtE": one >= other}.get(operator)


def numbers(version: str) -> List[int]:
    """Return a version's leading numbers."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return [int(number) for number in match.group().split(".")] if match else []


def missing_conda(folder: str, wanted: List[List[str]], lock: str) -> List[str]:
    """Return faults for packages that conda has not noted as installed (conda-meta/NAME-VERSION-BUILD.json)."""
    faults = []
    noted = [entry[: -len(".json")].rsplit("-", 2) for entry in glob_names(os.path.join(folder, "conda-meta"), ".json")]
    versions = {entry[0].lower(): entry[1] for entry in noted if len(entry) == 3}
    for name, version in wanted:
        if name not in versions:
            faults.append("%s of %s is not installed" % (name, lock))
        elif version and parts(versions[name])[0][: len(parts(version)[0])] != parts(version)[0]:
            faults.append("%s %s is installed, and %s asks for %s" % (name, versions[name], lock, version))
    return faults


def glob_names(folder: str, ending: str) -> List[str]:
    """Return the names of files in a folder that end so; none where there is no folder."""
    return [name for name in os.listdir(folder) if name.endswith(ending)] if os.path.isdir(folder) else []


sys.exit(main(sys.argv[1], json.loads(sys.stdin.read())))
