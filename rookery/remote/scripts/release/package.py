"""Make a release's own virtual environment: the project's code first, then the packages of the shared environment.

Arguments: WAY SHARED MADE FINAL RELEASE PLACE. WAY is how the environment was made, SHARED is the environment that releases share, MADE the folder to make, FINAL its
path when the release stands in its place, RELEASE the release's path then, PLACE where its files are now.

Whatever knows virtual environments knows this one: `activate`, an editor's interpreter, commands in bin/. Nothing is
built or downloaded. It may be for nodes of another architecture, so nothing of it is run here.
"""

import glob
import os
import re
import shutil
import sys

SCRIPT = """import sys
from {module} import {first}
if __name__ == "__main__":
    sys.exit({attribute}())
"""
LONGEST = 126
"""Bytes of a first line that every Linux reads (Linux 5.0 and older)."""


def main(way, shared, made, final, release, place):
    if way == "conda":  # activated by name, so its jobs get the folders from PYTHONPATH, and the commands from PATH
        os.makedirs(made)
        own_commands(made, os.path.join(release, ".conda/bin/python"), place)
        return
    os.makedirs(os.path.join(made, "bin"))
    for name in os.listdir(shared):
        if name not in ("bin", "lib", "pyvenv.cfg", ".rookery-ready") and not name.startswith(".lock"):
            link(os.path.join(shared, name), os.path.join(made, name))
    shutil.copy(os.path.join(shared, "pyvenv.cfg"), made)
    libraries(shared, made, release, place)
    commands(shared, made, final)
    own_commands(os.path.join(made, "bin"), os.path.join(final, "bin/python"), place)


def link(goal, path):
    """Link to what is in the shared environment; what is a relative link there is one here, too (lib64 -> lib)."""
    if os.path.islink(goal) and "/" not in os.readlink(goal):
        goal = os.readlink(goal)
    os.symlink(goal, path)


def libraries(shared, made, release, place):
    """Make lib/: one file there names the project's folders and the shared packages."""
    with open(os.path.join(place, ".rookery/package/import-folders")) as stream:
        folders = [os.path.normpath(os.path.join(release, line.strip())) for line in stream if line.strip()]
    for name in os.listdir(os.path.join(shared, "lib")):
        packages = sorted(glob.glob(os.path.join(glob.escape(os.path.join(shared, "lib", name)), "site-packages")))
        if not packages:
            os.makedirs(os.path.join(made, "lib"), exist_ok=True)
            link(os.path.join(shared, "lib", name), os.path.join(made, "lib", name))
            continue
        own = os.path.join(made, "lib", name, "site-packages")
        os.makedirs(own)
        lines = [os.path.join(release, ".rookery/package")] + folders
        lines += ["import site; site.addsitedir(%r)" % path for path in packages]
        with open(os.path.join(own, "rookery.pth"), "w") as stream:
            stream.write("".join("%s\n" % line for line in lines))


def commands(shared, made, final):
    """Make bin/: Python itself, and each command of the shared packages, begun by this environment's Python."""
    places = {os.fsencode(shared), os.fsencode(os.path.realpath(shared))}
    either = b"|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
    head = re.compile(rb"\A#!(?:/bin/sh\n'''exec' [\"']?)?(?:" + either + rb")/bin/(python[0-9.]*)[^\n]*\n(?:' '''\n)?")
    for name in os.listdir(os.path.join(shared, "bin")):
        source, path = os.path.join(shared, "bin", name), os.path.join(made, "bin", name)
        if name.startswith("python") or os.path.islink(source) or not os.path.isfile(source):
            os.symlink(source, path)
            continue
        with open(source, "rb") as stream:
            text = stream.read(4096)
            if name.startswith("activate"):
                text = re.sub(either, lambda _: os.fsencode(final), text + stream.read())
            elif head.match(text):
                text = head.sub(lambda found: first_line(os.path.join(final, "bin", found.group(1).decode())), text + stream.read())
            else:
                os.symlink(source, path)
                continue
        write(path, text, os.stat(source).st_mode)


def first_line(python):
    path = os.fsencode(python)
    if len(path) + 2 <= LONGEST and b" " not in path:
        return b"#!" + path + b"\n"
    return b"#!/bin/sh\n'''exec' '" + path.replace(b"'", b"'\\''") + b"' \"$0\" \"$@\"\n' '''\n"


def own_commands(folder, python, place):
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


def write(path, text, mode):
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as stream:
        stream.write(text)
    os.chmod(path, mode & 0o777)


main(*sys.argv[1:])
