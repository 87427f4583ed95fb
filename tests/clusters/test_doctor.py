"""`doctor` on real homes: each fault, seeded alone, is named by its check alone, and is gone after its fix."""

import base64
import hmac
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from laptops import ROOKERY, Laptop, laptop
from live import Live
from live import home as home_here
from terminal import Terminal

from rookery.sandbox import lifecycle
from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Home:
    """Somebody's home that is set up, on this side and on the cluster."""

    laptop: Laptop
    live: Live

    @property
    def home_path(self) -> str:
        return f"/home/{self.laptop.user}"

    def doctor(self, *flags: str, **environment: str) -> dict[str, Any]:
        """What `--json` tells."""
        completed = subprocess.run(
            [str(ROOKERY), "doctor", "--cluster", self.laptop.cluster, "--json", *flags],
            env={**self.laptop.environment, **environment}, cwd=self.laptop.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, start_new_session=True, check=False,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(completed.stdout)
        assert answer["exit"] == completed.returncode, completed.stderr
        return answer

    def root(self, script: str) -> str:
        """Run a script there as root."""
        return self.live.root_run(["sh", "-c", script]).stdout.strip()

    def run_in_home(self, script: str) -> None:
        """Change the home behind rookery's back, whatever its start-up files do."""
        self.live.root_run(["runuser", "-u", self.laptop.user, "--", "sh", "-c", f"cd {self.home_path} && {script}"])

    def follow(self, fix: str) -> None:
        """Do what a fix says: its command, without the words behind it."""
        command = fix.partition("   # ")[0]
        words = shlex.split(command)
        if words[0] == "rookery":
            words[0] = str(ROOKERY)
        completed = subprocess.run(
            command if words[0] != str(ROOKERY) else shlex.join(words), shell=True, env=self.laptop.environment,
            cwd=self.laptop.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"


def checks(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    by_name = {check["name"]: check for check in answer["laptop"]}
    for part in answer["clusters"].values():
        by_name |= {check["name"]: check for check in part["checks"]}
    return by_name


def names(answer: dict[str, Any], state: str = "fault") -> list[str]:
    return [name for name, check in checks(answer).items() if check["state"] == state]


def setting(person: Laptop, key: str) -> Any:
    """What is known of the cluster under a key."""
    return json.loads(person.rookery("clusters.show", person.cluster, "--json").stdout)["values"][key]["value"]


def home_on(live: Live, user: str) -> Home:
    person = laptop(live, user)
    person.setup()
    return Home(person, live)


@pytest.fixture(scope="module")
def pip(penguins: Live) -> Iterator[Home]:
    """Set up on Penguins, once."""
    home = home_on(penguins, "doctor-pip")
    yield home
    home.laptop.rookery("logout")


@pytest.fixture(scope="module")
def hal(hec: Live) -> Iterator[Home]:
    """Set up on HEC, once."""
    home = home_on(hec, "doctor-hal")
    yield home
    home.laptop.rookery("logout")


def tree(home: Home) -> str:
    return home.root(f"find {home.home_path} ! -path '*/.ssh*' -printf '%p %y %m %s %T@ %l\\n' | sort")


@pytest.mark.parametrize("where", ["pip", "hal"])
def test_a_healthy_home_has_no_fault(where: str, request: pytest.FixtureRequest) -> None:
    """And nothing there is changed by looking."""
    home: Home = request.getfixturevalue(where)
    before = tree(home)
    answer = home.doctor()
    assert names(answer) == [], answer
    assert answer["exit"] == 0
    assert answer["clusters"][home.laptop.cluster]["state"] == "healthy"
    by_name = checks(answer)
    assert by_name["job"]["state"] == by_name["path-job"]["state"] == by_name["slurm"]["state"] == "ok"
    assert by_name["set-up"]["state"] == "ok", by_name["set-up"]
    assert tree(home) == before


@dataclass(frozen=True)
class Seed:
    """A fault in a home.

    Attributes:
        check: The check that names it.
        says: What it says then.
        mine: How it comes about: a command of the person's own, in their home.
        root: The same, of root's.
        mend: How root takes it back, where that is for others to do, or for `setup`; "" where the fix is done.
        setup: Whether the fix is `setup`, which mends all of these at once at the end.
    """

    check: str
    says: str
    mine: str = ""
    root: str = ""
    mend: str = ""
    setup: bool = False


KEPT = "cp -p /tmp/.bashrc /tmp/.profile ."
MARKS = "/>>> rookery/,/<<< rookery/d"
CONDA = (
    r"""printf '%s\n' '# >>> conda initialize >>>' 'PATH="/opt/conda:$PATH"' '# <<< conda initialize <<<' >>.bashrc"""
)
SLURMCTLD = "slurmctld; until sinfo -h -o %T | grep -q idle; do sleep 0.1; done"

ON_PENGUINS = {
    "home closed": Seed("home-writable", "may not write", mine="chmod 500 ."),
    "PATH set anew": Seed("path-login", "a login shell", mine="echo 'PATH=/usr/bin:/bin' >>.profile"),
    "prints": Seed("startup", "Hello", mine="sed -i '/<<< rook/a echo Hello' .bashrc", mend=KEPT, setup=True),
    "lines gone": Seed("path-command", "sent over ssh", mine=f"sed -i '{MARKS}' .bashrc", mend=KEPT, setup=True),
    "all gone": Seed("path-login", "a login shell", mine=f"sed -i '{MARKS}' .bashrc .profile", mend=KEPT, setup=True),
    "first line": Seed("path-job", "start-pyenv", mine="mv start-pyenv .old", mend="mv .old start-pyenv", setup=True),
    "variables": Seed(
        "storage",
        "$global_storage has no value",
        mine="cd .config/rookery/env.d && mv 10-storage.sh old",
        mend="cd .config/rookery/env.d && mv old 10-storage.sh",
        setup=True,
    ),
    "python": Seed(
        "python",
        "`python`",
        mine="mv .pyenv/versions .pv",
        mend="rm -rf .pyenv/versions && mv .pv .pyenv/versions",
        setup=True,
    ),
    "slurm": Seed(
        "slurm",
        "does not answer",
        root="kill $(cat /run/slurm/slurmctld.pid); while [ -e /run/slurm/slurmctld.pid ]; do sleep 0.1; done",
        mend=SLURMCTLD,
    ),
    "partition": Seed(
        "partition",
        "PenguinPartition is down",
        root="scontrol update partitionname=PenguinPartition state=down",
        mend="scontrol update partitionname=PenguinPartition state=up",
    ),
    "nodes": Seed(
        "partition",
        "no node of PenguinPartition",
        root="scontrol update nodename=wn[01-05] state=drain reason=test",
        mend="scontrol update nodename=wn[01-05] state=resume",
    ),
    "refused": Seed(
        "job",
        "sbatch refuses it",
        root="scontrol update partitionname=PenguinPartition allowgroups=root",
        mend="scontrol update partitionname=PenguinPartition allowgroups=all",
    ),
}
ON_HEC = {
    "quota": Seed("quota", "home is 10", mine="truncate -s 10G big.csv", mend="rm big.csv"),
    "conda": Seed("conda", "~/.bashrc", mine=CONDA),
    "variable": Seed("storage", "$global_scratch has no value", mine="echo 'unset global_scratch' >>.profile"),
    "cache": Seed(
        "caches",
        "~/.cache is in your home",
        mine="mv .cache .kept && mkdir .cache",
        mend="rmdir .cache && mv .kept .cache",
        setup=True,
    ),
    "foreign": Seed(
        "caches",
        "~/.mamba stays in the home: /home/doctor-hal/.mamba/theirs belongs to root",
        root="cd /home/doctor-hal && mv .mamba .kept && mkdir .mamba && touch .mamba/theirs && chown doctor-hal .mamba",
        mend="rm -r .mamba && mv .kept .mamba",
    ),
    "broken": Seed(
        "caches",
        "~/.conda leads to /nowhere",
        mine="mv .conda .kept && ln -s /nowhere/at/all .conda",
        mend="rm .conda && mv .kept .conda",
    ),
    "modules": Seed(
        "modules",
        "no `module`",
        root="mv /etc/profile.d/lmod.sh /root/",
        mend="mv /root/lmod.sh /etc/profile.d/",
    ),
}


@pytest.mark.parametrize("what", ON_PENGUINS)
def test_on_penguins(pip: Home, what: str) -> None:
    the_fault_is_named_and_mended(pip, ON_PENGUINS[what])


@pytest.mark.parametrize("what", ON_HEC)
def test_on_hec(hal: Home, what: str) -> None:
    the_fault_is_named_and_mended(hal, ON_HEC[what])


def the_fault_is_named_and_mended(home: Home, seed: Seed) -> None:
    home.run_in_home("cp -p .bashrc .profile /tmp/")
    if seed.mine:
        home.run_in_home(seed.mine)
    else:
        home.root(seed.root)
    try:
        answer = home.doctor()
        assert names(answer) == [seed.check], answer
        assert answer["exit"] == 3
        fault = checks(answer)[seed.check]
        assert seed.says in fault["found"]
        assert fault["fix"]
        assert seed.setup == (fault["fix"] == f"rookery setup --cluster {home.laptop.cluster}")
        if not seed.mend:
            home.follow(fault["fix"])
    finally:
        if seed.mend:
            home.root(f"cd {home.home_path} && {seed.mend}")
    if not seed.setup:
        again = home.doctor()
        assert names(again) == [], again
    home.run_in_home(f"{KEPT} && rm -f .bashrc.old .profile.old")


@pytest.mark.parametrize(("where", "seeds"), [("pip", ON_PENGUINS), ("hal", ON_HEC)])
def test_one_setup_mends_all_that_it_can(where: str, seeds: dict[str, Seed], request: pytest.FixtureRequest) -> None:
    home: Home = request.getfixturevalue(where)
    for seed in seeds.values():
        if seed.setup:
            home.run_in_home(seed.mine)
    answer = home.doctor()
    fixes = {checks(answer)[name]["fix"] for name in names(answer)}
    assert fixes == {f"rookery setup --cluster {home.laptop.cluster}"}
    home.follow(fixes.pop())
    again = home.doctor()
    assert names(again) == [], again
    assert checks(again)["set-up"]["state"] == "ok"
    home.run_in_home("sed -i '/^echo Hello/d' .bashrc")


def test_too_many_files(hal: Home) -> None:
    areas = json.loads(hal.laptop.rookery("clusters.show", "hec", "--json").stdout)["values"]["cluster_storage"][
        "value"
    ]
    hal.laptop.write(cluster_storage=[{**area, "quota_files": 2} if area["name"] == "home" else area for area in areas])
    answer = hal.doctor()
    assert names(answer) == ["quota-files"]
    assert "du --inodes" in checks(answer)["quota-files"]["fix"]
    hal.laptop.write(cluster_storage=areas)
    assert names(hal.doctor()) == []


def test_start_up_files_that_end_the_shell(pip: Home) -> None:
    """An interactive login still works, so that is the fix."""
    # a home that once printed something has a guard above that keeps commands from what stands below
    pip.run_in_home("sed -i.kept -e '/ROOKERY_PROBE/d' -e '/<<< rookery/a [ -z \"$PS1\" ] && exit' .bashrc")
    answer = pip.doctor()
    assert names(answer) == ["startup"]
    assert checks(answer)["slurm"]["state"] == "skipped"
    fix = checks(answer)["startup"]["fix"]
    words = shlex.split(fix.partition("   # ")[0])
    words[words.index("-t")] = "-tt"
    line = "sed -i 's/&& exit/\\&\\& return/' ~/.bashrc; exit\n"
    subprocess.run(
        words, env=pip.laptop.environment, input=line, capture_output=True, text=True, timeout=60, check=True
    )
    assert names(pip.doctor()) == []
    pip.run_in_home("mv .bashrc.kept .bashrc")


def test_a_home_that_was_never_set_up(penguins: Live) -> None:
    """Also one whose ~/.bashrc ends the shell: `setup` puts a guard above it."""
    new = Home(laptop(penguins, "doctor-new"), penguins)
    answer = new.doctor()
    assert names(answer) == ["set-up"]
    assert checks(answer)["set-up"]["found"] == "not set up yet"
    assert checks(answer)["set-up"]["fix"] == "rookery setup --cluster penguins"
    assert checks(answer)["job"]["state"] == "ok"
    assert {"path-login", "path-command", "path-job", "python"} <= set(names(answer, "skipped"))
    new.run_in_home("sed -i '1i [ -z \"$PS1\" ] && exit' .bashrc")
    answer = new.doctor()
    assert names(answer) == ["startup"]
    new.follow(checks(answer)["startup"]["fix"])
    assert names(new.doctor()) == []
    new.laptop.rookery("logout")


# -- the way there


@dataclass(frozen=True)
class Wayfarer:
    """Somebody whose way to the cluster is tried; there is no connection yet."""

    home: Home
    tmp: Path

    def doctor(self, **environment: str) -> dict[str, Any]:
        return self.home.doctor(**environment)


@pytest.fixture
def way(pip: Home, tmp_path: Path) -> Iterator[Wayfarer]:
    """The connection is closed before and after."""
    pip.laptop.rookery("logout")
    inventory = pip.laptop.inventory / "host_vars/penguins.yml"
    kept = inventory.read_text()
    yield Wayfarer(pip, tmp_path)
    inventory.write_text(kept)
    shutil.rmtree(pip.laptop.home / ".ssh", ignore_errors=True)
    pip.laptop.rookery("logout")


def names_alone(way: Wayfarer, check: str, **environment: str) -> dict[str, str]:
    """The check is the one fault, and nothing was looked at behind it."""
    answer = way.doctor(**environment)
    assert names(answer) == [check], answer
    assert answer["exit"] == 3
    return checks(answer)[check]


def all_is_well(way: Wayfarer, **environment: str) -> None:
    answer = way.doctor(**environment)
    assert names(answer) == [], answer
    assert answer["exit"] == 0


def test_no_such_host(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_host="icefloe.invalid")
    answer = way.doctor()
    assert names(answer) == ["dns"]
    assert "clusters.show penguins" in checks(answer)["dns"]["fix"]
    skipped = names(answer, "skipped")
    assert skipped[:2] == ["vpn", "port"]
    assert {"host-key", "key", "connection", "home-writable", "job"} <= set(skipped)


def test_nobody_listens(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_port=1)
    fault = names_alone(way, "port")
    assert "cluster_port" in fault["fix"]


def test_a_vpn_that_is_not_up(way: Wayfarer) -> None:
    """The host has an address and does not answer."""
    with closing(socket.socket()) as deaf, closing(socket.socket()) as first, closing(socket.socket()) as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)  # one connection fits into the queue: who comes after it hears nothing
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        way.home.laptop.write(
            cluster_host="127.0.0.1",
            cluster_port=deaf.getsockname()[1],
            cluster_vpn={"needed": "off_campus", "name": "Eduroam Tunnel"},
        )  # fmt: skip
        fault = names_alone(way, "vpn")
    assert "Eduroam Tunnel" in fault["fix"]


def known_hosts(way: Wayfarer) -> Path:
    return Path(setting(way.home.laptop, "cluster_known_hosts_file"))


def test_a_host_key_that_changed(way: Wayfarer) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(way.tmp / "k")], check=True)
    file = known_hosts(way)
    kept = file.read_text()
    other = " ".join((way.tmp / "k.pub").read_text().split()[:2])
    file.write_text("".join(f"{line.split()[0]} {other}\n" for line in kept.splitlines()))
    fault = names_alone(way, "host-key")
    assert "has changed" in fault["found"]
    way.home.follow(fault["fix"])  # the new one is the published one
    all_is_well(way)
    file.write_text(kept)


