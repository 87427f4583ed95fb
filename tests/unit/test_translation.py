"""`init --from-script`: a job script as a job of rookery.yml; what can't be translated is named."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from init_folders import SIMULATE, empty_folder, proposed, refused, write
from projects import known

from rookery.core.errors import RookeryError
from rookery.projects import config
from rookery.projects.adoption import command, translation
from rookery.projects.options import InitOptions
from rookery.projects.scripts import job_script, template_context


def keys_of(*lines: str, body: str = "true") -> dict[str, Any]:
    """The keys of a job that has these #SBATCH lines, but for its command."""
    text = "".join(f"{line}\n" for line in ("#!/bin/bash", *(f"#SBATCH {line}" for line in lines), body))
    keys = dict(translation.translate("run.sh", text).job.keys)
    keys.pop("command")
    return keys


OPTIONS = [
    (["--array=1-20:2%5"], {"array": "1-20:2", "max_running": 5}),
    (["-a 0"], {"array": "0"}),
    (["--array=5-1"], {"sbatch": ["--array=5-1"]}),
    (["--mem=4G -t 1-12"], {"memory": "4G", "time": "1-12"}),
    (["--mem 2000", "--time=90"], {"memory": "2000M", "time": "90"}),
    (["--mem=0 --time=UNLIMITED"], {"sbatch": ["--mem=0", "--time=UNLIMITED"]}),
    (["--mem-per-cpu=2G", "-c8"], {"cpus": 8, "sbatch": ["--mem-per-cpu=2G"]}),
    (["--gres=gpu:a100:2 -N1"], {"gpus": 2, "gpu_type": "a100", "nodes": 1}),
    (["--gres=gpu"], {"gpus": 1}),
    (["--gres=gpu:1,tmp:10G"], {"sbatch": ["--gres=gpu:1,tmp:10G"]}),
    (["--gpus=v100:3"], {"gpus": 3, "gpu_type": "v100"}),
    (["-p cpu,gpu -A proj -q long"], {"partition": "cpu", "account": "proj", "qos": "long"}),
    (["-o logs/%j.out -e logs/%j.err"], {"output": "logs/%j.out", "error": "logs/%j.err"}),
    (["--output=~/x.out"], {"sbatch": ["--output=~/x.out"]}),
    (["--mail-user=a@b.c --mail-type=END,FAIL"], {"mail": "a@b.c"}),
    (["--mail-type=END"], {"sbatch": ["--mail-type=END"]}),
    (["--exclusive", '--comment="two words"'], {"sbatch": ["--exclusive", '--comment="two words"']}),
    (["--nodes=1-2 --ntasks=1"], {"sbatch": ["--nodes=1-2", "--ntasks=1"]}),
    (["--mem=1G", "--mem=2G"], {"memory": "2G"}),
    (["--export=NONE --licenses=matlab:1"], {"sbatch": ["--export=NONE", "--licenses=matlab:1"]}),
]


@pytest.mark.parametrize(("lines", "expected"), OPTIONS, ids=str)
def test_each_option_becomes_a_key_or_is_kept_under_sbatch(lines: list[str], expected: dict[str, Any]) -> None:
    assert keys_of(*lines) == expected


NOTED = [
    ("#SBATCH --chdir=/work/ada\ntrue", "--chdir=/work/ada is left out"),
    ("#SBATCH --dependency=afterok:1\ntrue", "--dependency=afterok:1 is left out"),
    ("#SBATCH -p a,b\ntrue", "the job uses a, without b"),
    ("#SBATCH --job-name=my.job\ntrue", "the job's name my.job becomes my-job"),
    ("#SBATCH --mail-type=BEGIN --mail-user=a@b\ntrue", "not for BEGIN"),
    ("#SBATCH --mail-user=a@b\ntrue", "it asks for no mail"),
    ("module purge\ntrue", "line 2 is left out, since it would unload the job's modules: module purge"),
    (". /etc/profile\ntrue", "line 2 is left out"),
    ("true\n#SBATCH --mem=1G", "line 3 is a comment"),
    ("conda activate me\ntrue", "line 2 activates an environment"),
    ("cd /home/ada/x\ntrue", "line 2 leaves the deployed project"),
    ('echo "$1"', "line 2 reads an argument"),
    ("a\nb", "stops at the first line that fails"),
    ("true\r", "Windows line ends"),
]


