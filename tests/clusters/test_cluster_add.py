"""Clusters that rookery does not know, added by their address; and profiles held against their clusters."""

import json
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from added_clusters import NAME, Newcomer, newcomer
from hints import problems_in
from laptops import ROOKERY
from live import Live, as_root
from profile_agreement import own
from terminal import Terminal
from waiting import wait_for

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def laptops(penguins: Live, hec: Live) -> dict[str, Newcomer]:
    """Somebody new to each miniature."""
    return {live.miniature.name: newcomer(live, "skua") for live in (penguins, hec)}


@pytest.fixture
def skua(laptops: dict[str, Newcomer]) -> Iterator[Newcomer]:
    """Somebody who has added no cluster yet."""
    person = laptops["hec"]
    person.forgets()
    yield person
    person.forgets()


def test_a_profile_that_is_there_already_stays_and_differences_are_shown(skua: Newcomer) -> None:
    skua.add()
    text = skua.profile_file.read_text().replace("max_minutes: 2880", "max_minutes: 999  ")
    skua.profile_file.write_text(text)
    completed = skua.rookery("clusters.add", NAME, *skua.address, f"--user={skua.user}")
    assert completed.returncode == 1
    assert "partitions.gpu-medium.max_minutes  999      2880" in completed.stdout
    assert "it stays as it is" in completed.stdout
    assert skua.profile_file.read_text() == text


def test_a_known_name_is_not_given_to_another_host(skua: Newcomer) -> None:
    completed = skua.rookery("clusters.add", "hec", *skua.address)
    assert completed.returncode == 1
    assert "hec is another cluster already (wayland-2022.hec.lancaster.ac.uk)." in completed.stderr
    assert not skua.inventory.joinpath("host_vars/hec.yml").exists()


def test_print_writes_nothing(skua: Newcomer) -> None:
    printed = skua.rookery("clusters.add", NAME, *skua.address, f"--user={skua.user}", "--print").stdout
    assert yaml.safe_load(printed)["cluster_default_partition"] == "parallel"
    assert not skua.profile_file.exists()
    assert not skua.inventory.joinpath("hosts.yml").exists()


@contextmanager
def with_alias(person: Newcomer, more: str) -> Iterator[None]:
    """A name of the user's own for the cluster in their ~/.ssh/config, with one key and what else is given."""
    miniature, config, before = person.live.miniature, person.home / ".ssh/config", person.home / ".ssh/before"
    config.rename(before)
    config.write_text(
        f"Host cold\n    HostName {miniature.address}\n    Port {miniature.port}\n    User {person.user}\n"
        f"    IdentityFile {person.live.state}/id_ed25519\n{more}"
    )
    completed = person.rookery(
        "clusters.add", NAME, "--host=cold", f"--accept-host-key={miniature.fingerprint}", "--yes"
    )
    try:
        assert completed.returncode == 0, completed.stderr
        yield
    finally:
        before.rename(config)


def test_an_alias_with_more_than_a_key_is_used_as_it_is(skua: Newcomer) -> None:
    with with_alias(skua, "    CertificateFile ~/.ssh/cold-cert.pub\n"):
        written = skua.profile
        assert (written["cluster_host"], written["cluster_ssh_host"]) == (skua.live.miniature.address, "cold")
        assert not {"cluster_port", "cluster_identity_file", "cluster_proxy_jump"} & written.keys()
        assert (written["cluster_user"], written["cluster_logins"]) == (skua.user, ["certificate", "key", "password"])
        assert skua.rookery("login", NAME).returncode == 0
        assert "cold" not in skua.rookery("clusters.publish", NAME).stdout


def test_what_an_alias_for_a_host_and_a_key_says_is_copied(skua: Newcomer) -> None:
    with with_alias(skua, ""):
        written = skua.profile
    miniature = skua.live.miniature
    assert "cluster_ssh_host" not in written
    assert (written["cluster_host"], written["cluster_port"]) == (miniature.address, miniature.port)
    assert (written["cluster_user"], written["cluster_identity_file"]) == (
        skua.user,
        f"{skua.live.state}/id_ed25519",
    )
    assert skua.rookery("login", NAME).returncode == 0  # without the alias


