"""Settings of roles: names that look like one and are none, and values of the wrong type."""

from pathlib import Path

import pytest
import yaml
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.core.file_problems import FileProblemsError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def check(home: Path, text: str) -> None:
    own_inventory(home, "host_vars/hec.yml", text)
    profile.load("hec", for_setup=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("r_package: [zoo]\n", "1: unknown key `r_package` (did you mean `r_packages`?)"),
        (
            "cluster_user: ada\npyton_versions: ['3.13']\n",
            "2: unknown key `pyton_versions` (did you mean `python_versions`?)",
        ),
        ("python_tools: [poetry]\n", "1: unknown key `python_tools` (did you mean `python_tools_packages`?)"),
        ("\n\ntmux_history_line: 5\n", "3: unknown key `tmux_history_line` (did you mean `tmux_history_lines`?)"),
        ("tmux_history_lines: many\n", "1: `tmux_history_lines` must be a whole number, not 'many'"),
        ("python_build: perhaps\n", "1: `python_build` must be true or false, not 'perhaps'"),
        ("r_packages: {zoo: 1}\n", "1: `r_packages` must be a list, not lines of `key: value`"),
        ("r_packages:\n- zoo\n- [a]\n", "3: `r_packages[1]` must be text, not a list"),
        ("shell_also: [zhs]\n", "1: `shell_also[0]` must be one of bash, zsh, fish, tcsh, not 'zhs'"),
        ("python_versions: 3.13\n", '1: `python_versions` must be a list, not 3.13 (write ["3.13"])'),
        ("python_versions: [3.13]\n", '1: `python_versions[0]` must be text, not 3.13 (write it in quotes: "3.13")'),
        ("r_packages: zoo, nlme\n", "1: `r_packages` must be a list, not 'zoo, nlme' (write [zoo, nlme])"),
        ("tmux_history_lines: '5'\n", "1: `tmux_history_lines` must be a whole number, not '5'"),
        ("python_build: 'no'\n", "1: `python_build` must be true or false, not 'no'"),
        ("python_uv_version: 0.9\n", '1: `python_uv_version` must be text, not 0.9 (write it in quotes: "0.9")'),
        ("python_versions:\n", "1: `python_versions` has no value (expected a list)"),
    ],
)
def test_it_is_refused_with_its_place(home: Path, text: str, says: str) -> None:
    with pytest.raises(RookeryError) as caught:
        check(home, text)
    file, line = "~/.config/rookery/inventory/host_vars/hec.yml", says.partition(":")[0]
    assert caught.value.message.startswith(f"{file}:{says}")
    assert "\n" not in caught.value.message
    assert caught.value.hint == f"edit line {line} of {file}, then run the command again"
    profile.load("hec")  # other commands need none of them


def test_it_is_reported_beside_every_other_problem(home: Path) -> None:
    own_inventory(home, "host_vars/hec.yml", "cluster_cpus: two\npython_versions: 3.13\ncluster_port: many\n")
    with pytest.raises(FileProblemsError) as caught:
        profile.load("hec")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "r_packages: [zoo]\npython_versions: ['3.13']\nvscode_excludes: []\n",
        "my_favourites: [zoo]\n",
        "r_version: '4.3'\ntmux_prefix: C-a\nr_home: /opt/R\n",
        "proxy: http://proxy.example\n",
        "tmux_history_lines: 5\npython_build: yes\npython_versions: ['3.13']\nr_packages: [zoo, nlme]\n",
    ],
)
def test_what_is_read_or_looks_like_no_setting_is_let_be(home: Path, text: str) -> None:
    assert yaml.safe_load(text)
    check(home, text)


def test_the_house_says_nothing_that_nobody_reads() -> None:
    for name in profile.names():
        profile.load(name, for_setup=True)
