"""The role `workstation`, by ansible-playbook: what `invoke vscode.settings` does, and twice the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.clusters.config import profile


def test_the_role_writes_into_the_settings_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    profile.remember("penguins", {"cluster_user": "ada"})
    file = tmp_path / ".config/Code/User/settings.json"
    file.parent.mkdir(parents=True)
    file.write_text("{\n  // mine\n}\n")
    before = file.read_bytes()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    def play(*more: str) -> str:
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/workstation.yml", *more]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "changed=1" in play("--check")
    assert file.read_bytes() == before
    assert "changed=1" in play()
    assert '"penguins-job": "linux"' in file.read_text()
    assert "changed=0" in play()
