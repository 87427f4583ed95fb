"""Clusters whose login nodes have no internet, or reach it by a web proxy alone."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from laptop_projects import Project, new_study, run_to_table
from laptops import NO_TOOLS, Laptop, laptop
from live import Live, alone, as_root
from waiting import wait_for
from web_servers import Mirror, SiteProxy, running

pytestmark = pytest.mark.cluster

PROFILE: dict[str, Any] = {
    "cluster_source_url": "https://example.ac.uk",
    "cluster_verified_on": "2026",
    "cluster_host": "login.glacier.example.ac.uk",
    "cluster_scheduler": "slurm",
    "cluster_internet": {"login": "no", "compute": "no"},
    "cluster_partitions": [{"name": "standard", "for": "any"}],
    "cluster_storage": [
        {"name": "home", "expression": "$HOME", "variable": "HOME"},
        {"name": "work", "expression": "/work/$USER"},
    ],
    "cluster_roomy_storage": "work",
}
LINK = ".local/state/rookery/download_proxy.*"
ADDRESS = f"sed \"s/.*https_proxy='//; s/'.*//\" {LINK}"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """An https server on this machine; the miniature can't reach it."""
    server = Mirror(tmp_path_factory.mktemp("mirror"))
    with running(server):
        yield server


@pytest.fixture(scope="module")
def glacier(mirror: Mirror) -> Iterator[Live]:
    """A miniature with no way out, which believes the mirror's certificate."""
    with alone("glacier", profile=PROFILE) as live:
        trust(live, mirror)
        yield live


def trust(live: Live, mirror: Mirror) -> None:
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE")
    script = f"cat >>{bundle} <<'END'\n{mirror.certificate.read_text()}END\n"
    as_root(live, script + "".join(f"echo {name}={bundle} >>/etc/environment\n" for name in names))


def somebody(live: Live, user: str, mirror: Mirror, **settings: Any) -> Laptop:
    """An account there, and its laptop; the mirror has everything but PyPI's packages."""
    person = laptop(live, user, profile=PROFILE)
    person.write(cluster_mirrors=mirror.settings, **settings)
    return person


def test_it_has_no_way_out(glacier: Live) -> None:
    """Else the tests below would show nothing."""
    assert "Could not resolve" in glacier.run("curl -sS https://pypi.org 2>&1", check=False)
    assert "ailed to connect" in glacier.run("curl -sS https://1.1.1.1 2>&1", check=False)


def test_from_an_empty_home_to_a_table(glacier: Live, mirror: Mirror) -> None:
    """Cut off in the middle of a download, the same command continues; nobody else can use the way out."""
    person = somebody(glacier, "ada", mirror, r_packages=["iterators"], **NO_TOOLS)
    other = glacier.add_user("olaf")
    mirror.goes_on.clear()
    mirror.waits.clear()
    first = person.start("setup", "glacier")
    assert mirror.waits.wait(120)
    address = person.says(ADDRESS)
    assert address.startswith("http://rookery:")
    assert "Permission denied" in other.run(f"cat /home/ada/{LINK} 2>&1", check=False)
    as_root(glacier, "chmod 755 /home/ada")
    assert "Permission denied" in other.run(f"cat /home/ada/{LINK} 2>&1", check=False)
    plain = f"http://127.0.0.1:{address.rpartition(':')[2]}"
    assert "407" in other.run(f"curl -sS --proxy {plain} https://pypi.org 2>&1", check=False)
    token = address.split(":")[2].partition("@")[0]
    assert token not in other.run("ps axww -o args")
    for inside in ("https://127.0.0.1", "https://localhost:22", "https://192.168.0.1", "https://[::1]"):
        told = person.says(f"curl -sS --proxy {address} {inside} 2>&1 || true")
        assert "403" in told, inside
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    wait_for(lambda: person.ssh(f"test -e {LINK}").returncode == 1)
    mirror.goes_on.set()
    uv = person.says("stat -c '%i %Y' /work/ada/rookery/x86_64/bin/uv")
    person.setup()
    assert person.says("stat -c '%i %Y' /work/ada/rookery/x86_64/bin/uv") == uv
    assert person.says("grep -rlF '" + token + "' . /work/ada || true") == ""
    assert person.ssh(f"test -e {LINK}").returncode == 1
    assert "uv-python/downloads.json" in mirror.asked
    assert any(path.startswith("cran/src/contrib/iterators_") for path in mirror.asked)
    assert person.setup()["up_to_date"]
    study = new_study(person)
    list_of_pythons = f"{mirror.address}/uv-python/downloads.json"
    study.run("data.push", list_of_pythons, "--to", "data/pythons.json")
    assert study.json("data.list")["data"][0]["versions"][0]["source"] == list_of_pythons
    study.run("deploy")
    job = study.read_there("current/slurm/simulate.sh")
    assert "export UV_OFFLINE=1 " in job
    assert " WANDB_MODE=offline HF_HUB_OFFLINE=1 " in job
    run_to_table(study)
    assert person.ssh(f"test -e {LINK}").returncode == 1
    person.rookery("logout")


