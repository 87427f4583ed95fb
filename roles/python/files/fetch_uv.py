"""Install uv's program into a folder: its wheel from PyPI (or a mirror), checked against a digest.

Runs on a login node with nothing but Python 3.6's standard library, or on the laptop for a login node with no Python at
all. A wheel is a zip archive with the program in it, so neither pip nor a compiler is needed.

Usage: fetch_uv.py FOLDER INDEX VERSION MACHINE [PINS]
  FOLDER   where `uv` and `uvx` go
  INDEX    a simple index (PEP 503), such as https://pypi.org/simple
  VERSION  such as 0.9.2, or "latest"
  MACHINE  the architecture (uname -m): x86_64, aarch64, ppc64le; "" for that of this machine
  PINS     the SHA-256 of each wheel that may be taken, by its name, as a JSON object; without it, or where it is empty,
           what the index says is believed
"""

import hashlib
import html.parser
import io
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile


class _Links(html.parser.HTMLParser):
    """The links of an index page, with the digest in the fragment (PEP 503), but for withdrawn ones (PEP 592)."""

    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        href = dict(attrs).get("href")
        if tag == "a" and href and "data-yanked" not in dict(attrs):
            self.links.append(href)


def candidates(page, base, version, machine, pins):
    """Return (version as numbers, address, sha256) of each wheel of uv for this machine, newest last.

    The digest is that of `pins`, whatever the index says, and a wheel that has none there is left out; without pins it
    is the index's.
    Wheels for glibc (manylinux) serve where there is one for the machine; they ask for glibc 2.17 or later (2.28 on
    aarch64).
    """
    parser = _Links()
    parser.feed(page)
    wheels = []
    for link in parser.links:
        address, _, fragment = urllib.parse.urljoin(base, link).partition("#")
        name = urllib.parse.unquote(address.rsplit("/", 1)[-1])
        match = re.match(r"uv-(\d+(?:\.\d+)*)-py3-none-(\S*manylinux\S*_%s)\.whl$" % re.escape(machine), name)
        stated = re.match(r"sha256=([0-9a-f]{64})$", fragment)
        digest = pins.get(name) if pins else stated and stated.group(1)
        if match and digest and version in ("latest", match.group(1)):
            wheels.append((tuple(int(part) for part in match.group(1).split(".")), address, digest))
    return sorted(wheels)


def download(address):
    """Return the bytes at an address; two tries, since a line may drop."""
    for last in (False, True):
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError) as error:
            if last:
                sys.exit("Can't download uv from {}: {}".format(address, getattr(error, "reason", error)))
    return b""


def main(folder, index, version, machine, pins="{}"):
    """Find, check and unpack the wheel; each program gets its name in one rename."""
    base, pinned = index.rstrip("/") + "/uv/", json.loads(pins)
    machine = machine or os.uname().machine
    wheels = candidates(download(base).decode("utf-8", "replace"), base, version, machine, pinned)
    if not wheels:
        sys.exit("{} has no uv {} for {}".format(base, version, machine))
    _, address, digest = wheels[-1]
    wheel = download(address)
    if hashlib.sha256(wheel).hexdigest() != digest:
        expected = "this release of rookery expects" if pinned else "the index says it is"
        sys.exit("{} is not what {} (its SHA-256 differs)".format(address, expected))
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for name in archive.namelist():
            program = name.rsplit("/", 1)[-1]
            if "/scripts/" not in name or program not in ("uv", "uvx"):
                continue
            partial = os.path.join(folder, ".{}-{}".format(program, os.getpid()))
            with open(partial, "wb") as target:
                target.write(archive.read(name))
                target.flush()
                os.fsync(target.fileno())
            os.chmod(partial, 0o755)
            os.rename(partial, os.path.join(folder, program))
            print("rookery-made: " + os.path.join(folder, program))


if __name__ == "__main__":
    main(*sys.argv[1:])
