"""`setup`, then `undo`: homes as people have them are what they were, to the byte and the nanosecond."""

import re
from dataclasses import replace

import pytest
import yaml
from home_contents import ODD, as_person, manifest, storage_of
from laptops import NO_TOOLS, ROOKERY, SMALL_TOOL, Laptop, laptop
from live import Live, as_root
from terminal import Terminal
from undo_command import by_path, outside, undo

pytestmark = pytest.mark.cluster

OWN = r"""
import os, subprocess
home = os.path.expanduser("~")
def put(path, text, mode=0o644):
    path = os.path.join(home, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
conda = "# >>> conda initialize >>>\nexport CONDA=here\n# <<< conda initialize <<<\n"
put("dotfiles/bashrc", "case $- in *i*) ;; *) return;; esac\n" + conda + "export MINE=yes", 0o640)
os.remove(os.path.join(home, ".bashrc"))
os.symlink("dotfiles/bashrc", os.path.join(home, ".bashrc"))
put("start-pyenv", "export PYENV_ROOT=$HOME/.pyenv # mine\n")
put(".tmux.conf", "set -g mouse off\n")
put(".Rprofile", "options(digits = 4)\n")
put(".Renviron", "R_LIBS_USER=~/my-packages\n")
put(".vscode-server/data/Machine/settings.json", '{"files.watcherExclude": {}, "mine": 1}\n')
put(".cache/pip/wheel", "cached")
pyenv = os.path.join(home, ".pyenv")
subprocess.run(["git", "clone", "--quiet", "--depth", "1", "file:///srv/mirrors/pyenv.git", pyenv], check=True)
put(".pyenv/versions/9.9.9/bin/python9", "#!/bin/sh\n", 0o755)
subprocess.run([os.path.join(pyenv, "bin/pyenv"), "rehash"], check=True)
for folder, names, files in os.walk(home, topdown=False):
    for name in files + names + ["."]:
        if ".ssh" not in folder:
            os.utime(os.path.join(folder, name), (1000000000, 1234567890.5), follow_symlinks=False)
"""


@pytest.fixture(scope="module")
def lived_in(penguins: Live) -> tuple[Laptop, str]:
    """Somebody with files, links and a pyenv of their own, set up; and what the home was like."""
    person = laptop(penguins, "una", settings=SMALL_TOOL)
    as_person(penguins, "una", OWN)
    before = manifest(penguins, "/home/una")
    person.write(r_packages=["iterators"])
    person.setup()
    assert "< moo >" in person.says("pycowsay moo")
    return person, before


def test_check_tells_it_all_and_does_nothing(lived_in: tuple[Laptop, str]) -> None:
    person, _ = lived_in
    before = person.tree()
    outcomes = by_path(undo(person, "--check"))
    assert person.tree() == before
    assert outcomes["~/start-pyenv"] == ("restored", "")
    assert outcomes["~/storage/rookery/x86_64/bin/pycowsay"] == ("removed", "")
    assert outcomes["~/storage"] == ("removed", "")
    # without a terminal, nobody can say yes
    completed = person.rookery("undo", "--cluster", "penguins")
    assert completed.returncode == 1
    assert re.search(r"\d+ to remove, \d+ to restore", completed.stderr)
    assert "undo penguins --yes" in completed.stderr
    assert person.tree() == before


def test_a_role_that_others_need_is_not_taken_back_alone(lived_in: tuple[Laptop, str]) -> None:
    person, _ = lived_in
    before = person.tree()
    completed = person.rookery("undo", "--cluster", "penguins", "--tags", "python", "--yes")
    assert completed.returncode == 1
    assert "can't undo python alone: python_tools needs it" in completed.stderr
    assert person.tree() == before


def test_a_home_of_one_s_own_is_what_it_was(penguins: Live, lived_in: tuple[Laptop, str]) -> None:
    person, before = lived_in
    listed = by_path(undo(person, "--check"))
    note = person.home / ".local/state/rookery/clusters/penguins.json"
    assert note.exists()
    answer = undo(person, "--yes")
    assert by_path(answer) == listed
    assert answer["left"] == 0
    assert outside(manifest(penguins, "/home/una")) == before.splitlines()
    assert not note.exists()
    undo(person, "--yes", "--purge")
    assert manifest(penguins, "/home/una") == before
    assert person.cluster not in (person.home / ".config/rookery").rglob("ssh_config")
    assert undo(person, "--yes")["found"] is False


@pytest.fixture(scope="module")
def hec_home(hec: Live) -> tuple[Laptop, str, str]:
    """Somebody who has used HEC for years, set up; what home and storage were like."""
    person = laptop(hec, "udo", settings=NO_TOOLS)
    as_person(hec, "udo", ODD)
    storage = storage_of(hec, "udo")
    as_root(hec, f"install -d -o udo {storage}/.mamba && echo theirs >{storage}/.mamba/shared.txt")
    as_root(hec, f"chown -R udo: {storage}")
    before = manifest(hec, "/home/udo"), manifest(hec, storage)
    person.setup()
    assert person.says("readlink ~/.cache") == f"{storage}/rookery/home/.cache"
    return person, *before


