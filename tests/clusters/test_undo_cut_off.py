"""A setup that was cut off at one of its stages, then `undo`: the home is what it was."""

import re

import pytest
from failures import cut_off, kill_all
from home_contents import ODD, as_person, manifest, storage_of
from laptops import NO_TOOLS, SMALL_TOOL, laptop
from live import Live, as_root
from undo_command import outside, undo

pytestmark = pytest.mark.cluster

LIVED_IN = r"""
import os, subprocess
def put(path, text, mode=0o644):
    path = os.path.join(os.path.expanduser("~"), path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
put("dotfiles/bashrc", "case $- in *i*) ;; *) return;; esac\nexport MINE=yes", 0o640)
os.remove(os.path.expanduser("~/.bashrc"))
os.symlink("dotfiles/bashrc", os.path.expanduser("~/.bashrc"))
put("start-pyenv", "export PYENV_ROOT=$HOME/.pyenv # mine\n")
put(".tmux.conf", "set -g mouse off\n")
put(".Rprofile", "options(digits = 4)\n")
put(".cache/pip/wheel", "cached")
put(".vscode-server/data/Machine/settings.json", '{"mine": 1}\n')
"""


def contents(listing: str) -> list[str]:
    """A manifest without rookery's own record, and without the times of folders, not all of which were noted yet."""
    return [re.sub(r" d (\d+) \S+ $", r" d \1 ", line) for line in outside(listing)]


def test_on_penguins(penguins: Live) -> None:
    person = laptop(penguins, "orla", settings=SMALL_TOOL)
    as_person(penguins, "orla", LIVED_IN)
    before = contents(manifest(penguins, "/home/orla"))
    for moment, arguments in (
        ("/home/orla/.config/rookery/env.d/00-rookery.sh", ()),
        ("git fetch", ()),
        ("uv python install", ()),
        ("pipx install", ()),
        ("/home/orla/storage/R/*", ("--tags", "shell,storage,r")),  # without the roles that were cut off before
    ):
        cut_off(penguins, person, moment, kill_all, *arguments)
        assert contents(manifest(penguins, "/home/orla")) != before, moment
        answer = undo(person, "--yes", "--purge")
        assert answer["left"] == 0, moment
        assert contents(manifest(penguins, "/home/orla")) == before, moment


def test_on_hec(hec: Live) -> None:
    person = laptop(hec, "oskar", settings=NO_TOOLS)
    as_person(hec, "oskar", ODD)
    storage = storage_of(hec, "oskar")
    as_root(hec, f"install -d -o oskar {storage}/.mamba && echo theirs >{storage}/.mamba/shared.txt")
    as_root(hec, f"chown -R oskar: {storage}")
    places = ("/home/oskar", storage)
    before = [contents(manifest(hec, place)) for place in places]
    for moment in (f"{storage}/rookery/home/.cache/run.sh", "uv tool install"):
        cut_off(hec, person, moment, kill_all)
        answer = undo(person, "--yes", "--purge")
        assert answer["left"] == 0, moment
        assert [contents(manifest(hec, place)) for place in places] == before, moment
