"""Logging in as a person does, at a terminal: passwords, codes, passphrases, a jump host, and what goes wrong there."""

import base64
import hmac
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from laptops import ROOKERY, laptop
from live import Account, Live, home
from terminal import Terminal
from waiting import wait_for

from rookery.sandbox import lifecycle
from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster

GATES = {
    "words": (Entrance("password"), {"cluster_logins": ["password", "key"]}),
    "factors": (
        Entrance("password+totp", jump=True),
        {
            "cluster_logins": ["password+totp"],
            "cluster_login_prompts": ["First Factor:", "Second Factor:"],
            "cluster_login_hours": 12,
            "cluster_policies": {"at_risk": "Tuesdays 08:00 to 10:00"},
        },
    ),
    "codes": (Entrance("key+totp"), {"cluster_logins": ["key+totp"]}),
}


@pytest.fixture(scope="module")
def gates() -> Iterator[dict[str, Live]]:
    """A miniature for each way of logging in, without Slurm; the person's home has a blank in its name."""
    top = Path(tempfile.mkdtemp(prefix="rk-"))
    environment = home(top / "my home")
    inventory = Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    plain = yaml.safe_load((Path(__file__).parents[1] / "data/profiles/host_vars/hex-metal.yml").read_text())
    for name, (_, variables) in GATES.items():
        (inventory / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump({**plain, **variables}))
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(GATES)}}))
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(key, environment[key])
        started = [lifecycle.ensure([name], yes=True, entrance=entrance)[0] for name, (entrance, _) in GATES.items()]
        yield {
            miniature.name: Live(miniature.user, miniature.address, miniature.port, environment, miniature)
            for miniature in started
        }
        lifecycle.down("all", quiet=True)
    shutil.rmtree(top)


@pytest.fixture
def someone(gates: dict[str, Live]) -> Iterator[Callable[[str, str], Account]]:
    """Makes an account on one of them that has the password and the codes of its first; logged out at the end."""
    made = []

    def make(name: str, user: str) -> Account:
        live = gates[name]
        account = live.add_user(user)
        runtime = Path(live.environment["HOME"]).parent / user
        runtime.mkdir()
        account = replace(account, environment={**account.environment, "XDG_RUNTIME_DIR": str(runtime)})
        shutil.copytree(inventory_of(live.environment), inventory_of(account.environment))
        secrets = f"{live.miniature.password}\n{live.miniature.totp_secret}\n"
        live.root_run(["/usr/local/sbin/set-secrets", user], stdin=secrets)
        if name == "words":  # the key is not there yet
            live.root_run(["rm", f"/home/{user}/.ssh/authorized_keys"])
        made.append((name, account))
        return account

    yield make
    for _, account in made:
        rookery(account, "logout")


def inventory_of(environment: Mapping[str, str]) -> Path:
    return Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"


