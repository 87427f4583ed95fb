"""Compare `rookery setup` with an ssh script, a bash installer, Ansible in three ways and pyinfra, on the same work.

.venv/bin/python benchmarks/setup.py [RUNS] [again] [first] [many] [start] [alone] [--json FILE]

With `alone` the second run is measured without Ansible and pyinfra, which take minutes.
"""

import contextlib
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import harness
import yaml
from harness import ROOKERY, Laptop, Way

CLUSTER = "penguins"
THINGS = 40
HOMES = 20
PARTS = ["again", "first", "many", "start"]
PEERS = ("ansible-core", "mitogen", "pyinfra")
CLEAN = "find ~ -mindepth 1 -maxdepth 1 ! -name .ssh -exec rm -rf {} + ; cp -a /etc/skel/. ~"


def made_by_rookery(laptop: Laptop) -> list[dict[str, str]]:
    """Return what rookery made in the home, by its ledger, filled up to 40 things with files of its tools."""
    entries = json.loads(laptop.there("cat ~/.local/state/rookery/ledger.json"))["entries"]
    things = [
        {"path": entry["path"], **entry["after"]} for entry in entries if entry["after"].get("type") in {"dir", "file"}
    ]
    more = laptop.there(f"find ~/.pyenv/libexec -type f | sort | head -{THINGS}").split()
    sums = laptop.there(f"sha256sum {shlex.join(more)}").splitlines()
    things += [{"path": line.split("  ", 1)[1], "type": "file", "digest": line.split()[0]} for line in sums]
    return things[:THINGS]


def again(laptop: Laptop, peers: Path) -> dict[str, Way]:
    """Return a second run, with nothing to do."""
    laptop.rookery("setup", "--cluster", CLUSTER)
    things = made_by_rookery(laptop)
    sums = "".join(f"{thing['digest']}  {thing['path']}\n" for thing in things if thing["type"] == "file")
    folders = [f"[ -d {shlex.quote(thing['path'])} ]" for thing in things if thing["type"] == "dir"]
    login = "bash -lc 'echo $global_storage $global_scratch' >/dev/null\n"
    least = f"{login}sha256sum --quiet -c - <<'END'\n{sums}END\n{' && '.join(folders)}\n"
    checks = [f"echo {shlex.quote(line)} | sha256sum --status -c -" for line in sums.splitlines()]
    script = "set -e\n" + login + "\n".join([*checks, *folders]) + "\n"
    folder = laptop.home / "peers"
    write_peers(laptop, folder, things)
    ways = {
        "rookery": steady(lambda: laptop.rookery("setup", "--cluster", CLUSTER)),
        "ssh script": steady(lambda: laptop.there(script)),
        "the least script": steady(lambda: laptop.there(least)),
        "ssh true": steady(lambda: laptop.there("true")),
    }
    return ways | (peer_ways(laptop, peers, folder) if (peers / "bin").is_dir() else {})


def steady(act: Callable[[], object]) -> Way:
    """Return a way that needs nothing made ready."""
    return lambda: act


def write_peers(laptop: Laptop, folder: Path, things: Sequence[dict[str, str]]) -> None:
    """Write the same 40 things as a playbook and as pyinfra's deploy."""
    folder.mkdir()
    tasks, operations = [], ["from pyinfra.operations import files", ""]
    for number, thing in enumerate(things):
        if thing["type"] == "dir":
            tasks.append({"ansible.builtin.file": {"path": thing["path"], "state": "directory"}})
            operations.append(f"files.directory(path={thing['path']!r})")
            continue
        copy = folder / f"file{number}"
        copy.write_text(laptop.there(f"cat {shlex.quote(thing['path'])}"))
        tasks.append({"ansible.builtin.copy": {"src": str(copy), "dest": thing["path"]}})
        operations.append(f"files.put(src={str(copy)!r}, dest={thing['path']!r})")
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    (folder / "deploy.py").write_text("\n".join(operations) + "\n")
    (folder / "hosts").write_text(f"{CLUSTER} ansible_python_interpreter=/usr/bin/python3\n")


