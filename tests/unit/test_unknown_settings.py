"""Settings that look like a role's, and are none."""

import re
from pathlib import Path

import pytest
import yaml
from user_home import at_home, own_inventory

from rookery.clusters.config import profile, unknown_settings
from rookery.core.errors import RookeryError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def check(home: Path, text: str) -> None:
    own_inventory(home, "host_vars/hec.yml", text)
    unknown_settings.check(profile.explain("hec"))


@pytest.mark.parametrize(
    ("text", "says", "role"),
    [
        ("r_package: [zoo]\n", "1: r_package is not a setting there is (did you mean r_packages?).", "r"),
        (
            "cluster_user: ada\npyton_versions: ['3.13']\n",
            "2: pyton_versions is not a setting there is (did you mean python_versions?).",
            "python",
        ),
        (
            "python_tools: [poetry]\n",
            "1: python_tools is not a setting there is (did you mean python_tools_packages?).",
            "python_tools",
        ),
        (
            "\n\ntmux_history_line: 5\n",
            "3: tmux_history_line is not a setting there is (did you mean tmux_history_lines?).",
            "tmux",
        ),
    ],
)
def test_it_is_refused_with_its_place(home: Path, text: str, says: str, role: str) -> None:
    with pytest.raises(RookeryError) as caught:
        check(home, text)
    assert caught.value.message == f"{home}/.config/rookery/inventory/host_vars/hec.yml:{says}"
    assert re.fullmatch(rf"ansible-doc -t role -r '.*' {role}   # lists .*", caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "r_packages: [zoo]\npython_versions: ['3.13']\nvscode_excludes: []\n",
        "my_favourites: [zoo]\n",
        "r_version: '4.3'\ntmux_prefix: C-a\nr_home: /opt/R\n",
        "proxy: http://proxy.example\n",
    ],
)
def test_what_is_read_or_looks_like_no_setting_is_let_be(home: Path, text: str) -> None:
    assert yaml.safe_load(text)
    check(home, text)


def test_the_house_says_nothing_that_nobody_reads() -> None:
    for name in profile.names():
        unknown_settings.check(profile.explain(name))