def test_a_host_key_that_nobody_knows(way: Wayfarer) -> None:
    file = known_hosts(way)
    kept = file.read_text()
    file.write_text("")
    way.home.laptop.write(cluster_host_keys=[])
    fault = names_alone(way, "host-key")
    fingerprint = way.home.live.miniature.fingerprint
    assert fault["fix"].startswith(f"rookery login --cluster penguins --accept-host-key {fingerprint}")
    assert names(way.home.doctor("--accept-host-key", fingerprint)) == []
    file.write_text(kept)


def test_a_host_key_that_is_not_the_published_one(way: Wayfarer) -> None:
    wrong = "SHA256:" + "A" * 43
    way.home.laptop.write(cluster_host_keys=[{"type": "ssh-ed25519", "fingerprint": wrong}])
    fault = names_alone(way, "host-key")
    assert wrong in fault["fix"]


@pytest.mark.parametrize(
    ("close", "open_again"),
    [
        ("chage -E 0 doctor-pip", "chage -E -1 doctor-pip"),
        ("usermod -s /usr/sbin/nologin doctor-pip", "usermod -s /bin/bash doctor-pip"),
    ],
)
def test_an_account_that_is_not_active(way: Wayfarer, close: str, open_again: str) -> None:
    way.home.root(close)
    try:
        fault = names_alone(way, "account")
    finally:
        way.home.root(open_again)
    assert "Mariusz or Cyrus" in fault["fix"]
    way.home.laptop.rookery("logout")
    all_is_well(way)