def peer_ways(laptop: Laptop, peers: Path, folder: Path) -> dict[str, Way]:
    """Return the other tools, over the same open connection where they can use it (pyinfra has its own ssh)."""
    options = f"-F {laptop.home}/.config/rookery/ssh_config -o ControlMaster=auto -o ControlPersist=1h"
    base = {"ANSIBLE_SSH_ARGS": options, "ANSIBLE_LOCALHOST_WARNING": "0", "LC_ALL": "C.UTF-8"}
    playbook = [str(peers / "bin/ansible-playbook"), "-i", str(folder / "hosts"), str(folder / "play.yml")]
    mitogen = next(peers.glob("lib/python3*/site-packages/ansible_mitogen/plugins/strategy"), None)
    kinds = {
        "Ansible": (playbook, {}),
        "Ansible, pipelining": (playbook, {"ANSIBLE_PIPELINING": "1"}),
        "Ansible, Mitogen": (
            playbook,
            {"ANSIBLE_STRATEGY_PLUGINS": str(mitogen), "ANSIBLE_STRATEGY": "mitogen_linear"},
        ),
        "pyinfra": (pyinfra(laptop, peers, folder), {}),
    }

    def way(line: Sequence[str], more: dict[str, str]) -> Way:
        environment = laptop.environment | base | more

        def act() -> None:
            subprocess.run(line, env=environment, cwd=folder, check=True, capture_output=True, timeout=300)

        return steady(act)

    ways = {}
    for name, (line, more) in kinds.items():
        try:
            way(line, more)()()
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            lines = (error.stderr or error.stdout or b"").decode().strip().splitlines()
            print(f"{name} does not work here: {lines[-1] if lines else error}", file=sys.stderr)
            continue
        ways[name] = way(line, more)
    return ways


def pyinfra(laptop: Laptop, peers: Path, folder: Path) -> list[str]:
    """Return the command line of pyinfra."""
    config = f"ssh_config_file={laptop.home}/.config/rookery/ssh_config"
    return [str(peers / "bin/pyinfra"), "-y", "--data", config, f"@ssh/{CLUSTER}", str(folder / "deploy.py")]


def first(laptop: Laptop) -> dict[str, Way]:
    """Return a first run, from an empty home: by rookery, and by a plain bash script that does the same."""
    script = plain_script(laptop)
    return {
        "rookery": from_nothing(laptop, lambda: laptop.rookery("setup", "--cluster", CLUSTER)),
        "bash script": from_nothing(laptop, lambda: run_script(laptop, script)),
    }


def from_nothing(laptop: Laptop, act: Callable[[], object]) -> Way:
    """Return a way that begins with an empty home, of which the laptop remembers nothing."""

    def prepare() -> Callable[[], object]:
        laptop.there(CLEAN)
        (laptop.home / f".local/state/rookery/clusters/{CLUSTER}.json").unlink(missing_ok=True)
        return act

    return prepare


def run_script(laptop: Laptop, script: str) -> str:
    """Run a bash script on the cluster."""
    return laptop.run(*laptop.ssh.split(), CLUSTER, "bash -s", input_text=script)


def plain_script(laptop: Laptop) -> str:
    """Return a bash script with the downloads and installs of a first setup, from the same mirrors."""
    mirrors = yaml.safe_load((laptop.home / f".config/rookery/inventory/host_vars/{CLUSTER}.yml").read_text())
    mirrors = mirrors.get("cluster_mirrors", {})
    return PLAIN.format(
        fetch=(Path(__file__).parents[1] / "roles/python/files/fetch_uv.py").read_text(),
        index=shlex.quote(mirrors.get("pypi") or "https://pypi.org/simple"),
        pyenv=shlex.quote(mirrors.get("pyenv_git") or "https://github.com/pyenv/pyenv.git"),
        downloads=shlex.quote(mirrors.get("uv_python_downloads") or ""),
    )


PLAIN = """
set -eu
P=~/storage/rookery/$(uname -m)
mkdir -p "$P/bin" ~/scratch ~/.config/rookery/env.d
export UV_PYTHON_INSTALL_DIR=$P/python UV_CACHE_DIR=$P/cache/uv UV_TOOL_DIR=$P/tools UV_TOOL_BIN_DIR=$P/bin
export PIPX_HOME=$P/pipx PIPX_BIN_DIR=$P/bin PIPX_DEFAULT_BACKEND=uv PYENV_ROOT=~/.pyenv
[ -z {downloads} ] || export UV_PYTHON_DOWNLOADS_JSON_URL={downloads}
cat >/tmp/fetch.$$ <<'END'
{fetch}
END
/usr/bin/python3 /tmp/fetch.$$ "$P/bin" {index} latest "$(uname -m)"
git clone --quiet --depth 1 {pyenv} ~/.pyenv
"$P/bin/uv" python install --quiet --no-bin 3.13
folder=$("$P/bin/uv" python find --managed-python --no-project 3.13 | sed 's,/bin/[^/]*$,,')
version=$("$folder/bin/python3" -c 'import platform; print(platform.python_version())')
mkdir -p ~/.pyenv/versions && ln -s "$folder" ~/.pyenv/versions/"$version"
~/.pyenv/bin/pyenv rehash && ~/.pyenv/bin/pyenv global "$version"
export PATH=$P/bin:$PATH PIPX_DEFAULT_PYTHON=$HOME/.pyenv/shims/python
uv tool install --quiet --python "$PIPX_DEFAULT_PYTHON" pipx
pipx install --quiet poetry
mkdir -p ~/storage/R && R_LIBS_USER=~/storage/R Rscript --no-init-file -e 'cat("")'
for file in ~/.bashrc ~/.profile ~/.tmux.conf ~/.Rprofile; do echo '# ours' >>$file; done
for number in 1 2 3 4 5 6 7 8 9 10; do echo "export A$number=b" >~/.config/rookery/env.d/$number.sh; done
"""


