"""Drop-ins in every shell that a student may have: any value comes through, silently, as sh and bash in tests/unit."""

import base64

import pytest
from drop_ins import (
    FOLDERS,
    SHELLS,
    START,
    VALUES,
    Reader,
    Shell,
    check_architecture,
    check_defaults,
    check_path,
    check_values,
)
from hypothesis import HealthCheck, given, settings
from live import Live

pytestmark = pytest.mark.cluster

NAMES = ["dash", "zsh", "fish", "tcsh"]
every = pytest.mark.parametrize("shell", [SHELLS[name] for name in NAMES], ids=NAMES)

# Everything goes there and comes back as base64: bytes stay as they are.
CARRY_OUT = """
cd "$(mktemp -d)"
printf %s "$1" | base64 -d >drop-in
printf %s "$2" >script
shift 2
exec env -i "$@"
"""


@pytest.fixture
def read(penguins: Live) -> Reader:
    def environment_after(shell: Shell, text: str, times: int) -> dict[str, str]:
        word = "." if shell.form == "sh" else "source"
        script = f"{word} ./drop-in\n" * times + "env -0 | base64\n"
        start = [f"{key}={value}" for key, value in START.items()]
        packed = base64.b64encode(text.encode()).decode()
        argv = ["sh", "-euc", CARRY_OUT, "sh", packed, script, *start, *shell.argv, "script"]
        completed = penguins.root_run(argv, check=False)
        assert (completed.returncode, completed.stderr) == (0, "")
        variables = base64.b64decode(completed.stdout.replace("\n", ""), validate=True).decode()
        return dict(line.split("=", 1) for line in variables.split("\0")[:-1])

    return environment_after


@pytest.fixture(scope="module")
def foreign(penguins: Live) -> str:
    """A folder of somebody else's there; FOLDERS are made as root's own."""
    penguins.root_run(["mkdir", "-p", "--", *FOLDERS])
    penguins.root_run(["install", "-d", "-o", "student", "/foreign"])
    return "/foreign"


@every
@given(values=VALUES)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_value_comes_through(read: Reader, shell: Shell, values: list[str]) -> None:
    check_values(read, shell, values)


@every
def test_folders_come_to_the_front_of_path_once(read: Reader, shell: Shell, foreign: str) -> None:
    check_path(read, shell, FOLDERS, foreign)


@every
@pytest.mark.parametrize("is_this", [True, False])
def test_other_architectures_are_left_alone(read: Reader, shell: Shell, foreign: str, is_this: bool) -> None:
    assert foreign
    check_architecture(read, shell, FOLDERS, is_this=is_this)


@every
def test_a_default_stands_back_for_what_the_site_has_set(read: Reader, shell: Shell) -> None:
    check_defaults(read, shell)
