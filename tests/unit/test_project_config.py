"""rookery.yml: found, read as written, and refused in a line that says where and what."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from projects import HEAD, known, project
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.projects import config, config_schema, slurm_values
from rookery.projects.scripts import job_script, templates


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path / "home", monkeypatch)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder one stands in."""
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def refused(place: Path, text: str | bytes) -> str:
    """What is said of a rookery.yml like this: a line for each problem, and a hint."""
    (place / "rookery.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RookeryError) as caught:
        loaded = config.load()
        for name in loaded.jobs:
            for cluster in loaded.clusters:
                config.job(loaded, name, cluster)
    assert all(line.isprintable() for line in caught.value.message.split("\n"))
    assert len(caught.value.message) < 700
    assert caught.value.hint
    return caught.value.message


def test_the_schema_is_one_and_describes_every_property() -> None:
    schema = json.loads(config_schema.file().read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"

    def walk(node: Any, path: str) -> None:
        for name, inner in node.get("properties", {}).items():
            assert inner.get("description"), f"{path}.{name}"
            walk(inner, f"{path}.{name}")
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict) and "$ref" not in node[key]:
                assert node[key].get("description"), f"{path}.{key}"
                walk(node[key], f"{path}.{key}")
        assert not ("pattern" in node and "patternErrorMessage" not in node), path

    walk(schema, "")
    walk(schema["$defs"]["job"], "job")


def test_the_whole_file(place: Path) -> None:
    project(
        place,
        """
        simulate:
          template: python-array
          command: python array_test.py {task} {task}.dat
          array: 1-200
          max_running: 50
          cpus: 1
          memory: 1G
          time: 00:05:00
          environment: {SEED: 007, DEBUG: true, EMPTY: ""}
          clusters:
            hec: {memory: 2G, time: 1-12, modules: [conda], environment: {DEBUG: no}}
        """,
        HEAD + "environment: {python: uv}\noutputs: [slurm_logs, ./a b/results/]\n",
    )
    loaded = config.load()
    assert (loaded.name, loaded.clusters, loaded.outputs) == (
        "penguin-survival",
        ("penguins", "hec"),
        ("slurm_logs", "a b/results"),
    )
    assert (loaded.environment.python, loaded.environment.r, loaded.logs) == ("uv", "none", "slurm_logs")
    assert loaded.root == place
    here = config.job(loaded, "simulate", "penguins")
    assert (here.array, here.max_running, here.cpus, here.memory, here.minutes) == ("1-200", 50, 1, "1G", 5)
    assert here.environment == {"SEED": "007", "DEBUG": "true", "EMPTY": ""}
    there = config.job(loaded, "simulate", "hec")
    assert (there.memory, there.minutes, there.modules, there.max_running) == ("2G", 36 * 60, ("conda",), 50)
    assert there.environment == {"SEED": "007", "DEBUG": "no", "EMPTY": ""}


def test_it_is_found_from_a_folder_below_or_by_its_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(place)
    (place / "src/deep").mkdir(parents=True)
    monkeypatch.chdir(place / "src/deep")
    assert config.find(Path.cwd()) == place
    for path in ("", "../..", place, place / "rookery.yml"):
        assert config.load(path).root == place


def test_a_file_with_nearly_the_right_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "rookery.yaml").write_text("name: a\n")
    with pytest.raises(config.NoProject, match=r"or a folder above it, but rookery\.yaml\.") as caught:
        config.find(tmp_path)
    assert caught.value.hint == "mv rookery.yaml rookery.yml"


@pytest.mark.parametrize("path", ["", "nowhere", "empty"])
def test_where_there_is_none_that_is_said(place: Path, path: str) -> None:
    (place / "empty").mkdir()
    with pytest.raises(config.NoProject) as caught:
        config.load(path)
    assert "invoke new" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("files", "python", "r"),
    [
        ([], "none", "none"),
        (["uv.lock", "requirements.txt"], "uv", "none"),
        (["poetry.lock"], "poetry", "none"),
        (["requirements.txt"], "venv", "none"),
        (["environment.yml"], "conda", "none"),
        (["renv.lock", "r-packages.txt"], "none", "renv"),
        (["r-packages.txt", "uv.lock"], "uv", "library"),
    ],
)
def test_the_environment_is_guessed_from_lock_files(place: Path, files: list[str], python: str, r: str) -> None:
    project(place, "", HEAD, **{name.replace(".", "__"): "" for name in files})
    loaded = config.load()
    assert (loaded.environment.python, loaded.environment.r) == (python, r)
    project(place, "", HEAD + "environment: {python: none}\n")
    assert config.load().environment.python == "none"
    assert config.load().environment.r == r