def test_a_key_that_is_not_taken(way: Wayfarer) -> None:
    way.home.run_in_home("mv .ssh/authorized_keys .ssh/kept")
    try:
        fault = names_alone(way, "key")
        assert "authorized_keys" in fault["fix"]
        live = way.home.live
        secrets = f"{live.miniature.password}\n{live.miniature.totp_secret}\n"
        live.root_run(["/usr/local/sbin/set-secrets", way.home.laptop.user], stdin=secrets)
        with Terminal([str(ROOKERY), "doctor"], way.home.laptop.environment) as screen:
            screen.answers("password: $", live.miniature.password)
            screen.shows("your key there: .*is not taken, so you have to type each time", 90)
            assert screen.ends() == 0
        way.home.laptop.rookery("logout")
    finally:
        way.home.run_in_home("mv .ssh/kept .ssh/authorized_keys")
    all_is_well(way)


def test_a_key_that_is_gone_or_open_to_others(way: Wayfarer) -> None:
    key = Path(setting(way.home.laptop, "cluster_identity_file"))
    mine = way.tmp / "id_mine"
    shutil.copy(key, mine)
    mine.chmod(0o644)
    way.home.laptop.write(cluster_identity_file=str(mine))
    fault = names_alone(way, "key-file")
    way.home.follow(fault["fix"])
    all_is_well(way)
    mine.unlink()
    way.home.laptop.rookery("logout")
    assert "there is no key file" in names_alone(way, "key-file")["found"]


