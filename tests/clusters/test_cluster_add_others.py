"""Bede, where every job needs an account and a GPU, and HeX behind a jump host, added by their address."""

from collections.abc import Iterator

import pytest
import yaml
from added_clusters import NAME, Newcomer, newcomer
from live import alone, as_root
from profile_agreement import undeclared
from waiting import wait_for

from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def on_bede() -> Iterator[Newcomer]:
    with alone("bede") as live:
        yield newcomer(live, "tern")


@pytest.fixture(scope="module")
def behind_a_jump_host() -> Iterator[Newcomer]:
    with alone("hex", Entrance("key", jump=True)) as live:
        person = newcomer(live, "tern")
        miniature = live.miniature
        port, key = (
            f"    Port {miniature.port}\n    User {person.user}\n",
            f"    IdentityFile {live.state}/id_ed25519\n",
        )
        hosts = {"cold": f"{miniature.address}\n    ProxyJump hop", "hop": miniature.jump}
        text = "".join(f"Host {name}\n    HostName {where}\n{port}{key}" for name, where in hosts.items())
        (person.home / ".ssh/config").write_text(text)
        (person.home / ".ssh/known_hosts").write_text((live.state / "known_hosts").read_text())
        yield person


def test_an_account_that_every_job_needs_is_asked_for(on_bede: Newcomer) -> None:
    as_root(on_bede.live, "chmod 700 /usr/bin/sacctmgr")  # else Slurm says it
    try:
        said = on_bede.refused("--yes")
    finally:
        as_root(on_bede.live, "chmod 755 /usr/bin/sacctmgr")
    assert f"Missing option --account: Slurm on {on_bede.live.miniature.address} refuses a job without one." in said
    assert "--account CODE" in said


def test_with_the_account_what_is_written_agrees_with_bede_s_profile(on_bede: Newcomer) -> None:
    on_bede.add("--account=bdlan09")
    written = on_bede.profile
    assert undeclared(written, "bede") == set()
    assert written["cluster_account"] == {"required": True, "name": "bdlan09"}
    for_gpus = {entry["name"] for entry in written["cluster_partitions"] if "min_gpus" in entry}
    assert for_gpus == {"gpu", "infer", "test", "gh", "ghtest"}
    assert on_bede.rookery("login", NAME).returncode == 0


def test_an_alias_with_a_jump_host_is_used_as_it_stands(behind_a_jump_host: Newcomer) -> None:
    person, miniature = behind_a_jump_host, behind_a_jump_host.live.miniature
    completed = person.rookery("clusters.add", NAME, "--host=cold", "--yes")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    written = person.profile
    assert (written["cluster_host"], written["cluster_ssh_host"]) == (miniature.address, "cold")
    assert not {"cluster_port", "cluster_proxy_jump", "cluster_identity_file"} & written.keys()
    assert undeclared(written, "hex") == set()
    setup = person.rookery("setup", NAME, "--tags=shell,storage")
    assert setup.returncode == 0, setup.stdout + setup.stderr
    checked = person.rookery("clusters.check", NAME)
    assert checked.returncode == 0, checked.stdout + checked.stderr


STRICT = """
sacctmgr --immediate add account proj1
sacctmgr --immediate add qos gpu
sacctmgr --immediate add user {user} account=proj1 qos=normal,gpu defaultqos=normal
sacctmgr --immediate modify qos normal set maxtrespu=cpu=40,mem=200G
sed -i 's/^AccountingStorageType/AccountingStorageEnforce=associations,limits,qos\\nEnforcePartLimits=ALL\\n&/
  s/^PartitionName=a5000-6h.*/& AllowQos=gpu/
  s/^PartitionName=a5000-48h.*/& AllowAccounts=other/
  s/^PartitionName=a2000-48h.*/& AllowGroups=root/' /etc/slurm/slurm.conf
pkill slurmctld
while pgrep -x slurmctld; do sleep 0.1; done
slurmctld
"""
"""A Slurm that asks for an association, and lets users into some partitions only."""


def test_qos_and_partitions_by_what_slurm_says_of_the_user(behind_a_jump_host: Newcomer) -> None:
    person = behind_a_jump_host
    as_root(person.live, STRICT.format(user=person.user))
    idle = "sinfo --noheader --format=%T --partition=cpu-6h"
    wait_for(lambda: person.live.root_run(["sh", "-c", idle], check=False).stdout.split() == ["idle"])
    printed = person.rookery("clusters.add", "berg", "--host=cold", "--yes", "--print")
    assert printed.returncode == 0, printed.stderr
    written = yaml.safe_load(printed.stdout)
    names = {entry["name"] for entry in written["cluster_partitions"]}
    others = [entry["name"] for entry in written["cluster_partitions"] if entry["name"] != "a5000-6h"]
    assert written["cluster_qos"] == [{"name": "gpu"}, {"name": "normal", "partitions": others}]
    assert written["cluster_default_qos"] == "normal"
    assert "a5000-5m" in names
    assert not {"a5000-48h", "a2000-48h"} & names
    assert written["cluster_account"] == {"required": False}
    assert written["cluster_limits"] == {"cores": 40, "memory_mb": 204800}