def rookery(account: Account, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command where there is no terminal."""
    return subprocess.run(
        [str(ROOKERY), *arguments, "--sandbox"],
        env=account.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
        check=False,
    )


def at_terminal(account: Account, name: str) -> Terminal:
    return Terminal([str(ROOKERY), "login", "--cluster", name, "--sandbox"], account.environment)


def state_of(account: Account, name: str, command: str = "login") -> dict[str, object]:
    answer: dict[str, object] = json.loads(rookery(account, command, "--cluster", name, "--json").stdout)["clusters"][
        name
    ]
    return answer


def run_there(account: Account, name: str, command: str) -> str:
    """What a command says that goes through the open connection, and through that alone."""
    config = ["-F", str(account.state / "ssh_config"), "-o", "ControlMaster=no", "-o", "ProxyCommand=false"]
    completed = subprocess.run(
        ["ssh", *config, name, command], env=account.environment, capture_output=True, text=True, check=False
    )
    return completed.stdout.strip()


def code(secret: str, steps: int = 0) -> str:
    """RFC 6238's code of now, or of so many half minutes later."""
    counter = (int(time.time()) // 30 + steps).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), counter, "sha1").digest()
    at = digest[-1] & 0xF
    return str(int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF)[-6:].zfill(6)


def processes(account: Account) -> list[str]:
    """Processes that have to do with this person's connections."""
    commands = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(account.state) in words and words.startswith("ssh"):
                commands.append(words.replace("\0", " "))
    return commands


def test_a_password_typed_once(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    ada, password = someone("words", "ada"), gates["words"].miniature.password
    completed = rookery(ada, "setup", "--cluster", "words")
    assert completed.returncode == 1
    assert "next: rookery login words --sandbox" in completed.stderr
    with at_terminal(ada, "words") as screen:
        screen.shows("you need: your password\n")
        screen.answers("password: $", f"{password}x")
        screen.answers("Permission denied, please try again.*password: $", password)
        screen.shows("words: connected as ada@.*closes 4 hours after its last use")
        assert screen.ends() == 0
        assert password not in screen.seen
    assert run_there(ada, "words", "id -un") == "ada"
    assert state_of(ada, "words")["state"] == "open"
    assert rookery(ada, "logout").stdout == "words: connection closed\n"
    assert run_there(ada, "words", "id -un") == ""
    assert rookery(ada, "logout").stdout == "No connection is open.\n"


def test_a_wrong_password_three_times(someone: Callable[[str, str], Account]) -> None:
    bea = someone("words", "bea")
    with at_terminal(bea, "words") as screen:
        for _ in range(3):
            screen.answers("password: $", "wrong")
        screen.shows("words: .* rejected the login of bea: wrong username, password or code")
        screen.shows("next: rookery login words --sandbox --user")
        assert screen.ends() == 1
    assert processes(bea) == []


def test_two_factors_through_a_jump_host(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    """A wrong code is refused; the way is through the jump host alone; Ctrl-C at what comes after ends no login."""
    cleo, live = someone("factors", "cleo"), gates["factors"]
    miniature = live.miniature
    config = account_inventory(cleo, "factors")
    config.write_text(config.read_text().replace("student@", "cleo@"))
    answer = state_of(cleo, "factors")
    assert (answer["state"], answer["reason"]) == ("failed", "denied")
    assert "jump host cleo@" in str(answer["error"])
    command = f"'{ROOKERY}' login --cluster factors --sandbox; echo 'exit' $?; exec sleep 60"
    with Terminal(["sh", "-c", command], cleo.environment) as screen:
        screen.shows("through the jump host cleo@")
        screen.shows(r"your password \(First Factor\), then the code from your app \(Second\s+Factor\)")
        screen.answers(f"cleo@{miniature.jump}'s password: $", miniature.password)
        screen.answers(r"First Factor: $", miniature.password)
        screen.answers(r"Second Factor: $", code(miniature.totp_secret, steps=20))
        screen.answers(r"First Factor: $", miniature.password)
        screen.answers(r"Second Factor: $", code(miniature.totp_secret))
        screen.shows("factors: connected as .*12 hours.*Tuesdays 08:00 to 10:00")
        screen.shows("exit 0")
        screen.presses("\x03")
        screen.ends()
    assert run_there(cleo, "factors", "echo $SSH_CONNECTION").split()[0] == miniature.jump
    assert said_by_sshd([*cleo.ssh_command, "true"]).startswith("kex_exchange_identification")
    assert state_of(cleo, "factors")["hours"] == 12
    assert rookery(cleo, "logout").stdout == "factors: connection closed\n"


def account_inventory(account: Account, name: str) -> Path:
    return account.state / "inventory/host_vars" / f"{name}.yml"


def said_by_sshd(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stderr


def test_a_key_with_a_passphrase_and_a_code(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    dora, secret = someone("codes", "dora"), gates["codes"].miniature.totp_secret
    key = str(dora.state / "id_ed25519")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", key], check=True)
    answer = state_of(dora, "codes")
    assert "has a passphrase" in str(answer["error"])
    assert str(answer["hint"]).startswith("rookery login codes --sandbox")
    with at_terminal(dora, "codes") as screen:
        screen.answers(r"Enter passphrase for key .*: $", "open sesame")
        screen.answers(r"Verification code: $", code(secret))
        screen.shows("codes: connected")
        assert screen.ends() == 0
    assert run_there(dora, "codes", "id -un") == "dora"


def test_the_terminal_is_closed_at_the_prompt(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    emil, password = someone("words", "emil"), gates["words"].miniature.password
    screen = at_terminal(emil, "words")
    screen.shows("password: $")
    assert screen.hangs_up() < 0
    wait_for(lambda: not processes(emil))
    left = Path(emil.environment["XDG_RUNTIME_DIR"], "rookery").iterdir()
    assert {path.suffix for path in left} == {".lock"}
    with at_terminal(emil, "words") as again:
        again.answers("password: $", password)
        again.shows("connected")
        assert again.ends() == 0


def test_ctrl_z_and_ctrl_c_at_the_prompt(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    """Stopped and brought back as any program; Ctrl-C ends it with the exit code that shells give."""
    fay, password = someone("words", "fay"), gates["words"].miniature.password
    shell = {**fay.environment, "PS1": "here> "}
    with Terminal(["bash", "--norc", "--noprofile"], shell) as screen:
        login = f"'{ROOKERY}' login --cluster words --sandbox"
        screen.answers("here> $", login)
        screen.shows("password: $")
        screen.presses_until("\x03", "Stopped. Run the same command to continue.")
        screen.answers("here> $", "echo $((1000 + $?))")
        screen.shows("1130")
        screen.answers("here> $", login)
        screen.shows("password: $")
        screen.presses_until("\x1a", "Stopped .*here> $")
        screen.types("fg")
        screen.answers("password: $", password)
        screen.shows("connected")
        screen.answers("here> $", "exit")
        screen.ends()
    assert run_there(fay, "words", "id -un") == "fay"


def test_two_logins_at_once(gates: dict[str, Live], someone: Callable[[str, str], Account]) -> None:
    gus, password = someone("words", "gus"), gates["words"].miniature.password
    with at_terminal(gus, "words") as first:
        first.shows("password: $")
        with at_terminal(gus, "words") as second:
            second.shows("words: waiting for another login of rookery")
            first.types(password)
            first.shows("connected")
            second.shows("words: connected")
            assert second.ends() == 0
            assert "password:" not in second.seen
        assert first.ends() == 0


def test_a_host_key_that_changed_since_the_last_step(
    gates: dict[str, Live], someone: Callable[[str, str], Account], tmp_path: Path
) -> None:
    """Nothing is asked, so nothing is typed for whoever answers there."""
    hal = someone("words", "hal")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")], check=True)
    other = " ".join((tmp_path / "k.pub").read_text().split()[:2])
    known = hal.state / "known_hosts"
    lines = [f"{line.split()[0]} {other}" for line in known.read_text().splitlines()]
    known.write_text("\n".join(lines) + "\n")
    with at_terminal(hal, "words") as screen:
        screen.shows("words: the host key of .* has changed: .*Nothing was sent")
        assert screen.ends() == 1
        assert "password:" not in screen.seen
    assert gates["words"].miniature.fingerprint in screen.seen.replace("\n", "")


def test_a_miniature_that_runs_is_not_let_in_to_otherwise(gates: dict[str, Live]) -> None:
    words = gates["words"]
    completed = rookery_up(words, "--auth", "key")
    assert completed.returncode == 1
    assert "sandbox.down words" in completed.stderr
    assert words.miniature.password in rookery_up(words, "--auth", "password").stdout
    assert "key+totp" in rookery_up(words, "--auth", "retina").stderr
    assert oct((words.state / "words.json").stat().st_mode & 0o777) == "0o600"


def rookery_up(live: Live, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(ROOKERY), "sandbox.up", "words", *arguments],
        env=live.environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ida(penguins: Live) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    """Somebody whose laptop logs in with a key; runs a command of hers, and is logged out at the end."""
    person = laptop(penguins, "ida")
    yield person
    person.rookery("logout")


def arrange(folder: Path, how: str) -> None:
    """Make ~/.ssh as it is on some laptop."""
    config = folder / "config"
    match how:
        case "link":
            (folder.parent / "elsewhere").mkdir()
            folder.symlink_to("elsewhere")
            config.write_text("Host *\n    Compression yes\n")
        case "wide":
            folder.mkdir(mode=0o777)
            folder.chmod(0o777)
        case "read-only":
            folder.mkdir()
            config.write_text("")
            folder.chmod(0o500)
        case "file":
            folder.write_text("")
        case "dangling":
            folder.mkdir()
            config.symlink_to("nowhere")
        case "anybody":
            folder.mkdir()
            config.write_text("")
            config.chmod(0o666)  # Debian's ssh minds no group that is the person's own
        case "nonsense":
            folder.mkdir()
            config.write_text("Hots penguins\n")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("absent", ""),
        ("link", ""),
        ("wide", ""),
        ("read-only", ""),
        ("file", ""),
        ("dangling", ""),
        ("anybody", "can write to it or own it.\n  next: chmod 600 "),
        ("nonsense", "can't read its configuration: "),
    ],
)
def test_the_ssh_folder_of_some_laptops(ida, how: str, error: str) -> None:
    """No agent is there either."""
    folder = ida.home / ".ssh"
    arrange(folder, how)
    try:
        completed = ida.rookery("login", "--cluster", "penguins")
        assert completed.returncode == bool(error), completed.stderr
        assert error in completed.stderr
        assert error or "connected as ida@" in completed.stdout
    finally:
        ida.rookery("logout")
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
