"""What a drop-in does in any shell: asked of those that every machine has, and in a miniature of the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from rookery.remote.apply import shells

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
AWKWARD = st.text(st.sampled_from("a'\"\\ !$`\n\t*?[]{}~#;&|<>()%^=-é"), max_size=12)
VALUES = st.lists(st.one_of(AWKWARD, TEXT), min_size=6, max_size=6)
FOLDERS = ["/o p/it's", "/a!b/*[x]", "/$HOME/`id`\\"]
START = {"PATH": "/usr/bin:/bin", "HOME": "/a home", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Shell:
    """A shell, started without anybody's files and told that an unset variable or an error ends it.

    Attributes:
        form: The form of drop-in that it reads.
        argv: How it is started; the script's name is to follow.
    """

    form: str
    argv: tuple[str, ...]


SHELLS = {
    "sh": Shell("sh", ("sh", "-eu")),
    "dash": Shell("sh", ("dash", "-eu")),
    "bash": Shell("sh", ("bash", "--norc", "--posix", "-eu")),
    "zsh": Shell("sh", ("zsh", "-f", "-eu")),
    "fish": Shell("fish", ("fish", "--no-config")),
    "tcsh": Shell("csh", ("tcsh", "-f", "-e")),
}

# What a program that a shell starts has in its environment, after the shell read a drop-in of this text so many times;
# it began with START, and nothing else may have been printed.
Reader = Callable[[Shell, str, int], dict[str, str]]


def check_values(read: Reader, shell: Shell, values: list[str]) -> None:
    variables = {f"VALUE_{number}": value for number, value in enumerate(values)}
    environment = read(shell, shells.drop_in(shell.form, "python", variables, []), 1)
    assert {key: environment[key] for key in variables} == variables


def check_path(read: Reader, shell: Shell, own: list[str], foreign: str) -> None:
    """FOLDERS of the user's own come to the front; one that is somebody else's, or is not there, stays out."""
    environment = read(shell, shells.drop_in(shell.form, "python", {}, [foreign, *own, "/is/not there"]), 2)
    assert environment["PATH"].split(":") == [*own, "/usr/bin", "/bin"]


def check_architecture(read: Reader, shell: Shell, own: list[str], *, is_this: bool) -> None:
    plain = shells.drop_in(shell.form, "python", {"VALUE": "a\nb"}, own)
    machine = os.uname().machine if is_this else "it's another"
    environment = read(shell, shells.only_on(machine, shell.form, plain), 2)
    assert environment.get("VALUE") == ("a\nb" if is_this else None)
    assert environment["PATH"].split(":")[:-2] == (own if is_this else [])


def check_defaults(read: Reader, shell: Shell) -> None:
    defaults = {"HOME": "/mine", "global_storage": "/o p/it's !x"}
    environment = read(shell, shells.drop_in(shell.form, "python", {}, [], defaults), 1)
    assert (environment["HOME"], environment["global_storage"]) == (START["HOME"], defaults["global_storage"])
