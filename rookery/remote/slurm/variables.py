"""Sent to a cluster with each program: variables that change what programs do, and an environment without them.

Users set such variables in start-up files for their own work. rookery's own commands, and jobs, must not depend on
them. `rookery/clusters/ssh/remote_command.py` makes shell code of the same patterns, so this is the only list.
"""

import fnmatch
import os
from typing import Dict, List, Tuple

SHELL = (
    "CDPATH",
    "ENV",
    "BASH_ENV",
    "POSIXLY_CORRECT",
    "TAR_OPTIONS",
    "GZIP",
    "XZ_OPT",
    "GREP_OPTIONS",
    "GREP_COLOR*",
    "LS_COLORS",
    "LS_OPTIONS",
    "DU_BLOCK_SIZE",
    "DF_BLOCK_SIZE",
    "BLOCK_SIZE",
    "BLOCKSIZE",
    "RSYNC_*",
    "GIT_*",
)
"""Change what the shell, coreutils, tar, gzip, grep and git do."""

SLURM = ("SBATCH_*", "SLURM_*", "SQUEUE_*", "SACCT_*", "SCANCEL_*", "SINFO_*", "SCONTROL_*", "SRUN_*", "SALLOC_*")
"""Options of Slurm's commands; sbatch's override the #SBATCH lines of a script (sbatch(1))."""

PACKAGES = (
    "PYTHON*",
    "VIRTUAL_ENV*",
    "PYENV_VERSION",
    "PYENV_DIR",
    "PIP_*",
    "PIPX_*",
    "UV_*",
    "POETRY_*",
    "CONDA_*",
    "_CONDA_*",
    "MAMBA_*",
    "R_LIBS*",
    "R_PROFILE*",
    "R_ENVIRON*",
    "R_HOME",
    "R_DEFAULT_PACKAGES",
    "RENV_*",
    "JULIA_LOAD_PATH",
    "JULIA_PROJECT",
    "LD_PRELOAD",
)
"""Change which packages Python, R and Julia import, and where pip, uv, poetry and conda install."""

KEPT = (
    "GIT_SSL_*",
    "SBATCH_ACCOUNT",
    "SBATCH_RESERVATION",
    "SLURM_CONF*",
    "SLURM_JWT",
    "PYTHON_KEYRING_BACKEND",
    "PYTHON_BUILD_*",
    "PIP_*INDEX*",
    "PIP_*CERT",
    "PIP_*HOST",
    "PIP_*PROXY",
    "PIP_*LINKS",
    "PIP_*CACHE*",
    "PIP_*TIMEOUT",
    "UV_*INDEX*",
    "UV_*CACHE*",
    "UV_*MIRROR*",
    "UV_*LINK*",
    "UV_*HTTP*",
    "UV_*TLS*",
    "UV_*HOST",
    "UV_PYTHON_*",
    "UV_TOOL_*",
    "UV_KEYRING_PROVIDER",
    "POETRY_*HTTP*",
    "POETRY_*TOKEN*",
    "POETRY_REPOSITORIES*",
    "POETRY_CERTIFICATES*",
    "POETRY_CACHE_DIR",
    "CONDA_PKGS_DIRS",
    "CONDA_*SSL*",
    "CONDA_*PROXY*",
    "CONDA_CHANNEL_ALIAS",
    "RENV_*DOWNLOAD*",
    "RENV_*REPOS*",
    "RENV_PATHS_CACHE",
)
"""Exceptions: where downloads come from and are kept, proxies and certificates, and where Slurm's configuration is."""

ALL = SHELL + SLURM + PACKAGES

GRANTED = {"SBATCH_ACCOUNT": "account", "SBATCH_RESERVATION": "reservation"}
"""Variables that count where the job itself gives no such option of sbatch; they are handed on as that option."""

_UNTOLD = ("CONDA_*", "_CONDA_*", "VIRTUAL_ENV_*", "LD_PRELOAD", "R_HOME", *SHELL)
"""Variables that are silently left out of jobs: every activated environment sets them, or nobody would miss them."""


def matches(name: str, patterns: Tuple[str, ...]) -> bool:
    """Return whether a variable's name matches one of the patterns, and is no exception."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) and not any(
        fnmatch.fnmatchcase(name, pattern) for pattern in KEPT
    )


def cleaned(environment: Dict[str, str], patterns: Tuple[str, ...] = ALL) -> Tuple[Dict[str, str], Dict[str, str]]:
    """Split an environment into variables that are kept and those that are left out.

    Of LD_LIBRARY_PATH only the user's own folders are left out: modules set it too.

    Args:
        environment: Names and values.
        patterns: Names to leave out.
    """
    left = {name: value for name, value in environment.items() if matches(name, patterns)}
    kept = {name: value for name, value in environment.items() if name not in left}
    libraries = environment.get("LD_LIBRARY_PATH", "")
    folders = [folder for folder in libraries.split(":") if folder.startswith("/") and not _is_own(folder)]
    if folders != libraries.split(":"):
        left["LD_LIBRARY_PATH"] = libraries
        kept["LD_LIBRARY_PATH"] = ":".join(folders)
    if not kept.get("LD_LIBRARY_PATH"):
        kept.pop("LD_LIBRARY_PATH", None)
        if not libraries:
            left.pop("LD_LIBRARY_PATH", None)
    return kept, left


def named(left: Dict[str, str]) -> List[str]:
    """Return a note on the variables that were left out.

    Only the values of Slurm's options and of HOME are named, since others may be secret.
    """
    shown = []
    for name in sorted(left):
        if name != "CONDA_PREFIX" and any(fnmatch.fnmatchcase(name, pattern) for pattern in _UNTOLD):
            continue
        shows_value = name == "HOME" or matches(name, SLURM)
        shown.append("%s=%s" % (name, left[name][:40]) if shows_value else name)
    return shown


def granted(environment: Dict[str, str], given: Dict[str, str]) -> List[str]:
    """Remove the variables of GRANTED from an environment; return those that count, as options of sbatch.

    Args:
        environment: The environment; it is changed.
        given: Options that the job gives itself, by name.
    """
    values = {option: environment.pop(name, "") for name, option in GRANTED.items()}
    return ["--%s=%s" % (option, value) for option, value in values.items() if value and not given.get(option)]


def _is_own(folder: str) -> bool:
    try:
        return os.stat(folder).st_uid == os.getuid()
    except OSError:
        return False
