"""Results of tasks made into one table: every form that Python and R write them in, and what is wrong named."""

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from combining import combined, project, recorded
from hypothesis import given
from hypothesis import strategies as st

from rookery.core.errors import RookeryError
from rookery.jobs import options
from rookery.jobs.results import combine, combined_table, result_file
from rookery.jobs.results.combined_table import RunFiles
from rookery.jobs.results.source_run import SourceRun


def test_tables_of_r_and_python_keep_their_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(
        tmp_path,
        r_10__csv='"x","y"\n1.10,"a,b"\n',
        r_9__csv='"x","y"\n1e-05,"say ""hi"""\n0x,"two\nlines"\n',
        r_2__csv='\ufeff"x","y"\r\n007,NA\r\n',
    )
    outcome = combined(tmp_path, capsys)
    assert outcome["table"] == ('task,"x","y"\n2,007,NA\n9,1e-05,"say ""hi"""\n9,0x,"two\nlines"\n10,1.10,"a,b"\n')
    assert (outcome["rows"], outcome["files"], outcome["code"], outcome["missing"]) == (4, 3, 0, [])


def test_a_column_that_tells_the_task_is_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, part_a__csv="task_id,x\n3,c\n1,a\n", part_b__csv="task_id,x\n2,b\n")
    recorded(tmp_path, array="1-4%2")
    outcome = combined(tmp_path, capsys)
    assert outcome["table"] == "run,task_id,x\n7,3,c\n7,1,a\n7,2,b\n"
    assert (outcome["missing"], outcome["code"]) == (["7_4"], 1)


def test_the_parameters_stand_before_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"n": 10, "label": 'a "b", c', "x": 1}, {"n": 20, "label": "é\nf", "x": 2}]
    project(tmp_path, out_1__csv="x,y\n0.5,1\n0.6,2\n", out_2__csv="y,x\n3,0.7\n")
    recorded(tmp_path, rows=rows, array="1-1", chunk=2)
    outcome = combined(tmp_path, capsys, job="7")
    table = list(csv.reader(io.StringIO(outcome["table"], newline="")))
    assert table == [
        ["run", "task", "n", "label", "x", "y"],
        ["7", "1", "10", 'a "b", c', "0.5", "1"],
        ["7", "1", "10", 'a "b", c', "0.6", "2"],
        ["7", "2", "20", "é\nf", "0.7", "3"],
    ]
    assert outcome["runs"] == ["7"]


def jobs(root: Path, text: str) -> None:
    """What rookery.yml says of the jobs."""
    (root / "rookery.yml").write_text(f"name: x\nclusters: [hec]\noutputs: [results]\njobs:\n{text}")


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (("est_1", "est_2", "fit_check_1", "fit_check_2"), "est"),  # a job's own files need not be called after it
        (("fit_1", "fit_2", "fit-check_1", "fit-check_2"), "fit"),
        (("Fit_1", "Fit_2", "other_1", "other_2"), "Fit"),
        (("a/1", "a/2", "fit_check/1", "fit_check/2"), "a"),
        (("refit_1", "refit_2", "fit_check_1"), "refit"),  # a part of a word is no name
    ],
)
def test_results_of_another_job_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, ...], table: str
) -> None:
    project(tmp_path)
    jobs(tmp_path, "  fit: {command: x}\n  fit_check: {command: x}\n")
    for name in names:
        file = tmp_path / f"results/{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"from\n{name.rstrip('/_12').rpartition('/')[2]}\n")
    recorded(tmp_path, job="fit", array="1-2")
    outcome = combined(tmp_path, capsys)
    assert (outcome["table"], outcome["code"]) == (f"run,task,from\n7,1,{table}\n7,2,{table}\n", 0)


def test_files_that_are_called_after_parameters_stand_beside_these(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, sim_3__csv="est\n3\n", sim_1__csv="est\n1\n", sim_2__csv="est\n2\n")
    jobs(
        tmp_path,
        "  sim: {template: sweep, command: 'run --out=results/sim_{seed}.csv', grid: {seed: [3, 1, 2]}}\n",
    )
    recorded(tmp_path, job="sim", rows=[{"seed": 3}, {"seed": 1}, {"seed": 2}], array="1-3")
    outcome = combined(tmp_path, capsys)
    assert outcome["table"].splitlines()[1:] == ["7,1,3,3", "7,2,1,1", "7,3,2,2"]
    assert (outcome["missing"], outcome["code"]) == ([], 0)
    project(tmp_path, **{f"rate_{rate}__csv": f"est\n{rate}\n" for rate in ("0.1", "0.2", "0.5")})
    jobs(
        tmp_path,
        "  rate: {template: sweep, command: 'run > results/rate_{rate}.csv', grid: {rate: ['0.1', '0.5', '0.2']}}\n",
    )
    recorded(tmp_path, 8, job="rate", rows=[{"rate": "0.1"}, {"rate": "0.5"}, {"rate": "0.2"}], array="1-3")
    outcome = combined(tmp_path, capsys, job="8")
    assert outcome["table"].splitlines()[1:] == ["8,1,0.1,0.1", "8,2,0.5,0.5", "8,3,0.2,0.2"]
    assert outcome["others"] == []