def test_the_questions_at_a_terminal_and_enter_for_unknown(skua: Newcomer) -> None:
    words = [str(ROOKERY), "clusters.add", NAME, *skua.address]
    with Terminal(words, skua.environment, skua.home) as terminal:
        terminal.answers("Your username on", skua.user)
        terminal.answers("usual name", "Iceberg: [the \x1b# cold one")
        terminal.answers("documentation:", "")
        terminal.answers("VPN needed", "sometimes")
        terminal.answers("VPN needed", "off campus")
        terminal.shows("Wrote the profile")
        assert terminal.ends() == 0
        assert problems_in(terminal.seen) == {}
    written = skua.profile
    assert written["cluster_title"] == "Iceberg: [the # cold one"
    assert written["cluster_vpn"] == {"needed": "off_campus"}
    assert "cluster_docs_url" not in written


@contextmanager
def there(live: Live, change: str, back: str) -> Iterator[None]:
    """Something on the miniature that root changes, and changes back."""
    as_root(live, change)
    try:
        yield
    finally:
        as_root(live, back)


def test_a_change_of_the_cluster_is_found_and_the_profile_brought_up_to_date(skua: Newcomer) -> None:
    skua.add()
    text = skua.profile_file.read_text().replace("cluster_title:", "# of the office\ncluster_title:")
    skua.profile_file.write_text(text)
    limit = "scontrol update partitionname=test maxtime="
    with there(skua.live, f"{limit}10", f"{limit}5"):
        checked = skua.rookery("clusters.check", NAME, "--json")
        assert checked.returncode == 1
        [difference] = json.loads(checked.stdout)["differences"]
        assert difference == {"place": ["cluster_partitions", "test", "max_minutes"], "in_profile": 5, "on_cluster": 10}
        assert skua.rookery("clusters.update", NAME, "--check").returncode == 0
        assert skua.profile_file.read_text() == text
        assert skua.rookery("clusters.update", NAME).returncode == 0
        assert skua.profile_file.read_text() == text.replace("max_minutes: 5}", "max_minutes: 10}")
        assert skua.rookery("clusters.check", NAME).returncode == 0


def test_jobs_say_what_compute_nodes_are_like(skua: Newcomer) -> None:
    skua.add("--job")
    written = skua.profile
    assert written["cluster_internet"]["compute"] in {"yes", "no"}
    [tmp] = [entry for entry in written["cluster_storage"] if entry["name"] == "tmp"]
    assert tmp == next(
        {key: entry[key] for key in tmp} for entry in own("hec")["cluster_storage"] if entry["name"] == "tmp"
    )
    assert not [entry for entry in written["cluster_storage"] if "on_compute_nodes" in entry]


def queue(live: Live) -> str:
    return as_root(live, "squeue --noheader --format='%P %j'")


def test_a_partition_that_takes_no_job_is_found_by_one(skua: Newcomer) -> None:
    skua.add()
    update = "scontrol update partitionname=astro state="
    with there(skua.live, f"{update}inactive", f"{update}up"):
        checked = skua.rookery("clusters.check", NAME, "--job", "--json")
    assert checked.returncode == 1
    [failed] = json.loads(checked.stdout)["failed_jobs"]
    assert failed["partition"] == "astro"
    assert "not available" in failed["reason"]


def test_a_module_that_loads_in_no_job_is_found_by_one(skua: Newcomer) -> None:
    """The login node lists it all the same."""
    skua.add()
    assert skua.rookery("clusters.check", NAME, "--job").returncode == 0
    file = "$(find / -xdev -path '*/cuda/12.0.lua' 2>/dev/null)"
    with there(skua.live, f"echo 'LmodError(\"broken\")' >>{file}", f"sed -i '$d' {file}"):
        checked = skua.rookery("clusters.check", NAME, "--job")
    assert checked.returncode == 1
    assert "The module cuda/12.0 does not load in jobs of " in checked.stdout


def test_no_job_is_left_where_nobody_waits_for_it_any_more(skua: Newcomer) -> None:
    skua.add()
    update = "scontrol update partitionname=astro state="
    with there(skua.live, f"{update}down", f"{update}up"):
        process = skua.start("clusters.check", NAME, "--job")
        wait_for(lambda: queue(skua.live) == "astro rookery-survey")
        process.terminate()
        process.communicate(timeout=120)
        wait_for(lambda: not queue(skua.live))


