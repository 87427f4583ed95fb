"""Check what VS Code needs on a login node, and the room that it takes."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rookery.clusters import policies
from rookery.support.doctor.checks import CheckResults
from rookery.support.doctor.fix_commands import with_sandbox
from rookery.support.doctor.inspection import HomeInspection

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

GLIBC = (2, 28)
"""The oldest C library that VS Code's server runs on (code.visualstudio.com/docs/remote/faq)."""

ARCHITECTURES = ("x86_64", "aarch64", "armv7l")
"""Those that there is a VS Code server for (code.visualstudio.com/docs/remote/linux)."""

WATCHES, INSTANCES = 65536, 64
"""The least of each that leave VS Code room beside others; kernels of before 5.11 have 8192 and 128 by themselves."""

SERVER_MB, SERVER_FILES = 2048, 20000
"""From when on VS Code's servers are worth looking through."""


def judge(results: CheckResults, cluster: "Cluster", home: HomeInspection) -> None:
    """Check what VS Code needs on the login node."""
    policy = policies.vscode(cluster.data, job=False)
    if policy in policies.BARRED:
        where = "this cluster" if policies.vscode(cluster.data, job=True) in policies.BARRED else "its login nodes"
        results.skip_rest(
            f"VS Code is {policy} on {where}", dict.fromkeys(("vscode", "vscode-watching", "vscode-server"), "")
        )
        return
    wrong = list(_unfit(home))
    if wrong:
        results.warn(
            "vscode",
            "; ".join(wrong),
            f"edit on this computer, and copy your project with `{with_sandbox(cluster, 'invoke deploy')}`",
        )
    else:
        results.ok("vscode", f"glibc {home.fact('glibc') or '?'}, {home.fact('architecture')}")
    watches, instances = home.value("watches"), home.value("instances")
    if watches.isdigit() and instances.isdigit() and (int(watches) < WATCHES or int(instances) < INSTANCES):
        message = f"the limits of {watches} files and {instances} watchers per user are too low for a large folder"
        results.warn(
            "vscode-watching",
            message,
            "open a project's folder instead of your home, and set files.watcherExclude in VS Code",
        )
    else:
        results.ok("vscode-watching", f"at most {watches or '?'} files")
    size, files = ([*home.value("vscode-server").split(), "", ""])[:2]
    if size.isdigit() and (int(size) > SERVER_MB * 1024 or int(files or 0) > SERVER_FILES):
        message = f"{int(size) // 1024} MB in {int(files or 0):,} files"
        results.warn("vscode-server", message, with_sandbox(cluster, f"invoke vscode.prune {cluster.name}"))
    else:
        results.ok("vscode-server", f"{int(size) // 1024} MB" if size.isdigit() else "not installed")


def _unfit(home: HomeInspection) -> Iterator[str]:
    """Yield why VS Code's server would not run there."""
    version = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", home.fact("glibc"))
    if version and (int(version[1]), int(version[2])) < GLIBC:
        yield f"VS Code needs glibc {GLIBC[0]}.{GLIBC[1]} or later; the login node has {version[0]}"
    architecture = home.fact("architecture")
    if architecture and architecture not in ARCHITECTURES:
        yield f"VS Code has no server for {architecture}"
