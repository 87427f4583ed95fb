"""Which program runs in the end, behind everything that starts others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check, known_context

from rookery.jobs.lint.script.effective import programs_run, working_command
from rookery.jobs.lint.script.wrappers import WRAPPERS

HEAD = "#!/bin/bash\n#SBATCH --partition=parallel\n#SBATCH --mem=1G\n#SBATCH --time=00:05:00\nsource /etc/profile\n"


def run(command: str, **files: str) -> list[str]:
    """The commands that run in the end, of the last command of a script."""
    script = known_context(f"#!/bin/bash\n{command}\n", files={name.replace("__", "."): files[name] for name in files})
    return [" ".join(word.text for word in words) for words in programs_run(script, script.shell.commands[-1])]


@pytest.mark.parametrize(
    ("command", "runs"),
    [
        ("./a -x", "./a -x"),
        ("srun ./a", "./a"),
        ("srun -n 4 -c2 --mem 1G --cpu-bind cores --exclusive ./a", "./a"),
        ("srun --mpi pmix -u -l ./a", "./a"),
        ("srun --container-image img --container-mounts /a:/b --no-container-mount-home python x.py", "python x.py"),
        ("srun --container-image=img.sqsh python x.py", "python x.py"),
        ("srun --export ALL,A=1 -- ./a", "./a"),
        ("mpirun -np 4 --mca btl self ./a", "./a"),
        ("mpirun -np 4 -mca pml ob1 -mca btl ^openib -x PATH --bind-to none ./a 3", "./a 3"),
        ("mpiexec.hydra -genv I_MPI_DEBUG 5 -ppn 2 -n 8 ./a", "./a"),
        ("mpirun --oversubscribe ./a", "./a"),
        ("/opt/ompi/bin/mpirun ./a", "./a"),
        ("singularity exec --nv img.sif python x.py", "python x.py"),
        ("singularity -q exec --nv -B /a:/b --env A=1 img.sif python x.py", "python x.py"),
        ("apptainer exec --bind /a --pwd /b docker://x/y:1 Rscript x.R", "Rscript x.R"),
        ("apptainer run img.sif python x.py", "python x.py"),
        ("apptainer run img.sif --input x", "apptainer run img.sif --input x"),
        ("apptainer run img.sif hello x", "apptainer run img.sif hello x"),
        ("apptainer pull img.sif docker://x", "apptainer pull img.sif docker://x"),
        ("numactl --cpunodebind=0 -m 0 ./a", "./a"),
        ("numactl --interleave all ./a", "./a"),
        ("taskset -c 0-3 ./a", "./a"),
        ("xvfb-run -a -s '-screen 0 1x1x24' python x.py", "python x.py"),
        ("python -m torch.distributed.run --nproc_per_node 4 x.py --lr 1", "python x.py --lr 1"),
        ("python3 -u -m torch.distributed.launch --nproc_per_node=4 x.py", "python x.py"),
        ("torchrun --nproc_per_node 4 --nnodes 1 x.py --lr 1", "python x.py --lr 1"),
        ("torchrun --standalone -m pkg.train 3", "python -m pkg.train 3"),
        ("accelerate launch --num_processes 4 x.py", "python x.py"),
        ("accelerate config", "accelerate config"),
        ("deepspeed --num_gpus 4 x.py", "python x.py"),
        ("python -m cProfile -o out.prof x.py", "python x.py"),
        ("python -m pkg.train", "python -m pkg.train"),
        ("python x.py -m torch.distributed.run y.py", "python x.py -m torch.distributed.run y.py"),
        ("parallel -j 4 --joblog x.log python x.py {} ::: 1 2", "python x.py {} ::: 1 2"),
        ("parallel -j4 'python x.py {}' ::: 1 2", "python x.py {}"),
        ("parallel ::: './a 1' './a 2'", "parallel ::: ./a 1 ./a 2"),
        ("seq 9 | xargs -I {} -P 4 ./a {}", "./a {}"),
        ("bash -c 'python x.py'", "python x.py"),
        ("bash -lc \"python x.py $A\"", "python x.py $A"),
        ("bash script.sh -c 'python x.py'", "bash script.sh -c python x.py"),
        ("srun bash -c 'exec numactl -l ./a'", "./a"),
        ("poetry run python x.py", "python x.py"),
        ("poetry -C sub run python x.py", "python x.py"),
        ("poetry install", "poetry install"),
        ("uv run x.py", "x.py"),
        ("uv run --with numpy --python 3.12 python x.py", "python x.py"),
        ("uv run -m pkg.train", "python -m pkg.train"),
        ("conda run -n env --no-capture-output python x.py", "python x.py"),
        ("micromamba run -p ./env python x.py", "python x.py"),
        ("pixi run --manifest-path pixi.toml -e gpu python x.py", "python x.py"),
        ("conda activate x", "conda activate x"),
        ("env -u A B=1 C=2 ./a", "./a"),
        ("timeout -s INT 60 ./a", "./a"),
        ("timeout --kill-after=5 60 ./a", "./a"),
        ("nohup nice -n 5 stdbuf -oL ./a", "./a"),
        ("/usr/bin/time -v -o t.txt ./a", "./a"),
        ("command -v RScript", "command -v RScript"),
        ("exec ./a", "./a"),
        ("nsys profile -o out --trace cuda python x.py", "python x.py"),
        ("perf stat -e cycles ./a", "./a"),
        ("srun --jobid $SLURM_JOB_ID ./a", "./a"),
        ("srun $SRUN_ARGS --label ./a", "./a"),
        ('srun "${DEFAULTS[@]}" ./a', "./a"),
        ("srun $EXE -x", "$EXE -x"),
        ("srun $ARGS", "$ARGS"),
        ("srun advixe-cl --collect survey --project-dir x -- ./a", "./a"),
        ("vtune -help", "vtune -help"),
        ("nvprof --log-file x ./a", "./a"),
        ("srun", "srun"),
        ("nohup", "nohup"),
        ("env", "env"),
    ],
)  # fmt: skip
def test_the_program_named_is_the_one_that_runs(command: str, runs: str) -> None:
    assert run(command) == [runs]


def test_all_commands_of_bash_c_run() -> None:
    assert run("bash -c 'cd x && python a.py; ./b'") == ["cd x", "python a.py", "./b"]


def test_all_parts_of_an_mpmd_command_run() -> None:
    assert run("mpirun -np 1 ./a 1 : -np 2 --mca btl self ./b") == ["./a 1", "./b"]
    assert run("srun -n1 ./a : -n2 ./b") == ["./a", "./b"]


def test_each_program_of_a_multi_prog_file_runs() -> None:
    table = "# tasks program\n0   ./master %t\n1-3 python x.py --rank %o\n\n"
    assert run("srun --multi-prog conf__txt", conf__txt=table) == ["srun --multi-prog conf__txt"]
    assert run("srun -n 4 --multi-prog conf.txt", conf__txt=table) == ["./master %t", "python x.py --rank %o"]
    assert run("srun --multi-prog ./conf.txt", conf__txt=table) == ["./master %t", "python x.py --rank %o"]
    assert run(f"cat > conf.txt <<EOF\n{table}EOF\nsrun --multi-prog conf.txt") == [
        "./master %t",
        "python x.py --rank %o",
    ]
    assert run("srun --multi-prog elsewhere.txt") == ["srun --multi-prog elsewhere.txt"]


def test_a_program_within_all_this_is_read() -> None:
    counting = {"x.py": "import os\nos.cpu_count()\n", "conf.txt": "0 ./a\n1 python x.py\n"}
    for command in (
        "srun --multi-prog conf.txt",
        "srun --container-image img.sqsh python x.py",
        "singularity exec --nv img.sif bash -c 'cd /x && python x.py'",
        "torchrun --nproc_per_node 4 x.py",
    ):
        findings = check(f"{HEAD}{command}\n", files=counting)
        assert [(finding.code, finding.path) for finding in findings] == [("RK702", "x.py")], command


def test_the_name_within_a_string_is_corrected_there() -> None:
    (finding,) = check(f"{HEAD}srun bash -c 'cd x; RScript work.R'\n")
    assert (finding.code, finding.mended) == ("RK601", "srun bash -c 'cd x; Rscript work.R'")
    assert check(f"{HEAD}command -v RScript\nRscript work.R\n") == []


def test_the_first_command_that_computes() -> None:
    script = known_context("#!/bin/bash\nbash -c 'cd x; echo 1'\nsrun bash -c 'mkdir y; ./a'\n")
    working = working_command(script)
    assert working
    assert (working.name, working.line) == ("a", 3)


def test_a_launcher_is_not_the_program_that_computes() -> None:
    without_memory = HEAD.replace("#SBATCH --mem=1G\n", "")
    for command, named in {"srun --multi-prog x.txt": "it", "srun --container-image img prog": "prog"}.items():
        (finding,) = check(f"{without_memory}{command}\n")
        assert f"killed when {named} needs more" in finding.why


def test_a_name_that_stands_twice_in_a_string_is_left_to_the_user() -> None:
    (finding,) = check(f"{HEAD}bash -c 'echo RScript; RScript work.R'\n")
    assert (finding.code, finding.mended, finding.safe) == ("RK601", None, False)


def test_a_file_of_programs_that_names_itself_ends() -> None:
    table = "0 srun --multi-prog conf.txt\n1 srun --multi-prog conf.txt\n"
    script = known_context("#!/bin/bash\nsrun --multi-prog conf.txt\n", files={"conf.txt": table})
    assert len(programs_run(script, script.shell.commands[0])) == 1000


WORDS = st.sampled_from(
    [*WRAPPERS, "-n", "-c", "--", "-m", ":", ":::", "A=1", "--multi-prog", "x.py", "run", "exec", "./a", "'b c'", "$D"]
)


@given(st.lists(WORDS, min_size=1, max_size=12), st.booleans())
@settings(max_examples=200)
def test_any_command_runs_something(words: list[str], quoted: bool) -> None:
    command = " ".join(words)
    script = known_context(f"#!/bin/bash\nbash -c '{command}'\n" if quoted else f"#!/bin/bash\n{command}\n")
    for given_command in script.shell.commands:
        found = programs_run(script, given_command)
        assert found
        assert all(words for words in found)