def test_a_passphrase_and_no_terminal(way: Wayfarer) -> None:
    """Nothing is wrong, and it could not look."""
    key = way.tmp / "id_locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(key)], check=True)
    way.home.laptop.write(cluster_identity_file=str(key))
    answer = way.doctor()
    assert (answer["exit"], answer["clusters"]["penguins"]["state"], names(answer)) == (1, "unknown", [])
    check = checks(answer)["second-factor"]
    assert (check["state"], check["fix"].partition("   #")[0]) == ("skipped", "rookery login --cluster penguins")


def test_a_profile_that_is_wrong(way: Wayfarer) -> None:
    way.home.laptop.write(cluster_port="twenty-two")
    fault = names_alone(way, "profile")
    assert "penguins.yml:" in fault["found"]
    assert "cluster_port" in fault["found"]


def test_an_inventory_that_is_no_yaml(way: Wayfarer) -> None:
    hosts = way.home.laptop.inventory / "hosts.yml"
    kept = hosts.read_text()
    hosts.write_text("all: [\n")
    answer = way.doctor()
    hosts.write_text(kept)
    assert names(answer)[0] == "inventory"


def test_a_second_factor() -> None:
    """Without a terminal, login is named; on one the code is typed. There is no queue here."""
    top = Path(tempfile.mkdtemp(prefix="rk-"))
    environment = {**home_here(top / "home"), "XDG_RUNTIME_DIR": str(top)}
    inventory = Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    plain = yaml.safe_load((Path(__file__).parents[1] / "data/profiles/host_vars/hex-metal.yml").read_text())
    (inventory / "host_vars/codes.yml").write_text(yaml.safe_dump({**plain, "cluster_logins": ["key+totp"]}))
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"codes": None}}}))
    command = [str(ROOKERY), "doctor", "--cluster", "codes", "--sandbox"]
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(key, environment[key])
        live = lifecycle.ensure(["codes"], yes=True, entrance=Entrance("key+totp"))[0]
        try:
            completed = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                start_new_session=True, check=False,
            )  # fmt: skip
            assert completed.returncode == 1, completed.stdout + completed.stderr
            assert "fix: rookery login --cluster codes --sandbox" in completed.stdout
            with Terminal(command, environment) as screen:
                screen.answers(r"Verification code: $", code(live.totp_secret))
                screen.shows("your home there, as `setup` left it: not set up yet", 60)
                assert screen.ends() == 3
                assert "your key there" not in screen.seen
            subprocess.run([str(ROOKERY), "logout", "--sandbox"], env=environment, check=False, capture_output=True)
        finally:
            lifecycle.down("all", quiet=True)
    shutil.rmtree(top)


