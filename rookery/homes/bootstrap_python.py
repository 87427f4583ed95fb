"""Bring a Python to a login node that has none: uv is fetched on this side, sent over, and installs one there.

uv's wheel is what this side unpacks, so the login node needs neither unzip nor curl nor a way to PyPI; only the Python
itself is downloaded there (or from the profile's mirror).
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rookery.clusters.login_node.facts import proxy_variables
from rookery.clusters.ssh.remote_command import DOWNLOADS, STATE_FOLDER, remote_command
from rookery.core import paths
from rookery.core.errors import RookeryError

LINK = ".local/state/rookery/python"
"""Where the login node's probe looks for a Python that was brought, below the home."""


def fetch_uv(machine: str, index: str) -> Path:
    """Download the pinned uv for another machine; it is kept in the cache of this one.

    Raises:
        RookeryError: It can't be downloaded, or there is none for that machine.
    """
    files = paths.root() / "roles/python/files"
    pinned = json.loads((files / "pins.json").read_text(encoding="utf-8"))["uv"]
    folder = Path(paths.cache_dir(), "uv", pinned["version"], machine)
    if not (folder / "uv").exists():
        digests = json.dumps(pinned["wheels"])
        completed = subprocess.run(
            [sys.executable, str(files / "fetch_uv.py"), str(folder), index, pinned["version"], machine, digests],
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            raise RookeryError(
                completed.stderr.strip().splitlines()[-1], hint="set cluster_mirrors.pypi in your inventory"
            )
    return folder / "uv"


def commands(facts: Mapping[str, Any], profile: Mapping[str, Any], version: str) -> tuple[str, str]:
    """Return the two lines of shell that go before and after uv is sent.

    The first makes its folder, the second installs a Python and links it.
    """
    prefix = shlex.quote(facts["prefix"])
    json_url = (profile.get("cluster_mirrors") or {}).get("uv_python_downloads")
    mirror = f"UV_PYTHON_DOWNLOADS_JSON_URL={shlex.quote(json_url)} " if json_url else ""
    before = remote_command(f"{STATE_FOLDER}\nmkdir -p {prefix}/bin && note_state")
    proxy = "".join(f"{name}={shlex.quote(value)} " for name, value in proxy_variables(facts, profile).items())
    uv = f"{proxy}UV_PYTHON_INSTALL_DIR={prefix}/python UV_CACHE_DIR={prefix}/cache/uv {mirror}{prefix}/bin/uv python"
    version, home = shlex.quote(version), shlex.quote(facts["home"])
    after = remote_command(
        f"{DOWNLOADS}mv {prefix}/bin/.uv-sent {prefix}/bin/uv && chmod 755 {prefix}/bin/uv && "
        f"{uv} install --no-progress --no-bin {version} && "
        f'ln -sfn "$({uv} find --managed-python --no-project {version})" {home}/{LINK}'
    )
    return before, after


def bring(
    facts: Mapping[str, Any],
    profile: Mapping[str, Any],
    version: str,
    run: Callable[[str], Mapping[str, Any]],
    send: Callable[[str, str], None],
) -> str:
    """Install a Python on the login node; return its path.

    Args:
        facts: What the probe found.
        profile: The cluster's `cluster_*` values.
        version: Such as "3.13".
        run: Runs a line of shell there; gives `rc`, `stdout`, `stderr`.
        send: Copies a file of this side to a path there.

    Raises:
        RookeryError: A step failed; the last line that it printed is in the message.
    """
    index = (profile.get("cluster_mirrors") or {}).get("pypi") or "https://pypi.org/simple"
    uv = fetch_uv(facts["architecture"], index)
    before, after = commands(facts, profile, version)
    for step in (before, None, after):
        if step is None:
            send(str(uv), f"{facts['prefix']}/bin/.uv-sent")
            continue
        result = run(step)
        if result["rc"]:
            message = (result.get("stderr") or result.get("stdout") or "no reason given").strip().splitlines()[-1]
            raise RookeryError(
                f"Can't install Python on {facts['node']}: {message}",
                hint="if the cluster can't reach GitHub, set cluster_mirrors.uv_python_downloads in your inventory",
            )
    return f"{facts['home']}/{LINK}"
