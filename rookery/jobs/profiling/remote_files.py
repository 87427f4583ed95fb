"""The files that `profile` puts into the release before the job, and fetches from it afterwards."""

import base64
import binascii
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rookery.core import atomic_files, console
from rookery.core.errors import RookeryError
from rookery.jobs.profiling import profilers
from rookery.jobs.profiling.profilers import Profiler
from rookery.projects import environment, release_protocol

if TYPE_CHECKING:
    from rookery.projects.model import Project
    from rookery.projects.target import Target

TABLE: Final = "top.tsv"
_MOST_BYTES = 100_000_000
_PATIENCE = 1800
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,100}")

_RELEASE = """
cd && . ./.config/rookery/env.sh || exit 1
cd "${ROOKERY_HOME:-$HOME}/projects/$name/releases/$commit" || exit 1
"""

_PYTHON_TOOL = """
python=$link/bin/python
[ -x "$python" ] || python=$(command -v python3)
if [ -n "$module" ]; then
  "$python" -c "import $module" 2>/dev/null && exit 0
elif [ -x "$link/bin/$package" ]; then
  exit 0
fi
command -v uv >/dev/null 2>&1 || { echo "uv is not installed there"; exit 1; }
uv pip freeze --python "$python" 2>/dev/null | grep -v ' @ ' >"$tools.constraints"
exec uv pip install --quiet --python "$python" --target "$tools" --constraint "$tools.constraints" "$package" 2>&1
"""

_R_TOOL = """
R_LIBS="$PWD/$link" R_LIBS_USER="$PWD/$link" R_PROFILE_USER=/dev/null R_ENVIRON_USER=/dev/null
export R_LIBS R_LIBS_USER R_PROFILE_USER R_ENVIRON_USER
Rscript -e "quit(status = !requireNamespace('$package', quietly = TRUE))" >/dev/null 2>&1 && exit 0
mkdir -p "$tools"
exec Rscript -e "install.packages('$package', lib = '$tools', repos = '$cran', quiet = TRUE)" \
  -e "quit(status = !requireNamespace('$package', lib.loc = c('$tools', .libPaths()), quietly = TRUE))" 2>&1
"""

_FETCH = """
if [ -d "$folder" ] && [ "$(du -sk "$folder" | cut -f 1)" -le "$most" ]; then
  printf 'ROOKERY-PROFILE '
  tar -C "$folder" -cf - . | gzip | base64 | tr -d '\\n'
  echo
fi
for log in "$logs"/*; do
  [ -f "$log" ] && tail -n 20 "$log" | sed 's/^/ROOKERY-LOG /'
done
exit 0
"""


@dataclass(frozen=True)
class FetchedProfile:
    """What a job left.

    Attributes:
        files: The files that the profiler wrote, by name.
        log: The last lines of the job's log.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    log: tuple[str, ...] = ()


def needed(profiler: Profiler) -> dict[str, str]:
    """Return the files that go into the copy, and the file of rookery/remote that each is."""
    if profiler.is_r:
        return {
            profilers.RPROF: "scripts/profiling/rprof.R",
            profilers.R_REPORT: "scripts/profiling/report.R",
        }
    start = {profilers.START: "profile_start.py"} if profiler.name == "scalene" else {}
    return {profilers.REPORT: "profile_report.py", **start}


def install(target: "Target", copy: "Project", commit: str, profiler: Profiler) -> None:
    """Install a profiler into the release, for this run only, if the project's environment has none.

    Raises:
        RookeryError: It can't be installed.
    """
    if not profiler.package:
        return
    way = copy.environment.r if profiler.is_r else copy.environment.python
    mirrors = target.cluster.data.get("cluster_mirrors") or {}
    values = {
        "name": copy.name,
        "commit": commit,
        "link": environment.link(way, "") if way != "none" else "/nonexistent",
        "package": profiler.package,
        "module": profiler.module,
        "tools": profilers.TOOLS,
        "cran": str(mirrors.get("cran") or "https://cloud.r-project.org"),
    }
    preamble = environment.preamble(copy.environment, target.cluster)
    script = f"{release_protocol.assignments(values)}{preamble}\n{_RELEASE}"
    script += _R_TOOL if profiler.is_r else _PYTHON_TOOL
    with console.waiting(f"Installing {profiler.package} on {target.cluster.name}"):
        done = target.connection.run(script=script, timeout=_PATIENCE, check=False)
    if not done.ok:
        lines = [console.clean(line) for line in (done.stdout + done.stderr).strip().splitlines()[-5:]]
        hint = "add profvis to the project's R packages, and commit" if profiler.is_r else _add(copy, profiler)
        raise RookeryError(
            f"{profiler.package} is not in the project's environment, and could not be installed on "
            f"{target.cluster.name}.",
            details=lines,
            hint=hint,
        )


def _add(copy: "Project", profiler: Profiler) -> str:
    commands = {"uv": "uv add --dev", "poetry": "poetry add --group dev"}
    command = commands.get(copy.environment.python)
    if command:
        return f"{command} {profiler.package} && git commit -am 'Add {profiler.package}'"
    return f"add {profiler.package} to the project's environment, and commit"


def fetch(target: "Target", copy: "Project", commit: str, folder: str) -> FetchedProfile:
    """Fetch what the profiler wrote, and the end of the job's log.

    Raises:
        RookeryError: The connection failed.
    """
    values = {
        "name": copy.name,
        "commit": commit,
        "folder": folder,
        "logs": copy.logs,
        "most": str(_MOST_BYTES // 1000),
    }
    with console.waiting("Fetching the profile"):
        done = target.connection.run(script=release_protocol.assignments(values) + _RELEASE + _FETCH, check=False)
    files: dict[str, bytes] = {}
    log: list[str] = []
    for line in done.stdout.splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "ROOKERY-PROFILE":
            files = unpacked(rest)
        elif mark == "ROOKERY-LOG":
            log.append(console.clean(rest))
    return FetchedProfile(files, tuple(log[-20:]))


def unpacked(text: str) -> dict[str, bytes]:
    """Return the files of an archive that came from a cluster; only plain files with plain names.

    Args:
        text: A tar, compressed by gzip, in base64.
    """
    files: dict[str, bytes] = {}
    left = _MOST_BYTES
    try:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(text, validate=True)), mode="r:gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if not member.isreg() or not _NAME.fullmatch(name) or member.size > left:
                    continue
                stream = archive.extractfile(member)
                files[name] = stream.read(member.size) if stream else b""
                left -= member.size
    except (tarfile.TarError, EOFError, OSError, binascii.Error, ValueError):
        return {}
    return files


def write(place: Path, files: Mapping[str, bytes]) -> None:
    """Put the files into a folder."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        atomic_files.write(place / name, content, mode=0o644)