def code(secret: str) -> str:
    """RFC 6238's code of now."""
    digest = hmac.new(base64.b32decode(secret), (int(time.time()) // 30).to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 0xF
    return str(int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF)[-6:].zfill(6)


def test_several_clusters_at_once(way: Wayfarer, hal: Home) -> None:
    """Those where the username is known, where none is named."""
    mine, other = way.home.laptop.inventory, hal.laptop.inventory
    shutil.copy(other / "host_vars/hec.yml", mine / "host_vars/hec.yml")
    try:
        completed = way.home.laptop.rookery("doctor", "--json")
    finally:
        way.home.laptop.rookery("logout")
        (mine / "host_vars/hec.yml").unlink()
    answer = json.loads(completed.stdout)
    assert {name: part["state"] for name, part in answer["clusters"].items()} == {
        "penguins": "healthy",
        "hec": "healthy",
    }


# -- this computer


def test_a_program_that_is_missing(way: Wayfarer) -> None:
    folder = way.tmp / "bin"
    folder.mkdir()
    for name in ("ssh", "git", "sh", "ssh-keygen"):
        (folder / name).symlink_to(str(shutil.which(name)))
    fault = names_alone(way, "rsync", PATH=str(folder))
    assert "apt install rsync" in fault["fix"]
    (folder / "rsync").symlink_to(str(shutil.which("rsync")))
    all_is_well(way, PATH=str(folder))
    (folder / "ssh").unlink()
    answer = way.doctor(PATH=str(folder))
    assert names(answer) == ["ssh"]
    assert checks(answer)["port"]["state"] == "skipped"


def test_modes_in_the_ssh_folder(way: Wayfarer) -> None:
    folder = way.home.laptop.home / ".ssh"
    folder.mkdir()
    folder.chmod(0o777)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id_ed25519")], check=True)
    (folder / "id_ed25519").chmod(0o644)
    fault = names_alone(way, "ssh-folder")
    assert "chmod 700" in fault["fix"]
    assert "chmod 600" in fault["fix"]
    way.home.follow(fault["fix"])
    all_is_well(way)


@pytest.mark.parametrize("what", ["nonsense", "open"])
def test_an_ssh_config_of_ones_own(way: Wayfarer, what: str) -> None:
    folder = way.home.laptop.home / ".ssh"
    folder.mkdir(mode=0o700)
    config = folder / "config"
    config.write_text("Host *\n    Compresion yes\n" if what == "nonsense" else "Host *\n    Compression yes\n")
    config.chmod(0o600 if what == "nonsense" else 0o666)
    fault = names_alone(way, "ssh-config")
    if what == "nonsense":
        assert "line 2" in fault["found"]
        assert str(config) in fault["fix"]
        config.write_text("Host *\n    Compression yes\n")
    else:
        way.home.follow(fault["fix"])
    all_is_well(way)


def test_clocks_that_differ(way: Wayfarer) -> None:
    """This computer's is an hour behind."""
    (way.tmp / "sitecustomize.py").write_text("import time\nnow = time.time\ntime.time = lambda: now() - 3600\n")
    answer = way.doctor(PYTHONPATH=str(way.tmp))
    assert names(answer) == []
    assert checks(answer)["clock"]["state"] == "warning"
    assert "60 minutes ahead" in checks(answer)["clock"]["found"]
    assert checks(way.doctor())["clock"]["state"] == "ok"


# -- what is told


def test_the_report(way: Wayfarer) -> None:
    """One redacted text, ended by the same as data; nothing else is overwritten."""
    person = way.home.laptop
    way.home.run_in_home("cp -p .bashrc /tmp/ && sed -i '/>>> rookery/,/<<< rookery/d' .bashrc")
    completed = person.rookery("doctor", "--cluster", "penguins", "--report")
    assert completed.returncode == 3, completed.stderr
    text = (person.home / "rookery-report.txt").read_text()
    for private in (
        person.user,
        str(person.home),
        socket.gethostname(),
        way.home.live.miniature.fingerprint,
        way.home.home_path,
    ):
        assert private not in text
    answer = json.loads(text.partition("==== for the person who helps: the same as data ====\n")[2])
    assert names(answer) == ["path-command"]
    assert "<home>/.pyenv/bin" in text
    way.home.run_in_home("cp -p /tmp/.bashrc .")
    other = person.home / "notes.txt"
    other.write_text("mine")
    completed = person.rookery("doctor", "--cluster", "penguins", "--report", "notes.txt")
    assert (completed.returncode, other.read_text()) == (1, "mine")
    assert "no report of rookery's" in completed.stderr
    completed = person.rookery("doctor", "--cluster", "penguins", "--report", "rookery-report.txt")
    assert completed.returncode == 0, completed.stdout


def test_the_screen(way: Wayfarer) -> None:
    """What is well takes one line; -v names it. A cluster that is not known ends it with 1."""
    person = way.home.laptop
    completed = person.rookery("doctor", "--cluster", "penguins")
    assert completed.returncode == 0
    assert [line.partition(":")[0] for line in completed.stdout.splitlines() if not line.startswith(" ")] == [
        "this computer",
        "penguins",
    ]
    assert "checks well" in completed.stdout
    assert "Slurm: it answers" not in completed.stdout
    assert "Slurm: it answers" in person.rookery("doctor", "-v").stdout
    assert person.rookery("doctor", "--cluster", "penguin").returncode == 1


def test_two_remote_commands_besides_the_login(way: Wayfarer) -> None:
    folder, log = way.tmp / "bin", way.tmp / "log"
    folder.mkdir()
    noted = f'printf "%s" "$*" | tr "\\n" " " | head -c 200 >>{log}; echo >>{log}'
    (folder / "ssh").write_text(f'#!/bin/sh\n{noted}\nexec {shutil.which("ssh")} "$@"\n')
    (folder / "ssh").chmod(0o755)
    all_is_well(way, PATH=f"{folder}:{os.environ['PATH']}")
    sent = [line for line in log.read_text().splitlines() if "ControlMaster=no -T" in line]
    assert len(sent) == 2, log.read_text()
