"""A first result from a cluster that takes a password and a code, and no key, behind a jump host."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from laptops import ROOKERY
from live import Live, home
from typist import Typist

from rookery import profile, sandbox
from rookery.sandbox import auth

pytestmark = pytest.mark.cluster

SAID = {"cluster_logins": ["password+totp"], "cluster_login_prompts": ["First Factor:", "Second Factor:"]}


@pytest.fixture(scope="module")
def vault() -> Iterator[Live]:
    """A miniature like Penguins, let in to that way alone."""
    top = Path(tempfile.mkdtemp(prefix="rk-"))
    environment = home(top / "home")
    inventory = Path(environment["XDG_CONFIG_HOME"]) / "rookery/inventory"
    (inventory / "host_vars").mkdir(parents=True)
    like = {key: value for key, value in profile.load("penguins").data.items() if key.startswith("cluster_")}
    (inventory / "host_vars/vault.yml").write_text(yaml.safe_dump({**like, **SAID}))
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"vault": None}}}))
    with pytest.MonkeyPatch.context() as patch:
        for key in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(key, environment[key])
        entrance = auth.Entrance("password+totp", jump=True)
        one = sandbox.ensure(["vault"], yes=True, offline_mirrors=True, entrance=entrance)[0]
        yield Live(one.user, one.address, one.port, environment, one)
        sandbox.down("all", quiet=True)
    shutil.rmtree(top)


def test_a_first_result_with_password_and_code_through_a_jump_host(vault: Live) -> None:
    one = vault.miniature
    said = ("--project", "codes", "--language", "python", "--name", "Vi", "--email", "vi@example.ac.uk")
    command = [str(ROOKERY), "onboard", "--cluster", "vault", "--sandbox", *said]
    with Typist(command, vault.environment, Path(vault.environment["HOME"])) as screen:
        screen.shows("the miniature has one of its own")
        screen.answers(f"{one.user}@{one.jump}'s password: $", one.password)
        screen.answers(r"First Factor: $", one.password)
        screen.answers(r"Second Factor: $", auth.code(one.totp_secret))
        screen.shows("connected; every step from here on goes through this one connection")
        screen.shows(r"estimate +1,000", 240)
        screen.shows("That is all: your home on vault is ready, and codes has its first result")
        assert screen.ends() == 0
        assert screen.seen.count("Factor:") == 2  # each is asked for once
