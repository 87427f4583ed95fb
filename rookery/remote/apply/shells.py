"""A drop-in for each shell's start-up: variables, and folders at the front of PATH.

Sourced at every login and in every job, so: no output, no error under `set -eu`, and no program started but `uname`
where machines of several architectures share the home. A folder that is not there, or not the user's own, is left out
of PATH silently: on storage that others can write, another user's may be in its place.
"""

import re
from typing import Callable, Dict, List, Optional

from rookery.remote.apply.problem import Problem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def quote_sh(value: str) -> str:
    """Return a value as a word of sh, bash or zsh."""
    return "'" + value.replace("'", "'\\''") + "'"


def quote_fish(value: str) -> str:
    """Return a value as a word of fish, where a backslash means something inside single quotes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_csh(value: str) -> str:
    """Return a value as a word of csh.

    Where `!` is history and a line's end ends a string even inside single quotes.
    """
    return "'" + value.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n") + "'"


def _sh(variables: Dict[str, str], path: List[str], defaults: Dict[str, str]) -> List[str]:
    lines = ["{0}={1}; export {0}".format(name, quote_sh(value)) for name, value in variables.items()]
    default = '[ -n "${{{0}-}}" ] || {0}={1}; export {0}'
    lines += [default.format(name, quote_sh(value)) for name, value in defaults.items()]
    prepend = '[ ! -O {0} ] || case ":${{PATH-}}:" in *:{0}:*) ;; *) PATH={0}${{PATH:+":$PATH"}}; export PATH ;; esac'
    return lines + [prepend.format(quote_sh(folder)) for folder in reversed(path)]


def _fish(variables: Dict[str, str], path: List[str], defaults: Dict[str, str]) -> List[str]:
    lines = ["set -gx {} {}".format(name, quote_fish(value)) for name, value in variables.items()]
    lines += ["set -q {0}; or set -gx {0} {1}".format(name, quote_fish(value)) for name, value in defaults.items()]
    prepend = "contains -- {0} $PATH; or not test -O {0}; or set -gx PATH {0} $PATH"
    return lines + [prepend.format(quote_fish(folder)) for folder in reversed(path)]


def _csh(variables: Dict[str, str], path: List[str], defaults: Dict[str, str]) -> List[str]:
    lines = ["setenv {} {}".format(name, quote_csh(value)) for name, value in variables.items()]
    lines += ["if (! $?{0}) setenv {0} {1}".format(name, quote_csh(value)) for name, value in defaults.items()]
    for folder in reversed(path):
        # `=~` would read the folder's name as a pattern: the folders on PATH are compared one by one
        lines += [
            "set rookery_there = 0",
            "foreach rookery_folder ($path:q)",
            '  if ("$rookery_folder:q" == {}) set rookery_there = 1'.format(quote_csh(folder)),
            "end",
            'if (! $rookery_there && -o {0}) setenv PATH {0}":$PATH:q"'.format(quote_csh(folder)),
            "unset rookery_there rookery_folder",
        ]
    return lines


_Form = Callable[[Dict[str, str], List[str], Dict[str, str]], List[str]]
FORMS: Dict[str, _Form] = {"sh": _sh, "fish": _fish, "csh": _csh}
_ONLY_ON = {
    "sh": ('if [ "$(uname -m)" = {} ]; then', "fi"),
    "fish": ("if test (uname -m) = {}", "end"),
    "csh": ('if ("`uname -m`" == {}) then', "endif"),
}


def drop_in(
    shell: str, role: str, variables: Dict[str, str], path: List[str], defaults: Optional[Dict[str, str]] = None
) -> str:
    """Return the text of a drop-in.

    Args:
        shell: `sh`, `fish` or `csh`.
        role: The role that it is of.
        variables: Name and value, taken as they are.
        path: Folders for the front of PATH; the first of them comes first.
        defaults: The same, for variables that the site has not set.

    Raises:
        Problem: A name or a value that no shell can hold.
    """
    for name, value in [*variables.items(), *(defaults or {}).items()]:
        if not _NAME.match(name) or "\0" in value:
            raise Problem("the role {} declares a variable with an invalid name or value: {!r}".format(role, name))
    for folder in path:
        if ":" in folder or "\0" in folder:
            raise Problem("PATH can't contain the folder {!r}".format(folder))
    head = "# Written by rookery (role {}) and rewritten by it: put settings of your own in another file.".format(role)
    return "\n".join([head, *FORMS[shell](variables, path, defaults or {})]) + "\n"


def only_on(architecture: str, shell: str, text: str) -> str:
    """Return a drop-in that does nothing on machines of another architecture, which can't run what it leads to.

    Args:
        architecture: As `uname -m` says it.
        shell: `sh`, `fish` or `csh`.
        text: The drop-in.
    """
    head, _, rest = text.partition("\n")
    begin, end = _ONLY_ON[shell]
    return "{}\n{}\n{}{}\n".format(head, begin.format(quote_sh(architecture)), rest, end)