def test_a_run_that_left_nothing_gets_no_results_of_another_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, fit_1__csv="x\n1\n")
    jobs(tmp_path, "  fit: {command: x}\n  sim: {command: x, params: combined.csv}\n")
    recorded(tmp_path, job="sim", array="1-2")
    with pytest.raises(RookeryError, match=r"combined\.csv is the parameter file"):
        combined(tmp_path, capsys)
    with pytest.raises(RookeryError, match="Nothing to combine"):
        combined(tmp_path, capsys, output="all.csv")


def test_a_table_takes_the_place_of_a_table_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, r_1__csv="x\n1\n")
    (tmp_path / "thesis.csv").write_text("mine\n")
    for name in ("thesis.csv", "results/r_1.csv"):
        before = (tmp_path / name).read_text()
        with pytest.raises(RookeryError, match=f"{name} already exists"):
            combined(tmp_path, capsys, output=name)
        assert (tmp_path / name).read_text() == before
    for _ in range(2):
        assert combined(tmp_path, capsys, output="all.csv")["code"] == 0
    (tmp_path / "all.csv").write_text("changed\n")
    with pytest.raises(RookeryError, match="not written by combine"):
        combined(tmp_path, capsys, output="all.csv")


def test_plain_numbers_without_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, **{f"{task}__dat": f"{task * task}\n" for task in (1, 2, 10)})
    outcome = combined(tmp_path, capsys, files="*.dat")
    assert outcome["table"] == "task,value\n1,1\n2,4\n10,100\n"
    project(tmp_path, a1__txt="  1.5   2\n 3 4 \n")
    assert combined(tmp_path, capsys, files="results/*.txt")["table"] == "task,value_1,value_2\n1,1.5,2\n1,3,4\n"


def test_semicolons_tabs_and_columns_that_are_numbered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, s_1__csv="a;b\n1,5;x\n", s_2__csv="b;a\ny;2,5\n")
    assert combined(tmp_path, capsys)["table"] == 'task,a,b\n1,"1,5",x\n2,"2,5",y\n'
    project(tmp_path, p_1__txt=",0,1\n0,5,6\n")
    assert combined(tmp_path, capsys, files="results/p_*.txt")["table"] == "task,,0,1\n1,0,5,6\n"


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("0\n5\n", "task,value\n1,0\n1,5\n"),
        ("0,1\n", "task,value_1,value_2\n1,0,1\n"),
        ("0,1\n5,6\n", "task,value_1,value_2\n1,0,1\n1,5,6\n"),
        (",7\n5,6\n", "task,value_1,value_2\n1,,7\n1,5,6\n"),
    ],
)
def test_numbers_that_begin_with_0_lose_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, table: str
) -> None:
    project(tmp_path, r_1__csv=text)
    assert combined(tmp_path, capsys)["table"] == table


def test_where_the_number_stands_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, r_1_seed_9__csv="x\na\n", r_2_seed_8__csv="x\nb\n")
    assert combined(tmp_path, capsys, files="results/r_{task}_seed_*.csv")["table"] == "task,x\n1,a\n2,b\n"


def test_what_can_not_be_used_is_named_and_left_out_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(
        tmp_path,
        r_1__csv="x,y\n1,2\n",
        r_2__csv="",
        r_3__csv="x,y\n",
        r_4__csv="x,y\n7,8\n9\n",
        r_5__csv='x,y\n7,"8\n',
        r_6__csv="x,z\n1,2\n",
        r_7__csv="y,x\n4,3\n",
        r_8__csv="x,y\n5,6\n",
        r_9__csv="x,y\n5,6\n",
    )
    recorded(tmp_path, array="1-8")
    outcome = combined(tmp_path, capsys)
    assert outcome["table"] == "run,task,x,y\n7,1,1,2\n7,7,3,4\n7,8,5,6\n"
    assert outcome["empty"] == ["results/r_2.csv", "results/r_3.csv"]
    assert {name[-7:-4]: why for name, why in outcome["broken"]} == {
        "r_4": "line 3 has 1 value, expected 2",
        "r_5": "line 2: unexpected end of data",
        "r_6": "columns differ from the first file's: missing y; additional z",
    }
    assert (outcome["missing"], outcome["others"], outcome["code"]) == (
        [f"7_{task}" for task in (2, 3, 4, 5, 6)],
        ["results/r_9.csv"],
        1,
    )


