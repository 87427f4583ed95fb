"""All problems of a file in one error: rookery.yml, a profile, the settings of roles, a list of students."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from user_home import at_home, own_inventory

from rookery.clusters.config import profile
from rookery.core.errors import RookeryError
from rookery.core.file_problems import MOST, Complaint, FileProblem, FileProblems, FileProblemsError
from rookery.core.near_names import closest, either
from rookery.core.yaml_document import Document
from rookery.projects import config, config_schema
from rookery.support.cohort import cohort_file

FILE = Document(Path("a.yml"), {}, {("a",): 3, ("b",): 7, ("b", "c"): 9})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path / "home", monkeypatch)


def error_of(*complaints: Complaint) -> FileProblemsError:
    problems = FileProblems()
    for complaint in complaints:
        problems.add(FILE, complaint)
    with pytest.raises(FileProblemsError) as caught:
        problems.report()
    return caught.value


def test_problems_come_by_their_line_and_one_hint_names_the_lines() -> None:
    error = error_of(Complaint(("b", "c"), "third"), Complaint(("a",), "first"), Complaint(("b", "d"), "second"))
    assert error.message == "a.yml:3: first\na.yml:7: second\na.yml:9: third"
    assert error.hint == "edit lines 3, 7 and 9 of a.yml, then run the command again"
    assert error_of(Complaint(("a",), "x")).hint == "edit line 3 of a.yml, then run the command again"


def test_of_a_value_that_can_not_be_used_nothing_else_is_said() -> None:
    error = error_of(Complaint(("b",), "type"), Complaint(("b", "c"), "inside"), Complaint(("b",), "again"))
    assert error.message == "a.yml:7: type"
    error = error_of(Complaint(("b",), "unknown key", usable=True), Complaint(("b",), "type"))
    assert error.message == "a.yml:7: unknown key\na.yml:7: type"


def test_what_a_value_holds_is_kept_but_for_what_can_not_be_used() -> None:
    problems = FileProblems()
    problems.add(FILE, Complaint(("b", "c"), "wrong"))
    problems.add(FILE, Complaint(("a",), "twice", usable=True))
    assert problems.sound(FILE, {"a": 1, "b": {"c": 2, "d": [3]}}) == {"a": 1, "b": {"c": None, "d": [3]}}


def test_secrets_and_control_characters_are_not_shown() -> None:
    assert error_of(Complaint(("a",), "no: token=abc \x1b[31m")).message == "a.yml:3: no: token=(hidden) ?[31m"


def test_more_than_anybody_reads_are_counted() -> None:
    error = error_of(*(Complaint(("a",), f"number {number}", usable=True) for number in range(MOST + 2)))
    assert error.message.splitlines()[-1] == "2 more problems"
    assert len(error.message.splitlines()) == MOST + 1


def test_a_hint_that_all_problems_have_is_the_one_given() -> None:
    problems = FileProblems()
    problems.add(FILE, Complaint(("a",), "x"), hint="invoke setup hec")
    others = FileProblems()
    with others.noting():
        problems.report()
    with pytest.raises(FileProblemsError) as caught:
        others.report()
    assert (caught.value.message, caught.value.hint) == ("a.yml:3: x", "invoke setup hec")


JOB_KEYS = list(json.loads(config_schema.file().read_text())["$defs"]["job"]["properties"])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("comand", "command"),
        ("cmd", "command"),
        ("mem", "memory"),
        ("walltime", "time"),
        ("wall-time", "time"),
        ("queue", "partition"),
        ("gpu", "gpus"),
        ("env", "environment"),
        ("cpu", "cpus"),
        ("cores", "cpus"),
        ("outputs", "output"),
        ("cluster", "clusters"),
        ("module", "modules"),
        ("Time", "time"),
        ("email", "mail"),
        ("depends_on", "after"),
        ("qwertyuiop", ""),
    ],
)
def test_the_key_that_was_meant(word: str, meant: str) -> None:
    assert closest(word, JOB_KEYS) == meant


@pytest.mark.parametrize(("word", "meant"), [("cluster", "clusters"), ("output", "outputs"), ("job", "jobs")])
def test_singular_for_plural_at_the_top(word: str, meant: str) -> None:
    assert closest(word, ["name", "clusters", "environment", "outputs", "jobs"]) == meant


def refusal(read: Callable[[], object]) -> list[tuple[int, str]]:
    """The lines and texts of a refusal, whose hint names the same lines, or is the command for the only problem."""
    with pytest.raises(FileProblemsError) as caught:
        read()
    error = caught.value
    found = [(problem.line, problem.text) for problem in error.problems]
    assert found == sorted(found, key=lambda entry: entry[0])
    assert len(error.message.splitlines()) == len(found)
    named = [int(number) for number in re.findall(r"\d+", str(error.hint).partition(" of ")[0])]
    assert named == sorted({line for line, _ in found}) or (len(found) == 1 and str(error.hint).startswith("invoke "))
    return found


def marked(text: str) -> tuple[str, list[tuple[int, str]]]:
    """A file's text, and what is expected of it: each line says so behind its `#!`, with `;` between several."""
    expected = [
        (number, what.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for what in line.partition("#!")[2].split(";")
        if what.strip()
    ]
    return "".join(line.partition("#!")[0].rstrip() + "\n" for line in text.splitlines()), expected


def is_told(found: Sequence[tuple[int, str]], expected: Sequence[tuple[int, str]]) -> None:
    """All that is expected was found and nothing else, in the order of the lines."""
    assert [line for line, _ in found] == [line for line, _ in expected], found
    for (_, text), (line, wanted) in zip(sorted(found), sorted(expected), strict=True):
        assert text.startswith(wanted), (line, text, wanted)


PROJECT = """\
name: penguin survival    #! `name` must be letters
cluster: [penguins, hec]  #! unknown key `cluster` (did you mean `clusters`?)
output: [logs, /data]     #! unknown key `output` (did you mean `outputs`? `output` belongs in a job); output '/data'
environment:
  python: condo           #! `python` must be one of uv, poetry, venv, conda, none, not 'condo' (did you mean `conda`?)
  jula: none              #! unknown key `jula`
cpus: 4                   #! unknown key `cpus` (it belongs in a job)
jobs:
  simulate:
    cmd: python a.py      #! unknown key `cmd` (did you mean `command`?)
    cpus: two             #! `cpus` must be a whole number, not 'two'
    array: 1-3
    grid: {a: [1]}        #! use either grid or array: each defines the tasks
    walltime: 00:00:00    #! `time` must be longer than 0; unknown key `walltime` (did you mean `time`?)
    after: [combin]       #! unknown job 'combin' (did you mean `combine`?)
    only: [hecc]          #! 'hecc' is not one of the project's clusters (did you mean `hec`?)
  combine:                #! missing key `command` (what the job runs)
    cpus: 1
    cpus: 2               #! `cpus` is set twice (first on line 18)
    rows: 5               #! `rows` must be a list, not 5
    clusters:
      hec:
        array: 9-1        #! `array` must have ascending ranges
        only: [hec]       #! `only` can only be used in the job itself
  nothing:                #! `nothing` has no value
"""


def test_a_rookery_yml_is_told_whole(home: Path) -> None:
    text, expected = marked(PROJECT)
    (home.parent / "rookery.yml").write_text(text)
    is_told(refusal(config.load), expected)


def test_a_wrong_value_is_not_taken_for_a_missing_one(home: Path) -> None:
    text = "name: x\nclusters: [hec]\njobs:\n  j:\n    command: []\n    rows: 5\n    chunk: 2\n"
    (home.parent / "rookery.yml").write_text(text)
    is_told(refusal(config.load), [(5, "`command` must be text, not a list"), (6, "`rows` must be a list, not 5")])


PROFILE = """\
cluster_hosts: a b            #! `cluster_host` must be a host name; unknown key `cluster_hosts` (did you mean
cluster_port: 22a             #! `cluster_port` must be a whole number, not '22a'
cluster_user: my name         #! `cluster_user` must be a username, not 'my name'
cluster_scheduler: pbs        #! `cluster_scheduler` must be one of slurm, none, not 'pbs'
cluster_title: a
cluster_title: b              #! `cluster_title` is set twice (first on line 5)
cluster_system_python: 3.10   #! `cluster_system_python` must be text, not 3.1 (write it in quotes: "3.1")
cluster_roomy_storage: project    #! `cluster_roomy_storage` must be a name in `cluster_storage` (home, scratch)
cluster_storage:
  - {name: home, expression: $HOME, variable: $X}       #! `variable` must be the name of a variable
  - {name: scratch, expression: /s, purge_days: nine}    #! `purge_days` must be a whole number
cluster_partitions:
  - name: serial
    max_minutes: 5h           #! `max_minutes` must be a whole number, not '5h'
  - for: gpu                  #! missing key `name`
cluster_default_partition: x
cluster_vpn: {need: sometimes}    #! unknown key `need` (did you mean `needed`?); `need` must be one of
cluster_verified_on: May      #! `cluster_verified_on` must be a date
cluster_source_url: https://example.org
cluster_mirrors: {pypi: http://x.org}    #! `pypi` must begin with https://
cluster_proxy: http://me:secret@x.org    #! `cluster_proxy` must look like "http://proxy.example.ac.uk:3128"
"""


def test_a_profile_is_told_whole(home: Path) -> None:
    text, expected = marked(PROFILE)
    own_inventory(home, "hosts.yml", "all: {hosts: {one: }}\n")
    own_inventory(home, "host_vars/one.yml", text)
    is_told(refusal(lambda: profile.load("one")), expected)


SETTINGS = """\
cluster_user: my name         #! `cluster_user` must be a username
cluster_prot: 2222            #! unknown key `cluster_prot` (did you mean `cluster_port`?)
r_package: [zoo]              #! unknown key `r_package` (did you mean `r_packages`?)
tmux_history_lines: many      #! `tmux_history_lines` must be a whole number, not 'many'
python_build: perhaps         #! `python_build` must be true or false, not 'perhaps'
ansible_connection: local     #! `ansible_connection` is not allowed
favourite: tea
favourite: "{{ coffee }}"     #! `favourite` must be a plain value; `favourite` is set twice (first on line 7)
shell_also: [bash, zhs]       #! `shell_also[1]` must be one of bash, zsh, fish, tcsh, not 'zhs' (did you mean `zsh`?)
7: seven                      #! 7 can't be the name of a setting
"""


def test_the_settings_of_a_person_are_told_whole(home: Path) -> None:
    text, expected = marked(SETTINGS)
    own_inventory(home, "host_vars/hec.yml", text)
    is_told(refusal(lambda: profile.load("hec")), expected)


def test_problems_in_two_files_are_told_together(home: Path) -> None:
    hosts, own = "~/.config/rookery/inventory/hosts.yml", "~/.config/rookery/inventory/host_vars/hec.yml"
    own_inventory(home, "hosts.yml", "all:\n  host: {hec: }\n  vars: 5\n  hosts: {a b: }\n")
    own_inventory(home, "host_vars/hec.yml", "cluster_port: 22a\n")
    with pytest.raises(RookeryError) as caught:
        profile.load("hec")
    assert caught.value.message.splitlines() == [
        f"{hosts}:2: unknown key `host` (did you mean `hosts`?)",
        f"{hosts}:3: `vars` must be lines of `key: value`, not 5",
        f"{hosts}:4: 'a b' can't be the name of a host or a group: use letters, digits, dots, dashes and _",
        f"{own}:1: `cluster_port` must be a whole number, not '22a'",
    ]
    ends = f"edit lines 2, 3 and 4 of {hosts}, and edit line 1 of {own}, then run the command again"
    assert caught.value.hint == ends


def test_a_list_of_partitions_that_lacks_some_is_what_is_wrong(home: Path) -> None:
    file = "~/.config/rookery/inventory/host_vars/hec.yml"
    own_inventory(home, "host_vars/hec.yml", "cluster_user: me\ncluster_partitions: [{name: serial}]\n")
    with pytest.raises(RookeryError) as caught:
        profile.load("hec")
    assert caught.value.message.startswith(f"{file}:2: `cluster_partitions` must have parallel, ")
    assert "\n" not in caught.value.message


STUDENTS = """\
- name: Ada
  email: ada                  #! `email` must be one email address, not 'ada'
  cluster: [hec, penguin]     #! unknown cluster 'penguin'; unknown key `cluster` (did you mean `clusters`?)
  project: -rf                #! `project` must be letters
  lang: python                #! unknown key `lang` (did you mean `language`?)
  password: hunter2           #! `password` is not allowed
- name: Grace                 #! missing key `project`
  email: g@x.org
  clusters: [hec, hec]        #! `clusters` lists 'hec' twice
  language: perl              #! `language` must be one of python, r, not 'perl'
- just text                   #! `students[2]` must be a student
- name: Tom
  email: G@x.org              #! 'G@x.org' is also the address of another student (line 8)
  clusters: nix               #! unknown cluster 'nix' (known clusters: penguins, hec)
  project: p
  language: r
  name: Tim                   #! `name` is set twice (first on line 12)
"""


def test_a_list_of_students_is_told_whole(home: Path) -> None:
    text, expected = marked(STUDENTS)
    file = home.parent / "students.yml"
    file.write_text(text)
    found = refusal(lambda: cohort_file.load(file, ("penguins", "hec")))
    is_told(found, expected)
    assert "hunter2" not in str(found)


LINES_OF_A_JOB = {
    "cpus: two": "`cpus` must be a whole number, not 'two'",
    "mem: 1G": "unknown key `mem` (did you mean `memory`?)",
    "time: soon": "`time` must be HH:MM:SS",
    "nodes: 0": "`nodes` must be 1 or more, not 0",
    "modules: [R, R]": "`modules` lists 'R' twice",
    "gpu_type: v100": "`gpu_type` needs `gpus`",
    "mail: me": "`mail` must be one email address, not 'me'",
    "partition: [a]": "`partition` must be the name of a partition, not a list",
    "after: [nobody]": "unknown job 'nobody'",
    "only: [hex]": "'hex' is not one of the project's clusters",
    "max_running: 5": "`max_running` needs an array",
    "environment: {1A: x}": "'1A' can't be the name of an environment variable",
    "sbatch: nice": "`sbatch` must be an sbatch option",
    "qwertyuiop: 1": "unknown key `qwertyuiop`",
    "qos:": "`qos` has no value",
    "error: ~/x": "`error` must be a path on one line",
}
LINES_OF_SETTINGS = {
    "cluster_port: 0": "`cluster_port` must be between 1 and 65535, not 0",
    "cluster_user: -l": "`cluster_user` must be a username",
    "cluster_titel: x": "unknown key `cluster_titel` (did you mean `cluster_title`?)",
    "cluster_identity_file: id": "`cluster_identity_file` must be a path",
    "cluster_logins: [keys]": "`cluster_logins[0]` must be one of",
    "cluster_moved_folders: [/tmp]": "`cluster_moved_folders[0]` must be a folder of the home",
    "cluster_default_partition: nix": "`cluster_default_partition` must be a name in `cluster_partitions`",
    "cluster_system_r: 4.3": "`cluster_system_r` must be text, not 4.3",
    "cluster_docs_url:": "`cluster_docs_url` has no value",
    "r_packages: [[x]]": "`r_packages[0]` must be text, not a list",
    "tmux_history_line: 5": "unknown key `tmux_history_line`",
    "ansible_user: root": "`ansible_user` is not allowed",
    "mine: '{{ x }}'": "`mine` must be a plain value",
}
LINES_OF_A_STUDENT = {
    "user: a b": "`user` must be a username",
    "account: $(id)": "`account` must be an account's name",
    "supervisor:": "`supervisor` has no value",
    "token: abc": "`token` is not allowed",
    "nme: x": "unknown key `nme` (did you mean `name`?)",
    "qwertyuiop: x": "unknown key `qwertyuiop`",
}
HEADS = {
    "project": ("name: x\nclusters: [hec]\njobs:\n  j:\n    command: x\n", "    "),
    "settings": ("---\n", ""),
    "students": ("- name: Ada\n  email: a@x.org\n  clusters: hec\n  project: p\n  language: r\n", "  "),
}


def in_any_order(lines: dict[str, str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.sampled_from(sorted(lines.items())), min_size=1, unique_by=lambda entry: entry[0])


ANY = st.one_of(
    st.tuples(st.just("project"), in_any_order(LINES_OF_A_JOB)),
    st.tuples(st.just("settings"), in_any_order(LINES_OF_SETTINGS)),
    st.tuples(st.just("students"), in_any_order(LINES_OF_A_STUDENT)),
)


@given(drawn=ANY)
def test_each_problem_is_told_whatever_the_others_are(home: Path, drawn: tuple[str, list[tuple[str, str]]]) -> None:
    kind, chosen = drawn
    head, indent = HEADS[kind]
    text = head + "".join(f"{indent}{line}\n" for line, _ in chosen)
    expected = [(head.count("\n") + number, wanted) for number, (_, wanted) in enumerate(chosen, 1)]
    if kind == "settings":
        own_inventory(home, "host_vars/hec.yml", text)
        found = refusal(lambda: profile.load("hec", for_setup=True))
    else:
        file = home.parent / ("rookery.yml" if kind == "project" else "students.yml")
        file.write_text(text)
        found = refusal(config.load if kind == "project" else lambda: cohort_file.load(file, ("penguins", "hec")))
    is_told(found, expected)


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")])
def test_alternatives_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert either(names) == text


def test_a_path_with_blanks_is_named_without_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    error = FileProblemsError([FileProblem(tmp_path / "my thesis's/rookery.yml", 4, "unknown key `x`")])
    assert error.message == "~/my thesis's/rookery.yml:4: unknown key `x`"
    assert error.hint == "edit line 4 of ~/my thesis's/rookery.yml, then run the command again"
