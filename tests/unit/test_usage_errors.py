"""Command lines that can't be read, and output that nobody reads."""

from pathlib import Path

import pytest
from user_home import at_home, own_inventory

from rookery.cli import program as cli


def answer(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command line that can't be read is answered with."""
    monkeypatch.setattr("sys.argv", ["rookery"])
    cli.program().run(["rookery", *line.split()], exit=False)
    output = capsys.readouterr()
    assert not output.out
    return output.err


@pytest.mark.parametrize(
    ("line", "says", "following"),
    [
        ("nwe x", "Unknown command 'nwe' (did you mean new?).", "rookery new x"),
        ("data pish raw", "Unknown command 'data pish' (did you mean data.push?).", "rookery data.push raw"),
        ("data raw", "Unknown command 'data raw'.", "rookery data --help"),
        ("sandbx.up hec", "Unknown command 'sandbx.up' (did you mean sandbox.up?).", "rookery sandbox.up hec"),
        ("frobnicate", "Unknown command 'frobnicate'.", "rookery --help"),
        ("--frobnicate", "Unknown option --frobnicate.", "rookery --help"),
        (
            "setup --clutser hec",
            "Unknown option --clutser of setup (did you mean --cluster?).",
            "rookery setup --cluster hec",
        ),
        (
            "setup --clutser=hec",
            "Unknown option --clutser of setup (did you mean --cluster?).",
            "rookery setup --cluster=hec",
        ),
        ("setup -z", "Unknown option -z of setup.", "rookery setup --help"),
        ("--cluster hec setup", "Option --cluster belongs after the command.", "rookery setup --cluster hec"),
        ("docs status queue", "Unexpected argument 'queue' of docs.", "rookery docs --help"),
        ("tmux hec again", "Unexpected argument 'again' of tmux.", "rookery tmux --help"),
        ("setup --cluster", "Option --cluster needs a value.", "rookery setup --help"),
        ("login --accept-host-key", "Option --accept-host-key needs a value.", "rookery login --help"),
        ("setup --check=yes", "Option --check takes no value.", "rookery setup --help"),
        ("jobs --days abc", "Option --days must be a whole number, not 'abc'.", "rookery jobs --help"),
        ("shell --cpus two", "Option --cpus must be a whole number, not 'two'.", "rookery shell --help"),
        ("new x --language java", "Option --language must be python or r, not 'java'.", "rookery new --help"),
        ("new x --track excel", "Option --track must be mlflow or wandb, not 'excel'.", "rookery new --help"),
        ("profile fit --with", "Option --with needs a value.", "rookery profile --help"),
        ("new", "Missing argument NAME.", "rookery new --help"),
        ("jobs bede -c hec", "bede is a cluster, not a job number.", "rookery jobs --cluster bede"),
        ("logs 4 -c hec,bede", "This command takes one cluster.", "rookery logs 4 --cluster hec"),
        ("cancel 41 hec --sandbox", "hec is a cluster, not a job number.", "rookery cancel 41 --sandbox --cluster hec"),
        ("jobs --days 0", "--days must be at least 1.", "rookery jobs --days 1"),
        ("undo --cluster --dry-run --sandbox", "Option --cluster needs a value.", "rookery undo --help"),
        ("cancel 41 --cluster -y", "Option --cluster needs a value.", "rookery cancel --help"),
        ("submit a -V", "Unknown option -V of submit.", "rookery submit --help"),
        ("deploy -l", "Unknown option -l of deploy.", "rookery deploy --help"),
        ("--print-completion-script bash", "Unknown option --print-completion-script.", "rookery --help"),
        ("--write-pyc setup penguins", "Unknown option --write-pyc.", "rookery --help"),
        ("cancel", "Missing argument NUMBER.", "rookery cancel --help"),
        ("undo --yes", "Missing argument CLUSTER.", "rookery undo --help"),
    ],
)
def test_what_is_wrong_and_what_to_run_next(
    line: str, says: str, following: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(line, capsys, monkeypatch) == f"{says}\n  next: {following}\n"


@pytest.mark.parametrize("dry", ["--dry", "--dry-run", "-n"])
@pytest.mark.parametrize("line", ["undo hec --sandbox {}", "{} undo hec --sandbox", "undo {} hec --sandbox"])
def test_a_dry_run_is_a_check_and_nothing_is_done(
    line: str, dry: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = answer(line.format(dry), capsys, monkeypatch)
    assert text.startswith(f"Unknown option {dry} of undo (did you mean --check?).\n  next: rookery undo ")
    assert sorted(text.partition("next: rookery ")[2].split()) == ["--check", "--sandbox", "hec", "undo"]


@pytest.mark.parametrize(
    "option", ["-R", "-e", "-D 1", "-w", "-T 3", "--echo", "--hide=x", "--prompt-for-sudo-password", "--list-depth=1"]
)
def test_options_of_invoke_that_do_nothing_here_are_unknown(
    option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(f"{option} clusters", capsys, monkeypatch).startswith("Unknown option ")


@pytest.mark.parametrize(
    ("guess", "name"),
    [
        ("stop 41", "cancel 41"),
        ("kill 41", "cancel 41"),
        ("sbatch a.sh", "submit a.sh"),
        ("pull", "fetch"),
        ("download", "fetch"),
        ("squeue", "jobs"),
    ],
)
def test_a_common_guess_is_answered_with_the_right_name(
    guess: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(guess, capsys, monkeypatch).endswith(
        f"(did you mean {name.split(maxsplit=1)[0]}?).\n  next: rookery {name}\n"
    )


@pytest.mark.parametrize("option", ["--check", "--check=yes", "-x"])
def test_an_option_is_not_taken_for_the_value_that_another_may_have(
    option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    text = answer(f"doctor --report {option}", capsys, monkeypatch)
    assert text.startswith(f"Unknown option {option.partition('=')[0]} of doctor")
    assert not list(tmp_path.iterdir())


def test_a_cluster_is_not_taken_for_the_value_of_an_option_where_no_inventory_can_be_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_inventory(at_home(tmp_path, monkeypatch), "hosts.yml", "all: [\n")
    monkeypatch.chdir(tmp_path)
    answer("doctor --report hec --check", capsys, monkeypatch)
    cli.program().run(["rookery", "doctor", "--report", "hec"], exit=False)
    assert not (tmp_path / "hec").exists()
    assert (tmp_path / "rookery-report.txt").is_file()
