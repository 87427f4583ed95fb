"""Make a release's own virtual environment: the project's code first, then the packages of the shared environment.

Arguments: WAY SHARED MADE FINAL RELEASE PLACE. WAY is how the environment was made, SHARED the environment that
releases share, MADE the folder to make, FINAL its path when the release is in its place, RELEASE the release's path
then, and PLACE where its files are now.

Whatever knows virtual environments knows this one: `activate`, an editor's interpreter, commands in bin/. Nothing is
built or downloaded. It may be for nodes of another architecture, so nothing of it is run here.
"""

import glob
import os
import re
import shlex
import shutil
import sys
from typing import List

SCRIPT = """import sys
from {module} import {first}
if __name__ == "__main__":
    sys.exit({attribute}())
"""
LONGEST = 126
"""Bytes of a first line that every Linux reads (those before 5.1)."""


def main(way: str, shared: str, folders: List[str]) -> None:
    """Make the environment; for conda, only the commands.

    Args:
        way: How the environment was made.
        shared: The environment that releases share.
        folders: MADE, FINAL, RELEASE and PLACE.
    """
    made, final, release, place = folders
    if (
        way == "conda"
    ):  # activated by its path, so that jobs get the folders from PYTHONPATH, and the commands from PATH
        os.makedirs(made)
        own_commands(made, "/usr/bin/env python", place)
        return

    os.makedirs(os.path.join(made, "bin"))
    for name in os.listdir(shared):
        if not name.startswith(".") and name not in ("bin", "lib", "pyvenv.cfg", "CACHEDIR.TAG"):
            link(os.path.join(shared, name), os.path.join(made, name))
    shutil.copy(os.path.join(shared, "pyvenv.cfg"), made)
    libraries(shared, made, release, place)
    commands(shared, made, final)
    own_commands(os.path.join(made, "bin"), os.path.join(final, "bin/python"), place)


def link(goal: str, path: str) -> None:
    """Link to what is in the shared environment; a link to a neighbour there is one here, too (lib64 -> lib)."""
    if os.path.islink(goal) and "/" not in os.readlink(goal):
        goal = os.readlink(goal)
    os.symlink(goal, path)


def libraries(shared: str, made: str, release: str, place: str) -> None:
    """Make lib/: one file there names the project's folders and the shared packages."""
    with open(os.path.join(place, ".rookery/package/import-folders")) as stream:
        folders = [os.path.normpath(os.path.join(release, line.strip())) for line in stream if line.strip()]
    os.makedirs(os.path.join(made, "lib"))
    for name in os.listdir(os.path.join(shared, "lib")):
        packages = os.path.join(shared, "lib", name, "site-packages")
        if not os.path.isdir(packages):
            link(os.path.join(shared, "lib", name), os.path.join(made, "lib", name))
            continue
        own = os.path.join(made, "lib", name, "site-packages")
        os.makedirs(own)
        lines = [os.path.join(release, ".rookery/package"), *folders]
        with open(
            os.path.join(own, "rookery.pth"), "w"
        ) as stream:  # lines that begin with `import` are run: site's rule
            stream.write("%s\nimport site; site.addsitedir(%r)\n" % ("\n".join(lines), packages))


def commands(shared: str, made: str, final: str) -> None:
    """Make bin/: Python itself, and each command of the shared packages, begun by this environment's Python."""
    places = sorted({os.fsencode(shared), os.fsencode(os.path.realpath(shared))}, key=len, reverse=True)
    either = b"|".join(re.escape(path) for path in places)
    head = re.compile(rb"\A#!(?:/bin/sh\n'''exec' [\"']?)?(?:" + either + rb")/bin/(python[0-9.]*)[^\n]*\n(?:' '''\n)?")
    for name in os.listdir(os.path.join(shared, "bin")):
        if name.endswith((".bat", ".ps1", ".nu", ".xsh")):  # for shells that no cluster has
            continue
        source, path = os.path.join(shared, "bin", name), os.path.join(made, "bin", name)
        text = b""
        if os.path.isfile(source) and not os.path.islink(source) and not name.startswith("python"):
            with open(source, "rb") as stream:
                text = stream.read(4096)
                text += stream.read() if name.startswith("activate") or head.match(text) else b""
        found = head.match(text)
        if name.startswith("activate"):
            write(path, activation(text, either, os.fsencode(final)), os.stat(source).st_mode)
        elif found:
            python = os.path.join(final, "bin", found.group(1).decode())
            write(path, first_line(python) + text[found.end() :], os.stat(source).st_mode)
        else:
            os.symlink(source, path)


def activation(text: bytes, folders: bytes, final: bytes) -> bytes:
    """Return an `activate` for another folder, in quotes also where Python wrote none, as since CVE-2024-9287.

    Args:
        text: The shared environment's.
        folders: A pattern for the folder that it names.
        final: The other folder.
    """
    quoted = os.fsencode(shlex.quote(os.fsdecode(final)))
    return re.sub(rb"(?<=[ =])(" + folders + rb")|" + folders, lambda match: quoted if match.group(1) else final, text)


def first_line(python: str) -> bytes:
    """Return the first line of a script that a Python runs; a shell's where it would be too long for the kernel."""
    path = os.fsencode(python)
    if path.startswith(b"/usr/bin/env ") or (len(path) + 2 <= LONGEST and b" " not in path):
        return b"#!" + path + b"\n"
    return b"#!/bin/sh\n'''exec' \"" + re.sub(rb'([\\"$`])', rb"\\\1", path) + b'" "$0" "$@"\n\' \'\'\'\n'


def own_commands(folder: str, python: str, place: str) -> None:
    """Write the project's own commands, from its entry points."""
    group = ""
    for file in glob.glob(os.path.join(glob.escape(place), ".rookery/package/*.dist-info/entry_points.txt")):
        with open(file, encoding="utf-8") as stream:
            lines = [line.strip() for line in stream if line.strip()]
        for line in lines:
            if line.startswith("["):
                group = line
            elif group in ("[console_scripts]", "[gui_scripts]"):
                name, _, target = (part.strip() for part in line.partition("="))
                module, _, attribute = (part.strip() for part in target.partition("[")[0].partition(":"))
                text = SCRIPT.format(module=module, first=attribute.partition(".")[0], attribute=attribute)
                write(os.path.join(folder, name), first_line(python) + text.encode(), 0o755)


def write(path: str, text: bytes, mode: int) -> None:
    """Write a file, in place of one that is there."""
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as stream:
        stream.write(text)
    os.chmod(path, mode & 0o777)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
