"""Homes as people have them: each comes out of `setup` working, and the person's own text is untouched."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from laptops import NO_TOOLS, Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster

EARLY_RETURN = "case $- in *i*) ;; *) return;; esac\nexport MINE=yes\n"
EXIT = '[ -z "$PS1" ] && exit\nexport MINE=yes\n'
NOISE = 'echo "Welcome to my shell"\nexport MINE=yes\n'
CRLF_AND_LATIN = "# caf\\351\\r\nexport MINE=yes"  # no newline at the end, and a byte that is not UTF-8


def write(cluster: Live, user: str, name: str, text: str) -> None:
    """Put a file into somebody's home there, as printf reads the text."""
    script = f"cd ~{user} && mkdir -p \"$(dirname '{name}')\" && printf '{text}' > '{name}' && chown -R {user}: ~{user}"
    escaped = script if "\\3" in text else script.replace(text, text.replace("%", "%%"))
    cluster.root_run(["bash", "-c", escaped])


def text_of(cluster: Live, user: str, name: str) -> str:
    return cluster.root_run(["bash", "-c", f"base64 -w0 ~{user}/'{name}'"]).stdout


def without_block(cluster: Live, user: str, name: str) -> str:
    """What is left of a file when rookery's lines are taken out."""
    script = f"sed '/^# >>> rookery/,/^# <<< rookery/d' ~{user}/'{name}' | base64 -w0"
    return cluster.root_run(["bash", "-c", script]).stdout


TOOLS = ("--tags", "shell,storage,python,python_tools")
"""The roles whose work depends on start-up files."""


def works(person: Laptop, *roles: str) -> None:
    """Commands sent over ssh find the tools and print nothing of their own; a setup of these roles changes nothing."""
    assert person.says("uv --version").startswith("uv ")
    assert person.says("echo $global_storage") == f"/home/{person.user}/storage"
    assert re.fullmatch(r"Python 3\.13\.\d+", person.says("python --version"))
    assert person.setup()["up_to_date"]
    assert person.setup("--force", *roles)["changed"] == 0


BASHRCS = {"early": EARLY_RETURN, "exits": EXIT, "noisy": NOISE, "empty": "", "odd": CRLF_AND_LATIN}


@pytest.fixture(scope="module")
def with_bashrc(penguins: Live) -> Callable[[str], tuple[Laptop, str]]:
    """Make the home with one of these, set up, where it is not there yet; and what its ~/.bashrc was before."""

    @cache
    def made(user: str) -> tuple[Laptop, str]:
        person = laptop(penguins, user, settings=NO_TOOLS)
        write(penguins, user, ".bashrc", BASHRCS[user])
        before = text_of(penguins, user, ".bashrc")
        person.setup()
        return person, before

    return made


def test_a_bashrc_that_prints_no_longer_breaks_what_runs_over_ssh_but_still_greets_people(
    with_bashrc: Callable[[str], tuple[Laptop, str]],
) -> None:
    person, _ = with_bashrc("noisy")
    assert person.says("true") == ""
    shown = person.says("script -qec 'bash -i -c \"echo $MINE\"' /dev/null")
    assert "Welcome to my shell" in shown


@pytest.mark.parametrize("user", BASHRCS)
def test_a_bashrc(penguins: Live, with_bashrc: Callable[[str], tuple[Laptop, str]], user: str) -> None:
    person, before = with_bashrc(user)
    works(person, *TOOLS)
    if BASHRCS[user]:
        assert without_block(penguins, user, ".bashrc") == before


@pytest.fixture(scope="module")
def lived_in(penguins: Live) -> tuple[Laptop, str, dict[str, Any]]:
    """Somebody with dotfiles and files of their own, set up; what their ~/.bashrc was before, and what setup said."""
    person = laptop(penguins, "own", settings=NO_TOOLS)
    write(penguins, "own", "dotfiles/bashrc", EARLY_RETURN)
    penguins.root_run(["bash", "-c", "cd ~own && rm -f .bashrc && ln -s dotfiles/bashrc .bashrc"])
    write(penguins, "own", "start-pyenv", "export PYENV_ROOT=$HOME/.pyenv # mine\n")
    write(penguins, "own", ".tmux.conf", "set -g mouse off\n")
    write(penguins, "own", ".Rprofile", "options(digits = 4)\n")
    write(penguins, "own", ".Renviron", "R_LIBS_USER=~/my-packages\n")
    write(penguins, "own", ".vscode-server/data/Machine/settings.json", '{"files.watcherExclude": {}, "mine": 1}\n')
    before = text_of(penguins, "own", "dotfiles/bashrc")
    answer = person.setup()
    works(person)
    return person, before, answer