def test_a_large_file_that_breaks_off_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combined_table, "_LARGE", 50)
    project(tmp_path, r_1__csv="x,y\n1,2\n", r_2__csv="x,y\n" + "3,4\n" * 100 + "5\n", r_3__csv="x,y\n" + "6,7\n" * 100)
    outcome = combined(tmp_path, capsys)
    assert outcome["table"] == "task,x,y\n1,1,2\n" + "3,6,7\n" * 100


def test_a_column_task_that_holds_no_number_leaves_the_one_in_the_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, r_1__csv="task,x\ncifar,a\n", r_3__csv="task,x\nmnist,b\n")
    recorded(tmp_path, rows=[{"n": 10}, {"n": 20}, {"n": 30}])
    outcome = combined(tmp_path, capsys)
    assert outcome["table"] == "run,n,task,x\n7,10,cifar,a\n7,30,mnist,b\n"
    assert (outcome["missing"], outcome["code"]) == (["7_2"], 1)


def test_files_that_are_not_of_an_array_are_put_together_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, boot__csv="x\n1\na\n", jack__csv="x\nb\n", job_7__params__csv="n\n1\n")
    assert combined(tmp_path, capsys)["table"] == "x\n1\na\nb\n"


@pytest.mark.parametrize(
    ("flags", "written", "message"),
    [
        ({}, {}, "Nothing to combine"),
        ({"files": "results/*.dat"}, {"r_1__csv": "x\n1\n"}, "Nothing to combine"),
        ({"files": "../*.csv"}, {"r_1__csv": "x\n1\n"}, "pattern of paths in the project"),
        ({}, {"r_1__csv": "", "r_2__csv": "x\n"}, "None of 2 files"),
        ({}, {"r_1__csv": "x\na\n", "r_2__csv": "y\na\n", "r_3__csv": "y\na\n"}, "do not match the first"),
        ({"job": "12"}, {"r_1__csv": "x\n1\n"}, "Run 12 has no record"),
        ({"output": "results.txt"}, {"r_1__csv": "x\n1\n"}, "must end in .csv"),
    ],
)
def test_where_nothing_can_be_written_nothing_is(
    tmp_path: Path, flags: dict[str, str], written: dict[str, str], message: str
) -> None:
    project(tmp_path, **written)
    (tmp_path / "combined.csv").write_text("as it was")
    with pytest.raises(RookeryError, match=message):
        combine.run(options.CombineOptions(project=str(tmp_path), **flags))
    assert (tmp_path / "combined.csv").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["combined.csv", "results", "rookery.yml"]


def test_the_table_itself_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, r_1__csv="x\na\n")
    for _ in range(2):
        assert combined(tmp_path, capsys, output="results/all_1.csv")["rows"] == 1


CELL = st.text(alphabet=st.characters(blacklist_characters="\0\ufeff", blacklist_categories=("Cs",)), max_size=8)


@given(
    tables=st.lists(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=3), min_size=1, max_size=4),
    dialect=st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\n")]),
)
def test_every_value_arrives_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, tables: list[list[tuple[str, str]]], dialect: tuple[int, str]
) -> None:
    root = project(tmp_path_factory.mktemp("any"))
    for number, rows in enumerate(tables, 1):
        with (root / f"results/r_{number}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, quoting=dialect[0], lineterminator=dialect[1])  # type: ignore[arg-type]
            writer.writerows([("name", "other"), *rows])
    files = [(number, f"results/r_{number}.csv") for number in range(1, len(tables) + 1)]
    combined_table.write(root, [RunFiles(SourceRun(), files)], root / "all.csv")
    with (root / "all.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows_read = list(csv.reader(stream))
    assert header == ["task", "name", "other"]
    expected = [[str(number), *row] for number, rows in enumerate(tables, 1) for row in rows]
    assert rows_read == expected


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    project(tmp_path, r_1__csv="x,y\n" + "1,2\n" * 1000)
    name = "results/r_1.csv"

    def peak(count: int) -> int:
        tracemalloc.start()
        combined_table.write(tmp_path, [RunFiles(SourceRun(), [(1, name)] * count)], tmp_path / "all.csv")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(6) < 1.5 * peak(2)


def test_a_folder_or_a_file_that_may_not_be_read_is_broken(tmp_path: Path) -> None:
    with pytest.raises(result_file.Broken, match="can't read it"):
        list(result_file.read(tmp_path))
