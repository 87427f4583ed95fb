"""Miniatures are what the profiles say, and real."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from live import Live
from waiting import wait_for

from rookery.clusters.config import profile
from rookery.sandbox import image, lifecycle

pytestmark = pytest.mark.cluster


@pytest.fixture(params=["penguins", "hec"])
def cluster(request: pytest.FixtureRequest) -> Live:
    live: Live = request.getfixturevalue(request.param)
    return live


def stderr_of(command: list[str]) -> str:
    """What a command wrote to stderr."""
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120).stderr


def test_login_has_a_real_key_and_a_checked_host_key(cluster: Live, tmp_path: Path) -> None:
    facts = profile.load(cluster.miniature.name)
    assert cluster.run("whoami; hostname").split() == ["student", facts.host.split(".")[0]]
    other = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    wrong_key = [part.replace(str(cluster.state / "id_ed25519"), str(other)) for part in cluster.ssh_command]
    assert "Permission denied" in stderr_of([*wrong_key, "true"])
    (tmp_path / "none").touch()
    unknown = [part.replace(str(cluster.state / "known_hosts"), str(tmp_path / "none")) for part in cluster.ssh_command]
    assert "Host key verification failed" in stderr_of([*unknown, "true"])


def test_inventory_holds_the_fixed_names_and_the_real_fingerprint(cluster: Live) -> None:
    name = cluster.miniature.name
    variables = yaml.safe_load((cluster.state / f"inventory/host_vars/{name}.yml").read_text())
    real = cluster.root_run(["ssh-keygen", "-l", "-f", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.split()[1]
    assert variables["cluster_host_keys"] == [{"type": "ssh-ed25519", "fingerprint": real}]
    assert (variables["cluster_host"], variables["cluster_port"]) == (cluster.address, cluster.port)
    assert variables["cluster_user"] == "student"
    assert variables["cluster_proxy_jump"] == ""
    assert {"pyenv_git", "python_sources", "uv_python_downloads", "cran"} <= set(variables["cluster_mirrors"])
    assert oct((cluster.state / "id_ed25519").stat().st_mode & 0o777) == "0o600"


def test_partitions_and_nodes_are_the_profiles(cluster: Live) -> None:
    facts = profile.load(cluster.miniature.name).data["cluster_partitions"]
    lines = cluster.run("sinfo --noheader --format='%R|%l'").splitlines()
    shown = dict(line.split("|") for line in lines)
    assert set(shown) == {partition["name"] for partition in facts}
    limits = {name: re.split("[-:]", limit)[::-1] for name, limit in shown.items() if limit != "infinite"}
    minutes = {
        name: sum(int(number) * unit for number, unit in zip(parts, (1 / 60, 1, 60, 1440), strict=False))
        for name, parts in limits.items()
    }
    assert minutes == {partition["name"]: partition["max_minutes"] for partition in facts if "max_minutes" in partition}
    assert len(cluster.run("sinfo --noheader --Node --states=idle --format=%N | sort -u").split()) >= 3


def test_a_job_runs_and_is_accounted_for(cluster: Live) -> None:
    script = "cd; mkdir -p work; cd work; sbatch --wait --parsable --nodes=2 --ntasks-per-node=1 --wrap 'srun hostname'"
    number = cluster.run(script).split()[-1]
    assert len(set(cluster.run(f"cat work/slurm-{number}.out").split())) == 2
    query = f"sacct --allocations --noheader --parsable2 --format=state --jobs={number}"
    wait_for(lambda: cluster.run(query) == "COMPLETED")


def test_a_gpu_of_the_asked_type_is_given(hec: Live) -> None:
    command = "srun --partition=gpu-short --gres=gpu:nvidia_h200_nvl:2 sh -c 'echo $CUDA_VISIBLE_DEVICES; hostname'"
    devices, node = hec.run(command).split()
    assert len(devices.split(",")) == 2
    assert "nvidia_h200_nvl" in hec.run(f"scontrol show node {node}")
    assert "not available" in hec.run("sbatch --partition=gpu-short --gres=gpu:no_such:1 --wrap true 2>&1", check=False)


def test_whole_nodes_by_constraint(hec: Live) -> None:
    command = "srun --partition=parallel --exclusive --nodes=2 -C node_type=64core256G sh -c 'echo $SLURM_CPUS_ON_NODE'"
    assert hec.run(command).split() == ["64", "64"]


# The resource lines of the examples in HEC's documentation (MikePacey/Lancaster-HEC, docs/PAGE.rst, May 2026)
PUBLISHED = {
    "submit": ["-p serial -J testjob"],
    "largemem": ["-p serial --mem=2G"],
    "jobarrays": ["-p serial -J array_test -a 4-10:2", "-p serial -J array_test -a 1000-9001:1000"],
    "openmp": ["-p parallel --cpus-per-task=8 --mem=4000M"],
    "mpi": ["-p parallel --exclusive --nodes=2 -C node_type=10Geth64G", "-p parallel --nodes=1 --ntasks=8 --mem=8000M"],
    "nodetypes": [
        f"-p parallel --exclusive --nodes=2 -C node_type={kind}"
        for kind in ("10Geth64G", "10GethAny", "40core192G", "64core256G", "128core512G")
    ],
    "gpu": [
        "-p gpu-short --gres=gpu:1 --mem=10G --time=00:10:00 --cpus-per-task=1",
        "-p gpu-short --nodes=2 --exclusive --gres=gpu:3 --mem=30G --cpus-per-task=3",
        "-p astro --gres=gpu:nvidia_l40s:1 --mem=10G --time=00:10:00 --cpus-per-task=1",
    ],
    "software/ansys": ["-p parallel --exclusive --nodes=2 -C node_type=10GethAny"],
    "monitoring": ["-p serial --mail-type=END,FAIL --mail-user=youraddress@lancaster.ac.uk"],
}


@pytest.mark.parametrize("options", [options for listed in PUBLISHED.values() for options in listed])
def test_hec_takes_each_published_example(hec: Live, options: str) -> None:
    assert "to start at" in hec.run(f"cd; sbatch --test-only {options} --wrap hostname 2>&1")


def test_an_array_that_asks_for_mail_is_refused(hec: Live, penguins: Live) -> None:
    command = "cd; sbatch --array=1-2 --mail-type=END --wrap true 2>&1"
    assert "may not use --mail-type" in hec.run(command, check=False)
    assert "Submitted" in hec.run("cd; sbatch --mail-type=END --wrap true")
    assert "Submitted" in penguins.run(command)


def test_a_job_over_its_memory_is_killed(hec: Live) -> None:
    job = """sbatch --wait --mem=100M --wrap 'perl -e "\\$x = q(a) x 3e8; sleep 60"' 2>&1; cat slurm-*.out"""
    assert "exceeded memory limit" in hec.run(f"mkdir -p ~/big; cd ~/big; {job}", check=False)


def test_tmpdir_is_the_jobs_own_and_goes_with_it(hec: Live) -> None:
    folder = hec.run("srun sh -c 'touch $TMPDIR/x && echo $TMPDIR'")
    wait_for(lambda: hec.run(f"test -e {folder} || echo gone", check=False) == "gone")


def test_r_is_a_module_on_hec_alone(hec: Live, penguins: Live) -> None:
    assert hec.run("command -v R Rscript", check=False) == ""
    assert hec.run("module add R/4.3.1; command -v Rscript; Rscript -e 'cat(6 * 7)'") == (
        "/opt/apps/R/4.3.1/bin/Rscript\n42"
    )
    script = "source /etc/profile; module add R/4.3.1; Rscript -e 'cat(6 * 7)'"
    job = f"cd; sbatch --wait --output=r.out <<'E'\n#!/bin/bash\n{script}\nE\ncat r.out"
    assert hec.run(job).endswith("42")
    assert penguins.run("Rscript -e 'cat(6 * 7)'; type module", check=False) == "42"


def test_modules_are_the_profiles(hec: Live) -> None:
    names = [name for names in profile.load("hec").data["cluster_modules"].values() for name in names]
    shown = hec.run("module --terse avail 2>&1").split()
    assert set(names) <= set(shown)
    hec.run("module add miniforge && module list 2>&1 | grep -q miniforge")


@pytest.mark.parametrize("shell", [["bash"], ["zsh"], ["fish"]])
def test_storage_variables_are_set_at_login_alone(hec: Live, shell: list[str]) -> None:
    folder = hec.run("echo $global_storage; echo $global_scratch", shell=[*shell, "-l"]).split()
    assert len(folder) == 2
    assert hec.run(f"stat -c %U {' '.join(folder)}").split() == ["student", "student"]
    assert hec.run("env", shell=["env", "-u", "global_storage", "-u", "global_scratch", *shell]).count("global_") == 0


def test_a_tcsh_login_has_storage_and_modules(hec: Live) -> None:
    account = hec.add_user("ada", shell="/bin/tcsh")
    script = "echo $global_storage\nmodule add R/4.3.1\nwhich R\nexit\n"
    completed = subprocess.run(
        [*account.ssh_command, "-tt"], check=False, input=script, capture_output=True, text=True, timeout=120
    )
    assert "/storage/hpc/" in completed.stdout
    assert "/opt/apps/R/4.3.1/bin/R" in completed.stdout


def test_accounts_have_storage_of_their_own(hec: Live, penguins: Live) -> None:
    account = hec.add_user("grace", shell="/bin/zsh")
    mine, theirs = (person.run("echo $global_storage") for person in (account, hec))
    assert mine != theirs
    assert account.run(f"ls {theirs} 2>&1", check=False).endswith("Permission denied")
    assert account.run("echo $0; getent passwd $(whoami)").endswith("/bin/zsh")
    assert penguins.run("echo [$global_storage]") == "[]"


def test_an_added_account_uses_the_running_miniature(hec: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    account = hec.add_user("kay")
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(key, account.environment[key])
    (miniature,) = lifecycle.ensure(["hec"], offline_mirrors=True)
    assert (miniature.pid, miniature.user) == (hec.miniature.pid, "kay")
    loaded = profile.load("hec", profile.sources(sandbox=True))
    assert (loaded.user, loaded.host, loaded.sandbox) == ("kay", hec.address, True)


def test_gpfsquota_tells_real_usage(hec: Live) -> None:
    def quotas() -> dict[str, list[str]]:
        lines = hec.run("gpfsquota").splitlines()
        assert lines[0].split() == ["Filesystem", "Quota", "Used", "Avail", "Use%", "#", "files"]
        return {line.split()[0]: line.split()[1:] for line in lines[1:]}

    before = quotas()
    assert (before["home"][0], before["storage"][0], before["scratch"][0]) == ("10G", "200G", "10240G")
    hec.run("mkdir $global_storage/q; cd $global_storage/q; head -c 2147483648 /dev/zero >big; touch 1 2 3; echo x >4")
    after = quotas()
    hec.run("rm -r $global_storage/q")
    assert float(after["storage"][1][:-1]) - float(before["storage"][1][:-1]) == pytest.approx(2, abs=0.011)
    assert float(after["storage"][1][:-1]) + float(after["storage"][2][:-1]) == pytest.approx(200, abs=0.011)
    assert int(after["storage"][4]) - int(before["storage"][4]) == 6
    assert after["scratch"] == before["scratch"]


def test_the_system_python_is_the_profiles(hec: Live, penguins: Live) -> None:
    """Where this machine has a real one to lend; else the image's own stands for it."""
    output = hec.run("python3 --version; ls /usr/bin/python3*")
    lent = any(image.ROOT.glob("system-python-3.6.*"))
    assert (("Python 3.6." in output), ("3.11" in output)) == (lent, not lent)
    hec.run("python3 -c 'import ssl, json, sqlite3'")
    assert re.match(r"Python 3\.(9|1\d)", penguins.run("python3 --version"))


def test_mirrors_are_real(hec: Live) -> None:
    libraries = "mkdir -p ~/rl; export R_LIBS_USER=~/rl"
    install = (
        """Rscript -e 'install.packages("foreach", repos="file:///srv/mirrors/cran")' -e 'library(foreach)' 2>&1"""
    )
    hec.run(f"{libraries}; module add R/4.3.1; {install}")
    hec.run("cd; git clone -q file:///srv/mirrors/pyenv.git pyenv && pyenv/bin/pyenv --version")
    listed = json.loads(hec.run("cat /srv/mirrors/uv-python/downloads.json"))
    newest = max(listed.values(), key=lambda entry: entry["minor"])
    hec.run(f"cd; tar xzf {newest['url'].removeprefix('file://')} && python/bin/python3 -m venv env")
    assert hec.run("~/env/bin/pip --version; ~/python/bin/pip3 --version").count("python") >= 2
    hec.run("~/python/bin/python3 -c 'import ssl, sqlite3, ctypes, lzma, bz2'")
    for sum_ in hec.run("cd /srv/mirrors/python-sources; sha256sum $(find . -type l)").splitlines():
        assert sum_.split()[0] == Path(sum_.split()[1]).name
