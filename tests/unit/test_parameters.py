"""Parameters: every value reaches the program exactly, and a table that is none is refused with its line."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import cluster, known, project
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.scripts import job_script, parameters
from rookery.projects.scripts.command_line import fill, quoted
from rookery.projects.source_tree import Folder

AWKWARD = (
    "plain",
    "",
    "two words",
    " ",
    "-x",
    "--",
    "it's",
    'say "hi"',
    "$HOME",
    "`id`",
    "$(id)",
    "a\nb\n",
    "\t\r",
    "back\\slash",
    "\\n",
    "*",
    "~",
    "{task}",
    "#no comment",
    "!history",
    "pingüin 企鵝",
    "a;b|c&d>e",
    "\x01\x7f",
    "'\n'",
    "0.10",
)
TEXTS = st.one_of(
    st.sampled_from(AWKWARD), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is set up as far as a job script looks."""
    made = at_home(tmp_path / "home", monkeypatch)
    (made / ".config/rookery").mkdir(parents=True)
    (made / ".config/rookery/env.sh").write_text("export FROM_SETUP=yes\n")
    return made


def written(folder: Path, rows: Sequence[Sequence[str]]) -> None:
    with (folder / "p.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


def rendered(folder: Path, job: str, site: Cluster | None = None) -> job_script.JobScript:
    """The script of job j, laid out as in a release."""
    project(folder, job, "name: x\nclusters: [here]\n")
    loaded = config.load(folder)
    made = job_script.script(loaded, config.job(loaded, "j", "here"), site or cluster())
    (folder / "slurm").mkdir(exist_ok=True)
    for path, text in {made.path: made.text, **made.files}.items():
        (folder / path).write_text(text, encoding="utf-8")
    return made


def refused(folder: Path, name: str, content: str | bytes) -> str:
    """What is said of a file of parameters that can't be used."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RookeryError) as caught:
        rendered(folder, f"j: {{template: sweep, command: x, params: {name}}}")
    return caught.value.message


def run(folder: Path, task: int) -> "subprocess.CompletedProcess[bytes]":
    """Run the script as Slurm would for one task."""
    variables = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_CPUS_PER_TASK": "2"}
    return subprocess.run(
        ["bash", "slurm/j.sh"],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        timeout=120,
    )


@settings(max_examples=10)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=2))
def test_a_row_reaches_the_program_exactly(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    table = parameters.Table(("one", "two"), tuple(rows))
    command = 'eval "set -- $(sed --quiet "$1{p;q}" rows)"; printf "%s\\0" "$@"'
    (tmp_path / "rows").write_text(table.lines(), encoding="utf-8")
    for number, row in enumerate(rows, 1):
        completed = subprocess.run(
            ["bash", "-c", command, "x", str(number)], cwd=tmp_path, capture_output=True, check=True
        )
        assert completed.stdout.decode().split("\0")[:-1] == list(row)


def test_every_awkward_value_in_a_csv_reaches_python_as_it_is(tmp_path: Path) -> None:
    rows = [[value, AWKWARD[-number]] for number, value in enumerate(AWKWARD)]
    written(tmp_path, [["Learning rate", "PATH"], *rows])
    program = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['PATH'][:1]]))"
    (tmp_path / "argv.py").write_text(program)
    made = rendered(tmp_path, f"j: {{template: sweep, command: {sys.executable} argv.py, params: p.csv}}")
    assert made.job.array == f"1-{len(rows)}"
    assert '--"' not in made.text
    assert list(csv.reader(io.StringIO(made.files["slurm/j.params.csv"], newline="")))[1:] == rows
    for number in (1, 2, 12, 13, 24):
        completed = run(tmp_path, number)
        expected = ["--Learning rate", rows[number - 1][0], "--PATH", rows[number - 1][1]]
        assert json.loads(completed.stdout) == [expected, "/"], completed.stderr


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_by_name_is_one_word_wherever_it_stands(tmp_path: Path, value: str) -> None:
    written(tmp_path, [["who"], [value]])
    command = """|
        # it's a comment with {who} in it
        printf '%s\\0' {who} "<{who}>" '<{who}>' a{who}b "$(printf '%s.' {who})" {{who}} '{other}' ${who} | tr '\\0' '~'
    """
    rendered(tmp_path, f"j:\n  template: sweep\n  params: p.csv\n  command: {command}")
    completed = run(tmp_path, 1)
    assert completed.returncode == 0, completed.stderr
    words = [value, f"<{value}>", f"<{value}>", f"a{value}b", f"{value}.", "{who}", "{other}"]
    assert completed.stdout.decode().replace("\0", "~").startswith("~".join(words).replace("\0", "~") + "~")


def test_ten_thousand_rows_in_chunks_and_a_failing_one_stops_no_other(tmp_path: Path) -> None:
    made = rendered(
        tmp_path,
        """
        j:
          template: sweep
          command: |
            test {n} != 205
            echo {task} {n}
          chunk: 100
          grid: {n: [NUMBERS]}
        """.replace("NUMBERS", ", ".join(str(number) for number in range(10_001))),
    )
    assert made.job.array == "1-101"
    assert (made.summary["rows"], made.summary["chunk"]) == (10_001, 100)
    completed = run(tmp_path, 101)
    assert (completed.returncode, completed.stdout) == (0, b"10001 10000\n")
    completed = run(tmp_path, 3)
    assert completed.stdout.decode().split() == [
        word for number in range(201, 301) if number != 206 for word in (str(number), str(number - 1))
    ]
    assert completed.returncode == 1
    assert b"Row 206 failed, exit code 1." in completed.stderr
    assert b"1 of 100 rows failed: 206" in completed.stderr


def test_a_grid_is_every_combination_in_written_order(tmp_path: Path) -> None:
    made = rendered(tmp_path, "j: {template: sweep, command: x, grid: {b: [2, 1], a: [0.10, yes]}}")
    assert made.files["slurm/j.params.csv"] == "b,a\n2,0.10\n2,yes\n1,0.10\n1,yes\n"
    assert 'x --b "${b}" --a "${a}"' in made.text


def test_names_that_bash_can_not_bear_are_made_plain() -> None:
    columns = ("seed", "Seed", "task", "2x", "größe", "企鵝", "IFS", "a b", "a-b", "_")
    names = parameters.Table(columns, ()).variables
    assert names[:2] == ("seed", "seed_2")
    assert len(set(names)) == len(columns)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert not {"task", "first", "last", "failed", "status"} & set(names)


def test_spreadsheets_own_csv_is_read(tmp_path: Path) -> None:
    text = '\ufeffseed, name\r\n1,"O""Brien, M."\r\n\r\n2,"two\r\nlines"\r\n'
    (tmp_path / "p.csv").write_bytes(text.encode())
    made = rendered(tmp_path, "j: {template: sweep, command: x, params: p.csv}")
    assert made.job.array == "1-2"
    assert made.files["slurm/j.params.csv"].startswith('seed,name\n1,"O""Brien, M."\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.csv:1: is empty"),
        ("a,b\n", "p.csv:1: has column names but no rows"),
        ("a,a\n1,2\n", "p.csv:1: has the column 'a' twice"),
        ("a, a \n1,2\n", "has the column 'a' twice"),
        ("a,\n1,2\n", "p.csv:1: column 2 needs a name on one line"),
        ("\na,task\n1,2\n", "p.csv:2: a parameter can't have the name task: {task} means something else"),
        ("a,b\n1,2\n3\n", "p.csv:3: has 1 value for 2 columns"),
        ('a,b\n"x\ny",2\n3,4,5\n', "p.csv:4: has 3 values"),
        ('a,b\n1,"x\n', "is not CSV"),
        ('a,b\n1,"x"y\n', "p.csv:2: is not CSV"),
        ("a;b\n1;2\n", "has semicolons between the columns: use commas"),
        ("a\tb\n1\t2\n", "has tabs"),
        ("a\n\0\n", "p.csv:2: "),
        (b"\xff\xfea\0\n", "is not UTF-8 text"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    said = refused(tmp_path, "p.csv", text)
    assert message in said
    assert "\n" not in said


ROWS = """
- {n: 100, rate: 0.10, flag: no}
- rate: 1e-3
  n: 010
  flag: 'it''s'
"""
CROSSED = """
b: [2, 0x1F]
a: [0.10, 1:30:00, "", ~x]
"""


def test_rows_in_yaml_keep_their_texts(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(ROWS)
    made = rendered(tmp_path, "j: {template: sweep, command: \"printf '<%s>' {rate} {flag} {n}\", params: p.yaml}")
    assert made.job.array == "1-2"
    assert made.files["slurm/j.params.csv"] == "n,rate,flag\n100,0.10,no\n010,1e-3,it's\n"
    assert [run(tmp_path, task).stdout for task in (1, 2)] == [b"<0.10><no><100>", b"<1e-3><it's><010>"]


def test_lists_in_yaml_are_crossed_in_written_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/p.yml").write_text(CROSSED)
    made = rendered(tmp_path, "j: {template: sweep, command: x, params: sub/p.yml}")
    rows = made.files["slurm/j.params.csv"].splitlines()
    assert rows == ["b,a", *(f"{b},{a}" for b in ("2", "0x1F") for a in ("0.10", "1:30:00", '""', "~x"))]


def test_rows_in_yaml_may_share_values(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("- &first {n: 1, rate: 0.50}\n- {<<: *first, n: 2}\n")
    made = rendered(tmp_path, "j: {template: sweep, command: x, params: p.yaml}")
    assert sorted(made.files["slurm/j.params.csv"].splitlines()[0].split(",")) == ["n", "rate"]
    assert parameters.table(config.load(tmp_path), made.job, Folder(tmp_path)).rows == (("1", "0.50"), ("2", "0.50"))


VALUES = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.fixed_dictionaries({"one": VALUES, "two": VALUES}), min_size=1, max_size=5))
def test_any_text_in_yaml_arrives(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    (tmp_path / "p.yaml").write_text(json.dumps(rows), encoding="utf-8")
    project(tmp_path, "j: {template: sweep, command: x, params: p.yaml}", "name: x\nclusters: [here]\n")
    loaded = config.load(tmp_path)
    table = parameters.table(loaded, config.job(loaded, "j", "here"), Folder(tmp_path))
    columns = tuple(rows[0])
    assert table == parameters.Table(columns, tuple(tuple(row[name] for name in columns) for row in rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.yaml:1: is empty: write a list of rows, or lists of values"),
        ("[]", "p.yaml:1: is empty"),
        ("5\n", "p.yaml:1: is one value"),
        ("- 5\n", "p.yaml:1: row 1 must have a `name: value` for each parameter"),
        ("- {}\n", "p.yaml:1: row 1 must have"),
        ("- {a: 1}\n- {b: 1}\n", "p.yaml:2: row 2 must have the same names as the first (a)"),
        ("- a: [1, 2]\n", "p.yaml:1: a value of `a` must be text or a number, not a list"),
        ("- a: 1\n- a:\n    b: 1\n", "p.yaml:2: a value of `a` must be text or a number, not lines of `key: value`"),
        ("- a: 1\n  b:\n", "p.yaml:2: `b` has no value"),
        ("a: 1\n", "p.yaml:1: `a` must be a list of values, such as `a: [1, 2]`"),
        ("a: [1]\nb: []\n", "p.yaml:2: `b` must be a list"),
        ("a:\n- 1\n- [2]\n", "p.yaml:3: a value of `a` must be text or a number, not a list"),
        ("a: [null]\n", "p.yaml:1: `a` has no value"),
        ('a: ["x\\0"]\n', "p.yaml:1: `a` has a NUL character"),
        ("a: [1]\na: [2]\n", "p.yaml:2: `a` is set twice"),
        ("a: [1\n", "p.yaml:2: this is not YAML"),
        ("a: [!!int 1]\n", "p.yaml:1: the tag !!int is not allowed"),
        ("a: [%s]\nb: [%s]\n" % (("1, " * 1001,) * 2), "p.yaml:1: makes 1,002,001 rows (at most 1,000,000)"),
        ("a: [%s]\n" % ("1, " * 400_000), "p.yaml:1: is larger than 1 MB: use a CSV file"),
        ('"": [1]\n', "p.yaml:1: a parameter can't have the name ''"),
        ("seed: [1]\ntask: [1]\n", "p.yaml:2: a parameter can't have the name task: {task} means something else"),
        ("- {seed: 1, run: 2}\n", "p.yaml:1: a parameter can't have the name run"),
        (b"\xff\xfe", "p.yaml:1: is not UTF-8 text"),
    ],
)
def test_yaml_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in refused(tmp_path, "p.yaml", text)


def test_several_problems_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("cpus,seed,launcher\n1,2,3\n")
    with pytest.raises(RookeryError) as caught:
        rendered(tmp_path, "j: {template: sweep, command: x, params: p.csv}")
    named = [line.partition("the name ")[2].partition(":")[0] for line in caught.value.message.splitlines()]
    assert named == ["cpus", "launcher"]


def test_run_and_commit_have_a_place_in_a_command(tmp_path: Path) -> None:
    command = "echo {run} {commit} {task} {n} results/{run}/{n}.csv"
    rendered(tmp_path, f"j: {{template: sweep, command: '{command}', chunk: 2, grid: {{n: [5, 6, 7]}}}}")
    (tmp_path / ".rookery").mkdir()
    (tmp_path / ".rookery/commit").write_text("abc1234\n")
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "41", "SLURM_CPUS_PER_TASK": "1"}
    for arguments, number in (([], "41"), (["7"], "7")):  # the argument is the run that this one completes
        completed = subprocess.run(
            ["bash", "slurm/j.sh", *arguments], cwd=tmp_path, env=environment, capture_output=True, check=True
        )
        expected = [f"{number} abc1234 {task} {n} results/{number}/{n}.csv" for task, n in ((1, 5), (2, 6))]
        assert completed.stdout.decode().splitlines() == expected


def test_a_job_without_tasks_has_a_run_too(tmp_path: Path) -> None:
    made = rendered(tmp_path, "j: {command: 'echo {run}'}")
    assert 'run="${1:-${SLURM_JOB_ID}}"' in made.text
    assert ".rookery/commit" not in made.text
    assert "run=" not in rendered(tmp_path, "j: {command: echo}").text


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("params: p.tsv", "rookery.yml:4: `params` must be a file that ends in .csv, .yaml or .yml, not 'p.tsv'"),
        ("params: params", "ends in .csv, .yaml or .yml, not 'params'"),
        ("grid: {cpus: [1]}", "rookery.yml:4: a parameter can't have the name cpus: {cpus} means something else"),
        ("rows: [{a: 1, commit: 2}]", "rookery.yml:4: a parameter can't have the name commit"),
        ("params: nowhere.csv", "rookery.yml:4: `params`: can't read nowhere.csv: No such file"),
        ("params: ../p.csv", "must be a path inside the project"),
        ("params: /etc/passwd.csv", "must be a path inside the project"),
        ("grid: {a: [%s], b: [%s]}" % (("1, " * 1001,) * 2), "`grid` makes 1,002,001 rows (at most 1,000,000)"),
        ('grid: {"": [1]}', "a parameter can't have the name ''"),
        ("array: 1-3", ""),
        ("cpus: 1", "template sweep needs an array"),
    ],
)
def test_rows_that_can_not_be_had_are_refused(tmp_path: Path, job: str, message: str) -> None:
    if not message:
        rendered(tmp_path, f"j: {{template: sweep, command: x, {job}}}")
        return
    with pytest.raises(RookeryError, match=re.escape(message)):
        rendered(tmp_path, f"j: {{template: sweep, command: x, {job}}}")


def test_more_tasks_than_the_site_takes_is_told_with_the_chunk_that_would_do(tmp_path: Path) -> None:
    job = "j: {template: sweep, command: x, grid: {a: [%s]}%s}"
    values = ", ".join(str(number) for number in range(2500))
    with pytest.raises(RookeryError, match="2500 rows make 2500 tasks; here allows at most 1000") as caught:
        rendered(tmp_path, job % (values, ""), cluster(array={"max_size": 1000}))
    assert str(caught.value.hint).startswith("add `chunk: 3` to the job")
    assert rendered(tmp_path, job % (values, ", chunk: 3"), cluster(array={"max_size": 1000})).job.array == "1-834"
    with pytest.raises(RookeryError, match="allows at most 1000"):
        rendered(tmp_path, "j: {template: serial, command: x, array: 1-1001}", cluster(array={"max_size": 1000}))


def test_a_name_that_is_not_known_is_named() -> None:
    with pytest.raises(RookeryError, match=r"\{sed\} \(did you mean seed\?\)"):
        fill("python x.py {sed}", {"seed": "${seed}"})
    for kept in ("awk '{print}'", "${HOME}", "{ echo a; }", "x{1..3}", "{a,b}", 'f"{x}"', "{}"):
        assert fill(kept, {"seed": "${seed}"}) == kept


@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_a_quoted_text_is_read_back_by_bash(values: list[str]) -> None:
    line = " ".join(quoted(value) for value in values)
    completed = subprocess.run(["bash"], input=f"printf '%s\\0' {line}".encode(), capture_output=True, check=True)
    assert completed.stdout.decode().split("\0")[:-1] == values


def test_the_real_clusters_take_a_sweep(tmp_path: Path) -> None:
    for name in ("penguins", "hec"):
        made = rendered(tmp_path, "j: {template: sweep, command: x, grid: {a: [1]}}", known(name))
        assert made.job.partition