@pytest.mark.parametrize(("text", "expected"), NOTED)
def test_what_is_different_is_named(text: str, expected: str) -> None:
    notes = translation.translate("run.sh", f"#!/bin/bash\n{text}\n").notes
    assert any(expected in note for note in notes), notes


def test_modules_that_are_loaded_first_become_a_key() -> None:
    body = "export A=b\nmodule load R/4.3 gcc # why\nml cuda\nml purge\necho\nmodule load late"
    made = translation.translate("run.sh", f"#!/bin/bash\n{body}\n")
    assert made.job.keys["modules"] == ["R/4.3", "gcc", "cuda"]
    assert made.job.keys["command"] == "export A=b\necho\nmodule load late\n"


PROCESSES = [
    ("-n 4", "srun ./a", {"command": "{launcher} ./a", "tasks": 4}),
    ("-n 4", "x=1\n  srun --mpi=pmi2 ./a", {"command": "x=1\n  {launcher} --mpi=pmi2 ./a\n", "tasks": 4}),
    ("-N 2 --ntasks-per-node=3", "mpirun -np 6 ./a", {"command": "{launcher} ./a", "tasks": 6, "template": "mpi"}),
    ("-n 1", "mpirun -np 6 ./a", {"command": "mpirun -np 6 ./a", "tasks": 1}),
]


@pytest.mark.parametrize(("options", "body", "expected"), PROCESSES)
def test_processes_are_started_as_the_cluster_wants_it(options: str, body: str, expected: dict[str, Any]) -> None:
    keys = translation.translate("run.sh", f"#!/bin/bash\n#SBATCH {options}\n{body}\n").job.keys
    assert {**keys, **expected} == keys