def know_accounts(laptop: Laptop, users: Sequence[str]) -> None:
    """Make a laptop's own profiles of its cluster by the names of accounts there, one for each."""
    inventory = laptop.home / ".config/rookery/inventory"
    profile = yaml.safe_load((Path(__file__).parents[1] / f"inventory/host_vars/{CLUSTER}.yml").read_text())
    profile |= yaml.safe_load((inventory / "host_vars" / f"{CLUSTER}.yml").read_text())
    for user in users:
        (inventory / "host_vars" / f"{user}.yml").write_text(yaml.safe_dump({**profile, "cluster_user": user}))
    hosts = dict.fromkeys([CLUSTER, *users])
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))


def many(sandbox: Path, laptop: Laptop) -> dict[str, dict[str, float]]:
    """Time one command for twenty homes, accounts of one miniature, and for one; also the largest process."""
    names = [f"{CLUSTER}{number:02}" for number in range(HOMES)]
    for name in names:
        harness.new_account(sandbox, CLUSTER, name)
    know_accounts(laptop, names)
    times = {}
    for case, chosen in (("one home", names[:1]), (f"{HOMES} homes", names)):
        for kind in ("first", "again"):
            began = time.perf_counter()
            laptop.rookery("setup", "--cluster", ",".join(chosen))
            times[f"{case}, {kind}"] = time.perf_counter() - began
    times["memory of the largest process, MB"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for name in names:
        laptop.run(*laptop.ssh.split(), "-O", "exit", name)
    return {case: {"rookery": value} for case, value in times.items()}


def start(folder: Path) -> dict[str, Way]:
    """Return `invoke --list` here, and with an empty tasks file, and what a Tab starts, as ways to be timed."""
    (folder / "tasks.py").write_text("from invoke import task\n\n\n@task\ndef one(c):\n    pass\n")
    invoke = str(Path(ROOKERY).with_name("invoke"))

    def listing(where: Path) -> Way:
        return steady(lambda: subprocess.run([invoke, "--list"], cwd=where, check=True, capture_output=True))

    def tab(*words: str) -> Way:
        return steady(lambda: subprocess.run([ROOKERY, "--complete", "--", *words], check=True, capture_output=True))

    return {
        "invoke --list": listing(Path(__file__).parents[1]),
        "an empty tasks file": listing(folder),
        "Tab: a command": tab("rookery", "su"),
        "Tab: a cluster": tab("rookery", "setup", "h"),
    }


@contextlib.contextmanager
def environment(wanted: bool) -> Iterator[Path]:
    """Install the other tools, in an environment that goes with this run."""
    folder = Path(tempfile.mkdtemp(prefix="rookery-peers-"))
    try:
        if wanted:
            subprocess.run(["uv", "venv", "--quiet", str(folder)], check=True)
            line = ["uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *PEERS]
            subprocess.run(line, check=True)
        yield folder
    finally:
        shutil.rmtree(folder)


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, or everything."""
    runs = next((int(word) for word in arguments if word.isdigit()), 5)
    parts = [word for word in arguments if word in PARTS] or PARTS
    rows: dict[str, dict[str, float]] = {}
    if "start" in parts:
        with tempfile.TemporaryDirectory() as folder:
            rows["start"] = harness.compare(start(Path(folder)), runs)
            print(harness.table({"start": rows["start"]}, "an empty tasks file"))
    if set(parts) != {"start"}:
        with harness.miniature(CLUSTER) as sandbox, environment("again" in parts and "alone" not in arguments) as peers:
            rows |= on_a_miniature(sandbox, peers, parts, runs)
    harness.save(rows, arguments)


def on_a_miniature(sandbox: Path, peers: Path, parts: Sequence[str], runs: int) -> dict[str, dict[str, float]]:
    """Measure what needs a cluster."""
    rows: dict[str, dict[str, float]] = {}
    links = {name: delay for name, delay in harness.LINKS.items() if "again" in parts or not delay}
    for name, round_trip in links.items():
        with harness.laptop(sandbox, CLUSTER, round_trip) as laptop:
            if "again" in parts:
                rows[f"nothing to do, {name}"] = harness.compare(again(laptop, peers), runs)
                print(harness.table({name: rows[f"nothing to do, {name}"]}, "ssh script"), flush=True)
            if "first" in parts and not round_trip:
                rows["first"] = harness.compare(first(laptop), runs)
                print(harness.table({"first": rows["first"]}, "bash script"), flush=True)
            if "many" in parts and not round_trip:
                figures = many(sandbox, laptop)
                rows |= figures
                print("\n".join(f"{case}: {value['rookery']:.1f}" for case, value in figures.items()), flush=True)
    return rows


if __name__ == "__main__":
    os.environ.setdefault("UV_LINK_MODE", "copy")
    main(sys.argv[1:])