def test_what_is_published_can_be_added_by_others(skua: Newcomer, laptops: dict[str, Newcomer]) -> None:
    skua.add()
    published = skua.rookery("clusters.publish", NAME)
    assert published.returncode == 0
    assert skua.user not in published.stdout
    other = laptops["penguins"]
    (other.home / "shared.yml").write_text(published.stdout)
    added = other.rookery("clusters.add", "berg", "--from=shared.yml", "--user=bob")
    assert added.returncode == 0, added.stderr
    shown = json.loads(other.rookery("clusters.show", "berg", "--json").stdout)["values"]
    assert shown["cluster_user"]["value"] == "bob"
    assert shown["cluster_quota"]["value"] == {"command": "gpfsquota", "format": "gpfsquota"}
    other.inventory.joinpath("host_vars/berg.yml").unlink()
    other.inventory.joinpath("hosts.yml").unlink()


def test_an_unknown_host_key_is_refused_with_the_command_that_accepts_it(skua: Newcomer) -> None:
    (skua.home / ".local/state/rookery/known_hosts").unlink(missing_ok=True)
    miniature = skua.live.miniature
    where = (f"--host={miniature.address}", f"--port={miniature.port}", "--user=nobody")  # whose login is not open
    completed = skua.rookery("clusters.add", NAME, *where)
    assert completed.returncode == 1
    assert f"--accept-host-key {miniature.fingerprint}" in completed.stderr
    assert "rookery clusters.add iceberg --host" in completed.stderr


def test_a_slurm_that_is_down_is_said_and_nothing_written(skua: Newcomer) -> None:
    with there(skua.live, "pkill -STOP slurmctld", "pkill -CONT slurmctld"):
        said = skua.refused()
    assert f"Slurm on {skua.live.miniature.address} does not answer: no answer in 10 s." in said


def test_a_host_without_slurm_is_said_and_nothing_written(skua: Newcomer) -> None:
    with there(skua.live, "chmod 700 /usr/bin/sbatch", "chmod 755 /usr/bin/sbatch"):
        said = skua.refused()
    assert "has no Slurm: sbatch and scontrol are not on PATH in a login shell" in said


def test_a_forbidden_sacctmgr_leaves_a_gap_that_is_said(skua: Newcomer) -> None:
    with there(skua.live, "chmod 700 /usr/bin/sacctmgr", "chmod 755 /usr/bin/sacctmgr"):
        output = skua.add()
    assert "Your accounts are not known: sacctmgr failed (command not found)." in output
    assert len(skua.profile["cluster_partitions"]) == 7


def test_banners_and_start_up_files_that_print_change_nothing(skua: Newcomer) -> None:
    skua.add()
    quiet = skua.profile
    skua.forgets()
    noise = r"printf '\033[31mWelcome\033[0m\nrookery-survey os Evil\nrookery-login path /nowhere'"
    home = f"/home/{skua.user}"
    files = f"{home}/.bash_profile {home}/.bashrc"
    change = f"printf '%s\n' {shlex.quote(noise)} | tee {files} /etc/profile.d/zz.sh >/dev/null"
    own = f"echo 'export WORK=$global_scratch' | tee -a {files} >/dev/null; chmod 644 {files} /etc/profile.d/zz.sh"
    with there(skua.live, f"{change}; {own}", f"rm {files} /etc/profile.d/zz.sh"):
        skua.add()
    assert skua.profile == quiet
    assert "Evil" not in skua.profile_file.read_text()


def test_stopped_half_way_it_leaves_nothing(skua: Newcomer) -> None:
    hangs = "printf '#!/bin/sh\\nexec sleep 30\\n' >/usr/bin/sinfo; chmod 755 /usr/bin/sinfo"
    with there(skua.live, f"mv /usr/bin/sinfo /usr/bin/sinfo.real; {hangs}", "mv /usr/bin/sinfo.real /usr/bin/sinfo"):
        process = skua.start("clusters.add", NAME, *skua.address, f"--user={skua.user}")
        wait_for(lambda: skua.live.root_run(["pgrep", "-u", skua.user, "sleep"], check=False).returncode == 0)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
    assert process.returncode not in (0, 1)
    assert not skua.profile_file.exists()
    assert not skua.inventory.joinpath("hosts.yml").exists()
    config = skua.home / ".config/rookery/ssh_config"
    assert not config.exists() or f"Host {NAME}\n" not in config.read_text()