REFUSED = [
    ("#!/bin/tcsh\necho\n", "is a script for tcsh"),
    ("#!/bin/bash\n#SBATCH --mem=1G\n# nothing\n", "has no command"),
    ("#!/bin/bash\n#SBATCH -n 4\npython a.py\n", "starts none with srun"),
    ("#!/bin/bash\n#SBATCH -n 4\nmpirun --bind-to none ./a\n", "has options that not every cluster's launcher knows"),
    ("#!/bin/bash\n#SBATCH -n 4\nsrun -n 2 ./a\n", "a different number of processes"),
    ("#!/bin/bash\n#SBATCH -n 4\nsrun ./a\nmpirun ./a\n", "starts processes with mpirun and srun"),
    ("#!/bin/bash\n#SBATCH --mem=1G\n#SBATCH hetjob\n#SBATCH --mem=2G\ntrue\n", "hetjob"),
    ("#!/bin/bash\n#SBATCH stray\ntrue\n", "Slurm can't read 'stray' in line 2"),
    ("#!/bin/bash\necho {a..z}\n", "braces in its commands would be replaced"),
    ("#!/bin/bash\necho \x1b\n", "line 2 has the character"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_can_not_be_translated_is_refused_with_the_way_out(text: str, expected: str) -> None:
    with pytest.raises(RookeryError) as caught:
        translation.translate("run.sh", text)
    assert expected in caught.value.message
    assert caught.value.hint == "use it as it is: a job with `script: run.sh` in rookery.yml"


def test_what_slurm_would_refuse_is_not_to_be_used_as_it_is() -> None:
    with pytest.raises(RookeryError, match=r"run\.sh is no job script: it does not begin with #!") as caught:
        translation.translate("run.sh", "echo\n")
    assert str(caught.value.hint).startswith("add the line #!/bin/bash; ")


def test_a_script_of_a_program_is_run_by_it() -> None:
    made = translation.translate("my run.py", "#!/usr/bin/env python3\n#SBATCH --mem=1G\nprint('{cpus}')\n")
    assert made.job.keys == {"command": "python 'my run.py'", "memory": "1G"}
    assert made.job.name == "my-run"


PIECES = st.sampled_from((
    "echo a", "{cpus}", "{task}", "{{task}}", "${HOME}", "'", '"', "{", "}", "#", "$(", ")", "\\", " ", "  ", "\n",
    "\t", "{x}", "'{x}'", "é", "- a", "key: value", "|", ">", "{launcher}", "{run}", ": ", "%", "@", "`",
))  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=12).map("".join))
def test_a_translated_command_is_what_the_script_said(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    """Or it is refused: through YAML, and with the braces filled in. Blanks at the beginning may go."""
    from rookery.projects.adoption import project_file
    from rookery.projects.adoption.project_file import ProjectDraft

    try:
        made = translation.translate("run.sh", f"#!/bin/bash\n#SBATCH --array=1-2\n{body}\n")
    except RookeryError:
        return
    root = tmp_path_factory.mktemp("translated")
    (root / "rookery.yml").write_text(project_file.text(ProjectDraft("a", ("hec",), jobs=(made.job,))))
    project = config.load(root)
    job = config.job(project, made.job.name, "hec")
    text = template_context.context(project, job, known("hec"))["command"]
    assert text.lstrip().rstrip("\n") == body.lstrip().rstrip("\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_folder(tmp_path, monkeypatch)


RUN = "#!/bin/bash\n#SBATCH --mem=1G --output=logs/%j.out\npython a.py\n"


def test_a_new_project_has_the_translation_in_place_of_the_script(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, {"run.sh": RUN, "b.sh": RUN, "a.py": SIMULATE})
    document = proposed(capsys, from_script="run.sh")
    assert document["jobs"] == {
        "run": {"command": "python a.py", "memory": "1G", "output": "logs/%j.out"}, "b": {"script": "b.sh"}
    }  # fmt: skip
    assert document["outputs"] == ["results", "logs"]
    write(here, {"plain.sh": "#!/bin/bash\n#SBATCH -o %x.txt\npython a.py\n"})
    said = [entry["text"] for entry in proposed(capsys, from_script="plain.sh")["advice"]]  # type: ignore[attr-defined]
    assert "The log %x.txt is in no folder of `outputs`, so fetch does not copy it" in said
    assert list(proposed(capsys, from_script="plain.sh")["jobs"]) == ["plain", "b", "run"]  # type: ignore[call-overload]


def test_a_project_that_is_there_gets_one_more_job(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "# mine\nname: a\nclusters: [hec]\njobs:\n  run: {script: run.sh}  # as it is\n"
    write(here, {"rookery.yml": text, "run.sh": RUN})
    command.run(InitOptions(from_script="run.sh", yes=True))
    added = "  run-2:\n    command: python a.py\n    memory: 1G\n    output: logs/%j.out\n"
    assert (here / "rookery.yml").read_text() == text + added
    printed = capsys.readouterr().out
    assert "The job run runs run.sh unchanged: remove it, or the new job run-2." in printed
    assert "The log logs/%j.out is in no folder of `outputs`, so fetch does not copy it." in printed
    assert "next     invoke render run-2" in printed
    command.run(InitOptions(from_script="run.sh", check=True, json=True))
    assert '"written": false' in capsys.readouterr().out
    assert (here / "rookery.yml").read_text() == text + added
    scripts = job_script.scripts(config.load(here), known("hec"))
    assert [script.path for script in scripts] == ["run.sh", "slurm/run-2.sh"]
    for folder in ("/scratch/me", "slurm_logs/.."):
        write(here, {"far.sh": RUN.replace("=logs", f"={folder}")})
        command.run(InitOptions(from_script="far.sh", check=True))
        assert f"The log {folder}/%j.out is in no folder of `outputs`" in capsys.readouterr().out


def test_a_script_that_is_not_there_or_elsewhere_is_refused(here: Path, tmp_path: Path) -> None:
    write(here, {"a.py": SIMULATE})
    assert refused(InitOptions(from_script="no.sh", yes=True)).message == "Can't find the job script no.sh."
    write(tmp_path, {"else.sh": RUN})
    assert "is not in" in refused(InitOptions(from_script=str(tmp_path / "else.sh"), yes=True)).message


def test_what_a_cluster_can_not_run_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"run.sh": "#!/bin/bash\n#SBATCH --partition=nowhere\nmodule load R\ntrue\n"})
    advice = [entry["text"] for entry in proposed(capsys, from_script="run.sh")["advice"]]  # type: ignore[attr-defined]
    assert any(text.startswith("run can't run on penguins yet: ") for text in advice)
    assert command.run(InitOptions(from_script="run.sh", cluster="penguins,hec", yes=True)) == 0
    steps = [line.split(None, 1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  next ")]
    edit, commit, run = steps
    assert edit == "edit rookery.yml, until `invoke render run --cluster penguins` prints the script"
    assert commit.startswith("git add rookery.yml && git commit")
    assert run == "invoke run run"