@pytest.mark.parametrize(
    ("text", "r"),
    [("Package: a\nVersion: 1\n", "library"), ("Imports: zoo\r\n", "library"), ("My penguins.\n", "none")],
)
def test_a_description_tells_the_environment_where_it_is_one_of_r(place: Path, text: str, r: str) -> None:
    project(place, "", HEAD, DESCRIPTION=text)
    assert config.load().environment.r == r


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("00:05:00", 5),
        ("1:30:00", 90),
        ("12:00:00", 720),
        ("5:00", 5),
        ("0:30", 1),
        ("90", 90),
        ('"90"', 90),
        ("1-00:00:00", 1440),
        ("1-0", 1440),
        ("2-12:30", 3630),
        ("00:00:01", 1),
        ("2h", 120),
        ("90m", 90),
        ("1d", 1440),
        ("3 hours", 180),
        ("45 min", 45),
    ],
)
def test_a_time_is_what_slurm_takes_it_for_however_yaml_would_read_it(place: Path, written: str, minutes: int) -> None:
    project(place, f"j: {{command: x, time: {written}}}")
    assert config.job(config.load(), "j", "hec").minutes == minutes


@given(st.integers(1, 100 * 24 * 60))
def test_a_time_written_down_is_read_back(minutes: int) -> None:
    assert slurm_values.minutes(slurm_values.time_limit(minutes)) == minutes


@pytest.mark.parametrize(
    ("text", "mebibytes"), [("1G", 1024), ("500", 500), ("500M", 500), ("1K", 1), ("2048K", 2), ("1T", 1048576)]
)
def test_memory(text: str, mebibytes: int) -> None:
    assert slurm_values.mebibytes(text) == mebibytes
    assert slurm_values.memory(text) == text


@pytest.mark.parametrize("written", ["1G", "1g", "1GB", "1 GB", "1GiB", "1 gib", "1gb"])
def test_memory_is_understood_in_all_its_spellings(place: Path, written: str) -> None:
    assert slurm_values.mebibytes(written) == 1024
    project(place, f"j: {{command: x, memory: {written}}}")
    assert config.job(config.load(), "j", "hec").memory == "1G"


@pytest.mark.parametrize("text", ["", "G", "1B", "1iB", "1.5G", "1  GB", "GB 1", "1X", "-1G", "2h"])
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        slurm_values.mebibytes(text)


