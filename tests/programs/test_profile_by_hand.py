"""Ansible run by hand: what inventory/group_vars/all.yml makes of a profile, with a real ssh and a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ssh_server import new_key, sshd

from rookery.core import paths

ADDRESS = "127.0.0.1"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run says of each host of a person's inventory; `logins` is how many got in."""
    folder = tmp_path_factory.mktemp("by_hand")
    kept = folder / 'it\'s a "folder"'
    kept.mkdir()
    with sshd(folder) as (server, _):
        key, known, other = kept / "key", kept / "known hosts", kept / "known to be another's"
        (folder / "id_ada").rename(key)
        for file, public in ((known, (folder / "host_key.pub").read_text()), (other, new_key(folder / "other"))):
            file.write_text(f"[{ADDRESS}]:{server.port} {' '.join(public.split()[:2])}\n")
        reach = {"cluster_host": ADDRESS, "cluster_port": server.port, "cluster_known_hosts_file": str(known)}
        mine = {**reach, "cluster_user": "ada", "cluster_identity_file": str(key)}
        unsaid = {"cluster_proxy_jump": "", "cluster_identity_file": "", "cluster_known_hosts_file": str(folder / "-")}
        hosts = {
            "penguins": mine,  # a profile of the checkout, with the person's own values
            "another-key": {**mine, "cluster_known_hosts_file": str(other)},
            "little-said": {**reach, **unsaid},
            "aliased": {**mine, "cluster_ssh_host": "mine", "cluster_host": "nowhere.invalid", "cluster_port": 1},
            "jumps": {**mine, "cluster_proxy_jump": f"ada@{ADDRESS}:1"},
        }
        (folder / "ssh_config").write_text(f"Host mine\n  HostName {ADDRESS}\n  Port {server.port}\n")
        (folder / "mine/host_vars").mkdir(parents=True)
        (folder / "mine/hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(hosts)}}))
        for name, values in hosts.items():
            (folder / "mine/host_vars" / f"{name}.yml").write_text(yaml.safe_dump(values))
        return {**ansible_raw(folder, ",".join(hosts), "echo there it is"), "logins": str(server.logins)}


def ansible_raw(folder: Path, hosts: str, command: str) -> dict[str, str]:
    """What `ansible -m raw` says of each host, with the checkout's inventory and the person's."""
    ansible = str(Path(sys.executable).with_name("ansible"))
    inventories = ["-i", str(paths.root() / "inventory"), "-i", str(folder / "mine")]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_SSH_ARGS": f"-F '{folder}/ssh_config' -n",  # no master left open, nothing of the tester's, no input
        "ANSIBLE_SSH_USETTY": "false",
    }
    done = subprocess.run(
        [ansible, *inventories, "-m", "raw", "-a", command, hosts],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
        timeout=120,
    )
    parts = re.split(r"^(\S+) \| ", done.stdout + done.stderr, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_ansible_gets_there_with_the_profiles_own_keys(answers: dict[str, str]) -> None:
    assert answers["penguins"].startswith("CHANGED | rc=0 >>\nthere it is"), answers
    assert answers["aliased"].startswith("CHANGED | rc=0 >>\nthere it is"), answers
    assert answers["logins"] == "2", "none of the others got in"


def test_a_host_key_that_is_not_known_stops_ansible(answers: dict[str, str]) -> None:
    assert answers["another-key"].startswith("UNREACHABLE!")
    assert "Host key verification failed" in answers["another-key"]


def test_what_is_not_said_or_empty_is_left_to_ssh(answers: dict[str, str]) -> None:
    """Without a username Ansible passes none, and an empty jump host is none: ssh gets as far as the host key."""
    assert "Host key verification failed" in answers["little-said"]


def test_a_jump_host_is_asked_first(answers: dict[str, str]) -> None:
    assert f"connect to host {ADDRESS} port 1: Connection refused" in answers["jumps"]