def test_r_and_pip_environments(glacier: Live, mirror: Mirror) -> None:
    person = somebody(glacier, "rosa", mirror)
    person.setup("--tags", "shell,storage,python,r")
    study = Project(person, person.home / "both")
    study.root.mkdir()
    for arguments in (("init", "-q"), ("config", "user.name", "R"), ("config", "user.email", "r@example.org")):
        study.git(*arguments)
    jobs = "jobs:\n  one:\n    command: 'true'\n"
    files = {
        "rookery.yml": f"name: both\nclusters: [glacier]\nenvironment: {{python: venv, r: library}}\n{jobs}",
        "requirements.txt": "six==1.17.0 --hash=sha256:" + "0" * 64 + "\n",
        "r-packages.txt": "iterators\n",
    }
    study.commit(files)
    told = study.run("deploy", code=1)
    assert "DO NOT MATCH THE HASHES" in told.upper()
    study.commit({"requirements.txt": "six==1.17.0\n"})
    study.run("deploy")
    assert "iterators" in person.says("ls projects/both/current/.rlibrary/")
    assert person.says("projects/both/current/.venv/bin/python -c 'import six; print(six.__version__)'") == "1.17.0"
    person.rookery("logout")


def test_a_wrong_digest_is_refused(glacier: Live, mirror: Mirror) -> None:
    person = somebody(glacier, "wilma", mirror)
    mirror.spoils = True
    completed = person.rookery("setup", "glacier", "--tags", "python")
    mirror.spoils = False
    assert completed.returncode == 1
    assert "Hash mismatch" in completed.stdout
    assert person.says("ls /work/wilma/rookery/x86_64/python | grep cpython || true") == ""
    person.setup("--tags", "python")
    person.rookery("logout")


def test_a_node_without_a_python(glacier: Live, mirror: Mirror) -> None:
    """The first one comes the same way."""
    person = somebody(glacier, "nora", mirror, **NO_TOOLS)
    as_root(glacier, "mkdir /root/away && mv /usr/bin/python3* /root/away")
    try:
        assert person.setup()["changed"]
    finally:
        as_root(glacier, "mv /root/away/* /usr/bin")
    person.rookery("logout")


def test_a_server_that_forwards_no_ports(glacier: Live, mirror: Mirror) -> None:
    person = somebody(glacier, "fred", mirror)
    config = "/etc/ssh/sshd_config"
    as_root(glacier, f"echo AllowTcpForwarding no >>{config}")
    try:
        completed = person.rookery("setup", "glacier")
    finally:
        as_root(glacier, f"sed -i '/^AllowTcpForwarding/d' {config}")
    assert completed.returncode == 1
    assert "glacier can't download through your computer: its ssh server forwards no ports" in completed.stderr
    person.rookery("logout")


@pytest.fixture(scope="module")
def fjord() -> Iterator[Live]:
    """A miniature with an internet, which the tests use by a proxy."""
    with alone("fjord", profile={**PROFILE, "cluster_internet": {"login": "http", "compute": "unknown"}}) as live:
        yield live


@pytest.mark.parametrize("where", ["profile", "login"])
def test_a_web_proxy_is_used_by_everything(fjord: Live, where: str) -> None:
    profile = {**PROFILE, "cluster_internet": {"login": "http", "compute": "unknown"}}
    server = SiteProxy()
    with running(server):
        person = laptop(fjord, f"{where}er", profile=profile)
        if where == "profile":
            person.write(cluster_proxy=server.address)
        else:
            as_root(fjord, f"echo export https_proxy={server.address} >/etc/profile.d/proxy.sh")
        answer = person.setup("--tags", "shell,storage,python")
        assert answer["facts"]["proxy"] == (server.address if where == "login" else "")
        assert "pypi.org:443" in server.asked
        server.asked.clear()
        study = Project(person, person.home / "study")
        study.root.mkdir()
        for arguments in (("init", "-q"), ("config", "user.name", "R"), ("config", "user.email", "r@example.org")):
            study.git(*arguments)
        text = "name: study\nclusters: [fjord]\nenvironment: {python: venv}\njobs:\n  one:\n    command: 'true'\n"
        study.commit({"rookery.yml": text, "requirements.txt": "six==1.17.0\n"})
        study.run("deploy")
        assert "pypi.org:443" in server.asked
        if where == "profile":
            assert person.says("env | grep -c -x https_proxy=" + server.address) == "1"
        as_root(fjord, "rm -f /etc/profile.d/proxy.sh")
        person.rookery("logout")
