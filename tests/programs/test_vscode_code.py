"""`code`: where VS Code may run, which editor is started, and on which folder."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from compute_nodes import cluster, own_home, program

from rookery.clusters.ssh import user_config
from rookery.core.errors import RookeryError
from rookery.homes.vscode import code, editors, jsonc
from rookery.projects import environment, scaffold
from rookery.projects import options as options_module


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_home(tmp_path, monkeypatch)


@pytest.mark.parametrize("lang", ["python", "r"])
def test_a_new_project_says_what_an_editor_needs(tmp_path: Path, lang: str) -> None:
    scaffold.fill(scaffold.checked(options_module.NewOptions("seals", language=lang, cluster="hec")), tmp_path)
    settings, extensions = (
        jsonc.read((tmp_path / ".vscode" / f"{name}.json").read_text()) for name in ("settings", "extensions")
    )
    assert settings
    assert extensions
    assert "ms-vscode-remote.remote-ssh" in extensions.data["recommendations"]
    link = environment.LINKS[{"python": "uv", "r": "library"}[lang]]
    if lang == "python":
        assert settings.data["python.defaultInterpreterPath"] == f"${{workspaceFolder}}/{link}/bin/python"
    else:
        assert settings.data["r.libPaths"] == [link]
        assert settings.data["terminal.integrated.env.linux"] == {"R_LIBS": f"${{workspaceFolder}}/{link}"}


@pytest.mark.parametrize(
    ("architecture", "glibc", "why"),
    [
        ("x86_64", "glibc 2.28", ""),
        ("aarch64", "glibc 2.35", ""),
        ("x86_64", "", ""),
        ("x86_64", "glibc 2.17", "its C library is glibc 2.17; 2.28 or later is needed"),
        ("ppc64le", "glibc 2.28", "its processors are ppc64le"),
    ],
)
def test_where_its_server_runs(architecture: str, glibc: str, why: str) -> None:
    assert code.fits(architecture, glibc).startswith(why)
    assert bool(code.fits(architecture, glibc)) == bool(why)


def test_the_rules_of_a_cluster_hold(capsys: pytest.CaptureFixture[str]) -> None:
    for policy, message in (("forbidden", "does not allow VS Code"), ("unsupported", "does not run on penguins")):
        for on_a_node in (True, False):
            with pytest.raises(RookeryError, match=message):
                code.check(cluster(cluster_policies={"vscode": policy}), job=on_a_node)
    nodes = {"vscode": "forbidden", "vscode_compute": "allowed"}
    code.check(cluster(cluster_policies=nodes), job=True)
    with pytest.raises(RookeryError, match="does not allow VS Code on its login nodes") as caught:
        code.check(cluster(cluster_policies=nodes), job=False)
    assert (caught.value.hint or "").startswith("invoke code penguins --job ")
    nodes = {"vscode": "allowed", "vscode_compute": "unsupported"}
    code.check(cluster(cluster_policies=nodes), job=False)
    with pytest.raises(RookeryError, match="does not run on the compute nodes of penguins") as caught:
        code.check(cluster(cluster_policies=nodes), job=True)
    assert (caught.value.hint or "").startswith("invoke code penguins ")
    code.check(cluster(cluster_policies={"vscode": "discouraged"}), job=False)
    assert "invoke code penguins --job" in capsys.readouterr().err


def test_a_name_that_vscode_would_change_goes_in_as_digits() -> None:
    assert code.authority(cluster(), job=True) == "ssh-remote+penguins-job"
    user_config.write(cluster(), "IceFloe")
    digits = code.authority(cluster(), job=False).removeprefix("ssh-remote+")
    assert json.loads(bytes.fromhex(digits)) == {"hostName": "IceFloe"}


def test_without_an_editor_it_says_where_one_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RookeryError, match="Can't find VS Code"):
        code._editor("", needed=True)
    with pytest.raises(RookeryError, match="Unknown editor 'emacs'"):
        code._editor("emacs", needed=False)
    program(tmp_path / "bin/codium", "#!/bin/sh\n")
    assert code._editor("", needed=True) is editors.EDITORS[2]
    with pytest.raises(RookeryError, match="Can't find code on"):
        code._editor("code", needed=True)


@pytest.mark.parametrize("folder", ["", "~", "~/a b", "a b", "/HOME/a b", "no 'such"])
def test_the_folder_there_is_looked_for_as_it_was_meant(home: Path, folder: str) -> None:
    (home / "a b").mkdir()
    argument = folder.replace("/HOME", str(home))
    command = ["sh", "-c", code._LOOK, "sh", argument]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = {"": home, "~": home, "no 'such": home / "no 'such"}.get(folder, home / "a b")
    assert lines[2:] == ["0" if "no" in folder else "1", str(wanted)]
    assert shlex.split(shlex.join([lines[3]])) == [str(wanted)]