def test_a_bashrc_that_is_a_link_into_a_dotfiles_folder(
    penguins: Live, lived_in: tuple[Laptop, str, dict[str, Any]]
) -> None:
    person, before, _ = lived_in
    assert person.says("readlink ~/.bashrc") == "dotfiles/bashrc"
    assert without_block(penguins, "own", "dotfiles/bashrc") == before


def test_a_home_with_no_start_up_files_at_all(penguins: Live) -> None:
    person = laptop(penguins, "bare", settings=NO_TOOLS)
    penguins.root_run(["bash", "-c", "rm -f ~bare/.bash* ~bare/.profile"])
    person.setup()
    works(person)
    assert person.says("bash -lc 'uv --version'").startswith("uv ")


@pytest.mark.parametrize(
    ("shell", "rc", "text", "login"),
    [
        ("/usr/bin/zsh", ".zshrc", "export MINE=yes\n", "zsh -lc"),
        ("/usr/bin/fish", ".config/fish/config.fish", "set -gx MINE yes\n", "fish -lc"),
        ("/usr/bin/tcsh", ".cshrc", "setenv MINE yes\n", "tcsh -c"),
    ],
)
def test_another_login_shell(penguins: Live, shell: str, rc: str, text: str, login: str) -> None:
    user = f"u{shell.rpartition('/')[2]}"
    person = laptop(penguins, user, shell, settings=NO_TOOLS)
    write(penguins, user, rc, text)
    before = text_of(penguins, user, rc)
    person.setup("--tags", "shell")  # a setup that got no further leaves a shell that says nothing
    completed = person.ssh("true")
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    person.setup()
    works(person, *TOOLS)
    assert without_block(penguins, user, rc) == before
    assert person.says(f"{login} 'uv --version'").startswith("uv ")
    # jobs are bash whatever the login shell is
    assert person.says("bash -c '. ~/start-pyenv; uv --version'").startswith("uv ")


def test_a_pyenv_and_files_of_the_person_s_own_stay(lived_in: tuple[Laptop, str, dict[str, Any]]) -> None:
    person, _, answer = lived_in
    kept = {outcome["path"]: outcome["note"] for outcome in answer["outcomes"] if outcome["note"]}
    assert "kept" in kept["~/start-pyenv"]
    assert "# mine" in person.says("cat ~/.local/state/rookery/kept/start-pyenv-*")
    assert person.says("tail -1 ~/.tmux.conf") == "set -g mouse off"
    assert person.says("tail -1 ~/.Rprofile") == "options(digits = 4)"
    assert person.says("Rscript -e 'cat(.libPaths()[1])'") == "/home/own/my-packages"
    assert '"mine": 1' in person.says("cat ~/.vscode-server/data/Machine/settings.json")


@pytest.mark.parametrize("mask", ["000", "777"])
def test_a_umask_that_is_too_wide_or_too_narrow(penguins: Live, mask: str) -> None:
    """Nobody else can write to what shells and R read, and the owner can use all of it, R's library too."""
    user = f"mask{mask}"
    person = laptop(penguins, user)
    for name in (".profile", ".bashrc"):
        write(penguins, user, name, f"umask {mask}\n")
    completed = person.rookery("setup", "--cluster", "penguins", "--tags", "shell,storage,r,tmux,vscode")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    script = "find ~{0} ! -type l ! -path '*/cache/uv/*' \\( -perm /022 -o ! -perm -600 -o -type d ! -perm -700 \\)"
    assert not penguins.root_run(["bash", "-c", script.format(user)]).stdout
