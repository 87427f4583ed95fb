"""What the command line means: short forms, words in the place of options, and the help."""

import inspect
import re
import shlex
from dataclasses import MISSING
from typing import Any

import pytest

from rookery.cli import commands, guesses, help, program  # noqa: A004
from rookery.cli.command import LETTERS
from rookery.cli.lean_invoke import Collection
from rookery.core.options import Options
from rookery.projects import target

ALL = {name: options for group in commands.by_title().values() for name, options in group}

FUNCTIONS = {
    inspect.getclosurevars(task.body).nonlocals["function"]
    for task in (*commands.COMMANDS, *(task for group in commands.GROUPS.values() for task in group))
}
"""MODULE:FUNCTION of each command."""

CONTEXTS = program.namespace().to_contexts()
"""What the parser knows of each command. It copies what it fills in, so that all tests can have the same."""


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Collection, "to_contexts", lambda *_, **__: CONTEXTS)


CHANGES = {
    "onboard", "setup", "undo", "new", "deploy", "submit", "cancel", "fetch", "combine", "render", "cohort",
    "clusters.guide", "sandbox.up", "sandbox.down", "vscode.prune", "vscode.settings", "ssh.config",
}  # fmt: skip
"""The commands that change something, on a cluster or here. Those that open a connection or a session are none, nor is
`lint`, which changes nothing without `--fix`."""


def read(line: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The options that a command gets for a command line."""
    return read_words(line.split(), monkeypatch)


def read_words(words: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same for its words."""
    given: list[Options] = []
    options = ALL.get(words[0]) or ALL[".".join(words[:2])]
    monkeypatch.setattr("rookery.cli.command.guarded", lambda carry_out: carry_out() or 0)
    monkeypatch.setattr("rookery.jobs.submit.request.check_names", lambda _: None)  # which needs a project
    for function in FUNCTIONS:
        monkeypatch.setattr(function.replace(":", "."), given.append)
    program.program().run(["rookery", *words], exit=False)
    assert all(isinstance(each, options) for each in given)
    return given[0] if len(given) == 1 else given


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("lint a.sh b.sh", ("a.sh", "b.sh")),
        ("lint -c hec -- -a.sh b.sh --fix", ("./-a.sh", "b.sh", "./--fix")),
        ("lint a.sh --", ("a.sh",)),
    ],
)
def test_files_whose_names_begin_with_a_dash(
    line: str, files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = read(line, monkeypatch)
    assert (options.files, options.fix) == (files, False)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("setup penguins", "cluster", "penguins"),
        ("setup penguins hec", "cluster", "penguins,hec"),
        ("setup penguins,hec --check", "cluster", "penguins,hec"),
        ("setup --cluster penguins --cluster hec", "cluster", "penguins,hec"),
        ("setup -c hec", "cluster", "hec"),
        ("setup --check hec", "cluster", "hec"),
        ("doctor hec", "cluster", "hec"),
        ("doctor --report hec --sandbox", "cluster", "hec"),
        ("doctor --report hec --sandbox", "report", True),
        ("doctor --report hec,bede", "cluster", "hec,bede"),
        ("doctor --report all", "report", True),
        ("doctor --report --sandbox", "report", True),
        ("doctor --report ada.txt hec", "report", "ada.txt"),
        ("doctor --report ada.txt hec", "cluster", "hec"),
        ("doctor --report=hec", "report", "hec"),
        ("code --gpu hec", "gpu", True),
        ("code --gpu a100", "gpu", "a100"),
        ("undo penguins", "cluster", "penguins"),
        ("undo --yes --check penguins", "cluster", "penguins"),
        ("queue hec", "cluster", "hec"),
        ("status", "cluster", "all"),
        ("status hec", "cluster", "hec"),
        ("cancel 41 42", "job", "41,42"),
        ("cancel 41,42", "job", "41,42"),
        ("jobs 41 42", "job", "41,42"),
        ("lint a.sh b.sh", "files", ("a.sh", "b.sh")),
        ("lint --fix a.sh", "files", ("a.sh",)),
        ("lint", "files", ()),
        ("new x --language R", "language", "r"),
        ("new x --language Python", "language", "python"),
        ("sandbox up hec", "cluster", "hec"),
        ("setup -v -v hec", "verbose", 2),
        ("deploy hec", "cluster", "hec"),
        ("submit simulate --after 41 --after first", "after", ("41", "first")),
    ],
)
def test_words_and_options_mean_the_same(line: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert getattr(read(line, monkeypatch), name) == value


def test_several_jobs_are_submitted_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.job for each in read("submit first second", monkeypatch)] == ["first", "second"]