@pytest.mark.parametrize("text", ["", "h", "2 x", "1.5h", "2h30", "-2h", "2H:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        slurm_values.minutes(text)


def test_values_of_parameters_stay_as_they_are_written(place: Path) -> None:
    project(place, "j: {command: x, grid: {a: [0.10, 1e-3, 010, yes, 5, -2, +3, 1:30, 2026-01-02, null-ish, '']}}")
    written = ("0.10", "1e-3", "010", "yes", 5, -2, "+3", "1:30", "2026-01-02", "null-ish", "")
    assert config.job(config.load(), "j", "hec").grid == {"a": written}


def test_other_rows_for_a_cluster_take_the_place_of_the_jobs(place: Path) -> None:
    project(place, "j: {command: x, grid: {a: [1]}, clusters: {hec: {params: p.csv}}}")
    there = config.job(config.load(), "j", "hec")
    assert (there.params, there.grid) == ("p.csv", {})


def test_merge_keys_and_words_alone_for_lists(place: Path) -> None:
    project(
        place,
        """
        one: &one {command: x, cpus: 4, modules: cuda}
        two: {<<: *one, cpus: 8, after: one}
        """,
        "name: x\nclusters: hec\noutputs: results\n",
    )
    loaded = config.load()
    two = config.job(loaded, "two", "hec")
    assert (two.cpus, two.modules, two.after, two.command) == (8, ("cuda",), ("one",), "x")
    assert (loaded.clusters, loaded.outputs) == (("hec",), ("results",))


BOMB = "l0: &l0 [x]\n" + "".join(f"l{n + 1}: &l{n + 1} [{', '.join([f'*l{n}'] * 9)}]\n" for n in range(12))
JOB = HEAD + "jobs:\n  simulate:\n    command: x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "rookery.yml:1: missing key `name` (name of the project: letters, digits, - and _)"),
        ("name: x\n", "rookery.yml:1: missing key `clusters` (clusters that the project runs on"),
        ("- a\n", "expected lines of `key: value`"),
        ("name: x\nclusters: [hec]\nname: y\n", "rookery.yml:3: `name` is set twice (first on line 1)"),
        ("name: x\nclusters:\n\t- hec\n", "rookery.yml:3: this is not YAML"),
        (b"name: \xff\xfe\n", "is not text in UTF-8"),
        ("name: !!python/object:os.system x\nclusters: [hec]\n", "1: the tag !!python/object:os.system is not allowed"),
        (HEAD.replace("penguin-", "penguin "), "rookery.yml:1: `name` must be letters"),
        (HEAD.replace("penguin-survival", '"a\\nb"'), "rookery.yml:1: `name` must be letters"),
        (HEAD.replace("penguin-survival", "-rf"), "`name` must be letters"),
        (HEAD.replace("penguin-survival", "pingüin"), "`name` must be letters"),
        (HEAD.replace("penguin-survival", "x" * 65), "`name` must have at most 64"),
        (HEAD.replace("penguin-survival", ""), "rookery.yml:1: `name` has no value"),
        (HEAD.replace("penguin-survival", "2026"), "rookery.yml:1: `name` must be letters"),
        (HEAD + "job: {}\n", "rookery.yml:3: unknown key `job` (did you mean `jobs`?)"),
        (HEAD + "environment: {python: anaconda}\n", "must be one of uv, poetry, venv, conda, none, not 'anaconda'"),
        (HEAD + "environment: {python: condo}\n", "(did you mean `conda`?)"),
        (HEAD + "clusters: []\n", "`clusters` is set twice"),
        ("name: x\nclusters: []\n", "`clusters` is empty"),
        ("name: x\nclusters: [hec, hec]\n", "`clusters` lists 'hec' twice"),
        (HEAD + "outputs: [/data]\n", "rookery.yml:3: output '/data' must be relative to the project's folder"),
        (HEAD + "outputs: [a,\n  ../b]\n", "rookery.yml:4: output '../b' must be a folder inside the project"),
        (HEAD + "outputs: [.]\n", "must be a folder inside the project"),
        (HEAD + "outputs: [a/b, a]\n", "output 'a' can't be used with 'a/b': name only the outer folder"),
        (HEAD + "outputs: [a, ./a/]\n", "name only the outer folder"),
        (HEAD + "outputs: [.rookery/x]\n", "can't be in .rookery"),
        (HEAD + "outputs: [slurm]\n", "can't be in slurm"),
        (HEAD + "outputs: [.git]\n", "can't be in .git"),
        (HEAD + "outputs: [-x]\n", "must be a name without line breaks"),
        (HEAD + 'outputs: ["a\\nb"]\n', "must be a name without line breaks"),
        (HEAD + 'outputs: [""]\n', "is empty"),
        (HEAD + "jobs: {a b: {command: x}}\n", "'a b' can't be the name of a job"),
        (HEAD + "jobs:\n  j:\n", "rookery.yml:4: `j` has no value"),
        (JOB + "    cpu: 4\n", "rookery.yml:6: unknown key `cpu` (did you mean `cpus`?)"),
        (JOB + "    cpus: four\n", "rookery.yml:6: `cpus` must be a whole number, not 'four'"),
        (JOB + "    cpus: 0\n", "`cpus` must be 1 or more, not 0"),
        (JOB + "    cpus: 1.5\n", "must be a whole number, not '1.5'"),
        (JOB + "    time: ten minutes\n", "`time` must be HH:MM:SS, D-HH:MM:SS, a number of minutes, or such as 2h"),
        (JOB + "    time: 00:00:00\n", "rookery.yml:6: `time` must be longer than 0"),
        (JOB + "    time: [1]\n", "`time` must be HH:MM:SS"),
        (JOB + "    memory: 1.5GB\n", "`memory` must be a whole number with M, G or T"),
        (JOB + "    memory: 1.5G\n", "`memory` must be"),
        (JOB + "    array: 1-200%50\n", "for a limit of running tasks, use max_running"),
        (JOB + "    array: 9-1\n", "`array` must have ascending ranges, such as 1-200 or 0-90:10, not '9-1'"),
        (JOB + "    array: 1-999999999999\n", "`array` can't have task numbers over 4000000, Slurm's limit"),
        (JOB + "    array: 1-2\n    grid: {a: [1]}\n", "yml:7: use either grid or array: each defines the tasks"),
        (JOB + "    chunk: 5\n", "`chunk` needs params, grid or rows"),
        (JOB + "    max_running: 5\n", "`max_running` needs an array"),
        (JOB + "    gpu_type: v100\n", "`gpu_type` needs `gpus`"),
        (JOB + "    rows: [{a: 1}, {b: 2}]\n", "row 2 must have the same names as the first (a)"),
        (JOB + "    rows: [{a: }]\n", "`a` has no value (expected one value"),
        (JOB + "    grid: {a: 5}\n", "`a` must be a list, not 5"),
        (JOB + "    grid: {a: []}\n", "`a` is empty"),
        (JOB + "    grid: {a: [[1]]}\n", "`a[0]` must be one value: text or a number, not a list"),
        (JOB + "    environment: {1A: x}\n", "'1A' can't be the name of an environment variable"),
        (JOB + "    environment: {A: {B: c}}\n", "`A` must be one value"),
        (JOB + "    mail: me\n", "`mail` must be one email address, not 'me'"),
        (JOB + '    mail: "a@b\\n#SBATCH --x"\n', "`mail` must be one email address"),
        (JOB + '    sbatch: ["--x=1\\nrm"]\n', "`sbatch[0]` must be an sbatch option on one line"),
        (JOB + '    partition: "a b"\n', "`partition` must be the name of a partition"),
        (JOB + '    account: "$(id)"\n', "`account` must be the name of an account"),
        (JOB + "    after: [simulat]\n", "unknown job 'simulat' (did you mean `simulate`?)"),
        (JOB + "    after: simulate\n", "job `simulate` can't start after itself"),
        (JOB + "    clusters: {hecc: {cpus: 1}}\n", "'hecc' is not one of the project's clusters (did you mean `hec`"),
        (JOB + "    only: [hex]\n", "'hex' is not one of the project's clusters (did you mean `hec`?)"),
        (JOB + "    only: [hec]\n", "rookery.yml:6: `only`: the job does not run on penguins"),
        (JOB + "    clusters: {hec: {only: [hec]}}\n", "`only` can only be used in the job itself"),
        (JOB + "    clusters: {hec: {cpus: 0}}\n", "`cpus` must be 1 or more"),
        (JOB + "    clusters: {hec: {clusters: {}}}\n", "`clusters` can only be used in the job itself"),
        (JOB + "    clusters: {hec: {array: 9-1}}\n", "`array` must have ascending ranges"),
        (HEAD + "jobs: {j: {command: x {task}}}\n", "rookery.yml:3: this is not YAML"),
        (JOB + '    "\\e[31mx": 1\n', "unknown key `?[31mx`"),
        (HEAD + "jobs: " + "[" * 400_000, "rookery.yml:3: nested too deeply"),
        (HEAD + "jobs:\n" + "- " * 400_000, "nested too deeply"),
        (HEAD + "#" * 1_000_001, "larger than 1 MB"),
        (HEAD + "x: &a [*a]\n", "rookery.yml:3: *a is inside the value that it repeats"),
        (BOMB, "rookery.yml:6: the aliases repeat more than 100,000 values"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_line_with_file_line_and_key(place: Path, text: str | bytes, expected: str) -> None:
    assert expected in refused(place, text)


def test_an_unknown_job_is_answered_with_those_there_are(place: Path) -> None:
    project(place, "simulate: {command: x}\ncombine: {command: y}")
    with pytest.raises(
        RookeryError, match=r"Unknown job 'simulat' in \S+ \(did you mean simulate\?\)\. Jobs: simulate, combine"
    ):
        config.job(config.load(), "simulat", "hec")


DOCS = "".join(
    (config_schema.file().parents[1] / "docs" / page).read_text()
    for page in ("reference/rookery-yml.md", "how-to/run-arrays.md")
)


def test_the_page_tells_every_key_and_every_template() -> None:
    schema = json.loads(config_schema.file().read_text())
    kinds = schema["properties"]["environment"]["properties"]
    for key in (*schema["properties"], *schema["$defs"]["job"]["properties"]):
        assert f"\n| `{key}` |" in DOCS, key
    for key in (f"`{kind}: {value}`" for kind, keyword in kinds.items() for value in keyword["enum"]):
        assert key in DOCS
    for name in templates.names():
        assert f"\n| `{name}` |" in DOCS, name


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(name:.*?)```", DOCS, re.DOTALL))
def test_the_pages_examples_are_rendered_for_every_cluster_they_name(place: Path, text: str) -> None:
    (place / "rookery.yml").write_text(text)
    loaded = config.load()
    for script in re.findall(r"script: (\S+)", text):
        (place / script).parent.mkdir(exist_ok=True)
        (place / script).write_text("#!/bin/bash\n")
    for name in loaded.clusters:
        assert job_script.scripts(loaded, known(name))


def test_logs_have_a_folder_on_the_storage_where_nothing_is_said(place: Path) -> None:
    (place / "rookery.yml").write_text(HEAD)
    assert (config.load(place).outputs, config.load(place).logs) == (("slurm_logs",), "slurm_logs")
    (place / "rookery.yml").write_text(f"{HEAD}outputs: []\n")
    assert config.load(place).outputs == ()
    (place / "rookery.yml").write_text(f"{HEAD}outputs: [results, my_logs]\n")
    assert config.load(place).logs == "my_logs"