def test_folders_come_back_from_the_storage_unless_the_home_is_full(
    hec: Live, hec_home: tuple[Laptop, str, str]
) -> None:
    person, home, storage = hec_home
    place = storage_of(hec, "udo")
    # a quota that leaves 5 MB in the home, and a cache that has grown since
    quota = "echo 'home  10G  9.995G  0.005G  99.9  1'; echo 'storage  200G  1.00G  199.00G  0.5  1'"
    person.write(cluster_quota={"command": quota, "format": "gpfsquota"})
    person.says("head -c 20000000 /dev/zero >~/.cache/later")
    before = person.tree()
    completed = person.rookery("undo", "--cluster", "hec", "--yes")
    assert completed.returncode == 1
    assert re.search(r"moving folders back .* needs 2\d MB on /home.*, but only 5 MB are free", completed.stderr), (
        completed.stderr
    )
    assert person.tree() == before

    person.write(cluster_quota={"command": "gpfsquota", "format": "gpfsquota"})
    person.says("rm ~/.cache/later && echo new >~/.mamba/later && touch -r ~/.condarc ~/.cache/. ~/.mamba/.")
    answer = undo(person, "--yes")
    assert by_path(answer)["~/.cache"][0] == "restored"
    assert as_root(hec, "cat /home/udo/.mamba/later && rm /home/udo/.mamba/later") == "new"
    ours = re.compile(r"^\./?(\.cache|\.mamba)? d ")
    assert [line for line in outside(manifest(hec, "/home/udo")) if not ours.match(line)] == [
        line for line in home.splitlines() if not ours.match(line)
    ]
    assert manifest(hec, place) == storage


SHELLS = {
    "exits": ("/bin/bash", ".bashrc", '[ -z "$PS1" ] && exit\nexport MINE=yes\n'),
    "noisy": ("/bin/bash", ".bashrc", 'echo "Welcome to my shell"'),
    "zed": ("/usr/bin/zsh", ".zshrc", "export MINE=yes\n"),
    "fishy": ("/usr/bin/fish", ".config/fish/config.fish", "set -gx MINE yes\n"),
    "seashell": ("/usr/bin/tcsh", ".cshrc", "setenv MINE yes\n"),
}


@pytest.mark.parametrize("name", SHELLS)
def test_start_up_files_of_every_shell_are_what_they_were(penguins: Live, name: str) -> None:
    shell, file, text = SHELLS[name]
    user = f"u{name}"
    person = laptop(penguins, user, shell)
    put = "import os\npath = os.path.expanduser('~/{0}')\nos.makedirs(os.path.dirname(path), exist_ok=True)\n"
    as_person(penguins, user, put.format(file) + f"open(path, 'w').write({text!r})")
    as_root(penguins, f"runuser -l {user} -c true")  # shells make files of their own at their first start
    before = manifest(penguins, f"/home/{user}")
    person.setup("--tags", "shell,tmux")
    answer = undo(person, "--yes", "--purge")
    assert answer["left"] == 0
    assert manifest(penguins, f"/home/{user}") == before


def test_what_is_the_person_s_by_now_stays_and_is_named(penguins: Live) -> None:
    person = laptop(penguins, "uwe")
    as_person(penguins, "uwe", "import os\nopen(os.path.expanduser('~/.tmux.conf'), 'w').write('set -g mouse off\\n')")
    person.setup("--tags", "shell,tmux,r")
    person.script("""
        echo 'set -g status off' >> ~/.tmux.conf
        echo '# mine' >> ~/.config/rookery/env.sh
        library=$(Rscript -e 'cat(.libPaths()[1])'); mkdir -p $library/mine && touch $library/mine/DESCRIPTION
    """)
    outcomes = by_path(undo(person, "--yes", "--purge"))
    assert outcomes["~/.tmux.conf"] == ("restored", "rookery's lines only; your changes since are kept")
    assert outcomes["~/.config/rookery/env.sh"] == ("left", "you have changed it since")
    state, note = outcomes["~/storage/R"]
    assert (state, note.endswith("mine/DESCRIPTION")) == ("left", True), note
    assert as_root(penguins, "cat ~uwe/.tmux.conf") == "set -g mouse off\nset -g status off"
    assert as_root(penguins, "tail -1 ~uwe/.config/rookery/env.sh") == "# mine"
    assert as_root(penguins, "ls -A ~uwe | grep -c -e rookery -e '^.local$' || true") == "0"


def test_a_second_undo_has_nothing_to_ask(penguins: Live) -> None:
    person = laptop(penguins, "ulf")
    person.setup("--tags", "shell")
    person.script("echo '# mine' >> ~/.config/rookery/env.sh")
    assert undo(person, "--yes")["left"]
    again = person.rookery("undo", "--cluster", "penguins")
    assert (again.returncode, again.stderr) == (0, "")
    assert re.search(r"^penguins: nothing left to undo, \d+ kept$", again.stdout, re.M)


def test_two_clusters_at_once_after_a_question_on_the_terminal(penguins: Live, hec: Live) -> None:
    person = laptop(penguins, "uta")
    account = hec.add_user("uta")
    variables = yaml.safe_load((account.state / "inventory/host_vars/hec.yml").read_text())
    replace(person, cluster="hec").write(**variables)

    def homes() -> list[list[str]]:
        return [outside(manifest(cluster, "/home/uta")) for cluster in (penguins, hec)]

    before = homes()
    completed = person.rookery("setup", "--cluster", "penguins,hec", "--tags", "shell,tmux")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    after = homes()
    assert all(tree != other for tree, other in zip(before, after, strict=True))

    command = [str(ROOKERY), "undo", "--cluster", "penguins,hec"]
    with Terminal(command, person.environment) as screen:
        screen.shows(r"penguins: \d+ to remove, \d+ to restore")
        screen.shows(r"hec: \d+ to remove, \d+ to restore")
        screen.answers(r"Undo these changes\? \[y/N\] ", "no")
        screen.shows("Nothing was changed")
        assert screen.ends() == 1
    assert homes() == after
    with Terminal(command, person.environment) as screen:
        screen.answers(r"Undo these changes\? \[y/N\] ", "y")
        screen.shows(r"penguins: \d+ removed, \d+ restored")
        screen.shows(r"hec: \d+ removed, \d+ restored")
        assert screen.ends() == 0
    assert homes() == before