def test_a_letter_means_the_same_everywhere_and_sandbox_has_none() -> None:
    assert LETTERS == {"cluster": "c", "follow": "f", "json": "j", "project": "p", "verbose": "v", "yes": "y"}
    for context in CONTEXTS:
        shorts = {(context.flags[flag].name, flag[1]) for flag in context.flag_names() if len(flag) == 2}
        assert shorts == {(name, letter) for name, letter in LETTERS.items() if f"--{name}" in context.flags}


OTHERWISE = {
    *((command, "job") for command in ("code", "clusters.add", "clusters.check", "clusters.update")),
    ("sandbox.up", "jump"),
    ("top", "failed"),
}
"""Options without a value that have one in other commands: a job that is meant, or a host, or whose failed tasks."""


def test_an_option_has_one_name_and_one_meaning() -> None:
    """Options of the same name take a value everywhere, or nowhere; but for OTHERWISE, and --gpu with its type."""
    kinds: dict[str, set[bool]] = {}
    for command, options in ALL.items():
        for name, flag in options.flags().items():
            if name != "gpu" and (command, name) not in OTHERWISE:
                kinds.setdefault(name, set()).add(isinstance(flag.default, bool))
    assert {name for name, takes_none in kinds.items() if len(takes_none) > 1} == set()


def changed(options: type[Options]) -> Any:
    """Options with another value for each."""
    given: dict[str, Any] = {}
    for key, flag in options.flags().items():
        if isinstance(flag.default, bool):
            given[key] = not flag.default
        elif isinstance(flag.default, int):
            given[key] = 2
        elif flag.metadata["iterable"]:
            given[key] = ("a b", "c")
        else:
            given[key] = flag.metadata["choices"][0] if flag.metadata["choices"] else "x'y z"
    return options(**given)


@pytest.mark.parametrize("name", sorted(ALL))
def test_options_and_the_command_line_that_means_them_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    required = {key: "x" for key, flag in ALL[name].flags().items() if flag.default is MISSING}
    for given in (changed(ALL[name]), ALL[name](**required)):
        assert read_words(shlex.split(given.command(name))[1:], monkeypatch) == given


def test_the_commands_of_a_project_are_those_that_take_one() -> None:
    takes = {name for name, options in ALL.items() if "project" in options.flags()}
    assert {*target.IN_PROJECTS, "onboard"} == takes  # which makes one


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_changes_something_has_check(name: str) -> None:
    assert "check" in ALL[name].flags()


def test_guesses_lead_to_commands_and_options_that_exist_and_hide_none() -> None:
    options = {f"--{key.rstrip('_').replace('_', '-')}" for each in ALL.values() for key in each.flags()}
    assert set(guesses.COMMANDS.values()) <= {*ALL, "clusters"}
    assert not set(guesses.COMMANDS) & set(ALL)
    assert set(guesses.OPTIONS.values()) <= options


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_page_of_help(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """First what it does, in under 60 characters; then all within 80 columns; examples that can be read."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.argv", ["rookery"])
    page = help.page(name, ALL[name])
    summary = (ALL[name].__doc__ or "").partition("\n")[0]
    assert len(summary) < 60
    assert page.startswith(f"Usage: rookery {name.removesuffix('.start')}")
    assert all(len(line) <= 80 for line in page.splitlines() if "--accept-host-key" not in line)
    assert not re.search(r"\binvoke\b", page)
    contexts = {context.name: context for context in CONTEXTS}
    for example in ALL[name].examples:
        assert example.split()[0] in {name, name.partition(".")[0]}
        own = example.partition(" -- ")[0]  # what comes behind is another command
        options = {word.partition("=")[0] for word in own.split() if word.startswith("-")}
        assert options <= set(contexts[name].flags)


def test_each_command_is_listed_once() -> None:
    names = [name for group in commands.by_title().values() for name, _ in group]
    assert len(names) == len(set(names))
    assert set(names) == set(program.namespace().task_names)


def test_help_as_a_word_and_as_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for line in ("submit --help", "submit -h", "help submit", "--help submit", "submit simulate --wait --help"):
        program.program().run(["rookery", *line.split()], exit=False)
        texts.append(capsys.readouterr().out)
    assert len(set(texts)) == 1
    for line in ("", "--help", "-h", "help", "--list"):
        program.program().run(["rookery", *line.split()], exit=False)
        assert capsys.readouterr().out == texts.append(help.overview(commands.by_title())) or True
    assert len({*texts[5:]}) == 1
