"""`setup` of homes that are up to date, held against the full run on real clusters, whatever has changed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from laptops import NO_TOOLS, Laptop, laptop
from live import Live, as_root

from rookery.core import paths

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Developer(Laptop):
    """Somebody whose rookery is a copy, which may be edited.

    Attributes:
        checkout: The copy.
    """

    checkout: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(self.checkout)}

    def again(self, *arguments: str) -> tuple[bool, int]:
        """`setup` once more: whether it went the fast way, and how many things it changed."""
        answer = self.setup(*arguments)
        return answer["up_to_date"], answer["changed"]

    def edit(self, name: str, old: str, new: str) -> None:
        """Edit a file of the checkout."""
        file = self.checkout / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def does(self, script: str) -> None:
        """Do something in the home there; each line counts by itself."""
        self.ssh("bash -s", stdin=script)


@pytest.fixture(scope="module")
def own_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of rookery."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("rookery", "roles", "plugins", "playbooks", "inventory", "templates"):
        shutil.copytree(paths.root() / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "ansible.cfg"):
        shutil.copy(paths.root() / name, copy)
    return copy


def developer(miniature: Live, user: str, copy: Path) -> Developer:
    made = laptop(miniature, user, settings=NO_TOOLS)
    return Developer(made.home, made.cluster, made.user, copy)


@pytest.fixture(scope="module")
def ada(penguins: Live, own_checkout: Path) -> Developer:
    """Set up on Penguins, once."""
    person = developer(penguins, "fast-ada", own_checkout)
    assert person.again()[0] is False
    return person


@pytest.fixture(scope="module")
def eve(hec: Live, own_checkout: Path) -> Developer:
    """Set up on HEC, once."""
    person = developer(hec, "fast-eve", own_checkout)
    assert person.again()[0] is False
    return person


def test_the_second_run_is_one_command_and_starts_neither_ansible_nor_rich(ada: Developer, tmp_path: Path) -> None:
    """Counted by an ssh that writes down how it was called; `-O check` asks the master, which is on this side."""
    calls = tmp_path / "calls"
    shim = tmp_path / "bin/ssh"
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" | head -c 200 | head -1 >>{calls}\nexec {shutil.which("ssh")} "$@"\n'
    )
    shim.chmod(0o755)
    ada.again()  # so that the connection has just been used, and is not looked at, however long this test has waited
    process = _started(ada, shim.parent)
    out, imports = process.communicate(timeout=120)
    assert process.returncode == 0, imports[-2000:]
    assert out.startswith("penguins is up to date (")
    assert len(out.splitlines()) == 1
    calls_made = [line for line in calls.read_text().splitlines() if "-O check" not in line]
    assert len(calls_made) == 1, calls_made
    for heavy in ("ansible", "rich", "jinja2", "fabric", "paramiko"):
        assert f" {heavy}\n" not in imports, heavy


def _started(person: Developer, folder: Path) -> "subprocess.Popen[str]":
    path = f"{folder}:{person.environment['PATH']}"
    own = person.environment | {"PATH": path, "PYTHONPROFILEIMPORTTIME": "1"}
    line = [sys.executable, "-P", str(Path(sys.executable).with_name("rookery")), "setup", "--cluster", person.cluster]
    return subprocess.Popen(
        line,
        env=own,
        cwd=person.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_force_and_check_and_some_roles_go_through_the_roles(ada: Developer) -> None:
    assert ada.again("--force") == (False, 0)
    assert ada.again() == (True, 0)
    assert ada.again("--check") == (False, 0)
    assert ada.again("--tags", "tmux") == (False, 0)
    assert ada.again() == (False, 0)  # after a part alone the whole is gone through
    assert ada.again() == (True, 0)


CHANGES: list[tuple[str, Callable[[Developer], object], int | None]] = [
    # what, how, how many things a full run must change (None: at least one); -1 where it has to stay the fast way
    ("the person's own files", lambda ada: ada.does("echo x=1 >~/notes; mkdir ~/projects; touch ~/.bashrc"), -1),
    ("the person's own lines", lambda ada: ada.does("echo '# mine' >>~/.bashrc"), 0),
    ("a package that the person installed", lambda ada: ada.does("cd ~/storage/R/*/*/ && mkdir mine"), 0),
    ("content", lambda ada: ada.does("echo >>~/.config/rookery/env.sh"), 1),
    ("mode", lambda ada: ada.does("chmod 600 ~/start-pyenv"), 1),
    ("a link gone", lambda ada: ada.does("rm ~/.pyenv/versions/*"), None),
    ("a block gone and a file", lambda ada: ada.does("rm ~/.tmux.conf ~/.config/rookery/env.d/50-r.sh"), 2),
    ("a library gone", lambda ada: ada.does("rm -r ~/storage/R"), None),
    (
        "a folder where a link was",
        lambda ada: ada.does("rm ~/storage/rookery/*/bin/uv; mkdir ~/.vscode-server/x"),
        None,
    ),
    ("a start-up file that was not there", lambda ada: ada.does("echo x=1 >~/.bash_profile"), None),
    ("start-up files that print", lambda ada: ada.does("sed -i '1i echo hello' ~/.bashrc"), 1),
    ("and are quiet again", lambda ada: ada.does("sed -i '/^echo hello/d' ~/.bashrc"), 1),
    ("a setting", lambda ada: ada.write(tmux_history_lines=777), 1),
    ("a template", lambda ada: ada.edit("roles/shell/templates/env.sh.j2", "\n", "\n# edited\n"), 1),
    ("a default", lambda ada: ada.edit("roles/tmux/defaults/main.yml", "---\n", "---\n# edited\n"), 0),
]


@pytest.mark.parametrize(("what", "do", "changes"), CHANGES, ids=[change[0] for change in CHANGES])
def test_it_holds_against_the_full_run(
    ada: Developer, what: str, do: Callable[[Developer], object], changes: int | None
) -> None:
    assert ada.again() == (True, 0), f"before {what}"
    do(ada)
    fast, changed = ada.again()
    if changes == -1:
        assert fast
        assert ada.again("--force") == (False, 0)
    else:
        assert not fast
        assert changed == changes if changes is not None else changed > 0


def test_another_laptop_with_other_wishes_goes_through_everything(ada: Developer) -> None:
    other = Developer(ada.home.with_name("fast-other"), ada.cluster, ada.user, ada.checkout)
    shutil.copytree(ada.inventory, other.inventory)
    assert other.again() == (True, 0)  # the same wishes
    other.write(tmux_history_lines=999)
    assert other.again() == (False, 1)
    assert ada.again() == (False, 1)
    assert ada.again() == (True, 0)


def test_a_run_that_was_killed_is_gone_through_again(ada: Developer) -> None:
    process = ada.start("setup", "--cluster", ada.cluster, "--force")
    assert process.stdout
    process.stdout.readline()  # a first outcome
    process.kill()
    process.communicate(timeout=120)
    assert ada.again()[0] is False
    assert ada.again() == (True, 0)


def test_a_module_that_changes_and_storage_that_moves_are_noticed(eve: Developer, hec: Live) -> None:
    assert eve.again() == (True, 0)
    module = as_root(hec, "find /opt/modulefiles -path '*R/4.3.1*' -type f")
    try:
        as_root(hec, f"cp -p {module} /tmp/module; echo '-- edited' >>{module}")
        assert eve.again() == (False, 0)  # the same R: its tests were asked, and are content
        as_root(hec, f"sed -i 's,/opt/,/nowhere/,' {module}")
        completed = eve.rookery("setup", "--cluster", "hec", "--json")
        assert json.loads(completed.stdout)["clusters"]["hec"]["up_to_date"] is False
        as_root(hec, f"cp -p /tmp/module {module}")
        eve.setup()
        assert eve.again() == (True, 0)
        as_root(hec, "mkdir -p /scratch/hpc/99/fast-eve && chown fast-eve /scratch/hpc/99/fast-eve")
        eve.does("echo 'export global_scratch=/scratch/hpc/99/fast-eve' >>~/.profile")
        assert eve.again()[0] is False
    finally:
        as_root(hec, f"cp -p /tmp/module {module}")


def test_timings_say_where_the_time_went(ada: Developer) -> None:
    completed = ada.rookery("setup", "--cluster", "penguins", "--timings", "--json")
    seconds = {timing["what"]: timing["seconds"] for timing in json.loads(completed.stdout)["timings"]}
    assert set(seconds) == {"Python and Invoke", "profiles", "ssh login", "fast way"}
    text = ada.rookery("setup", "--cluster", "penguins", "--timings", "--force").stdout
    for what in ("Python and Invoke", "ssh login", "Ansible's start", "role cluster (the probe)", "role r"):
        assert f" s  {what}\n" in text
