"""Options of PBS, SGE and LSF in Slurm's terms: each that there is, and those that Slurm can't say."""

import pytest
from translating import BEDE, HEC, notes, options, translated

MPI = "cd work\nmpirun ./model\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-N seals", "--job-name=seals"),
        ("-N 'two words'", "--job-name='two words'"),
        ("-l walltime=1:30:00", "--time=01:30:00"),
        ("-l walltime=5400", "--time=01:30:00"),
        ("-l walltime=3:0:0:0", "--time=3-00:00:00"),
        ("-l walltime=00:00:90", "--time=00:01:30"),
        ("-lmem=4gb", "--mem=4G"),
        ("-l mem=1500mb", "--mem=1500M"),
        ("-l mem=16GB,ncpus=4,walltime=10:00", "--cpus-per-task=4\n--mem=16G\n--time=00:10:00"),
        ("-l nodes=1:ppn=8", "--cpus-per-task=8"),
        ("-l nodes=2:ppn=8:gpus=2", "--nodes=2\n--ntasks-per-node=8\n--gres=gpu:2"),
        ("-l nodes=2:ppn=4,mem=16gb", "--nodes=2\n--ntasks-per-node=4\n--mem=8G"),
        ("-l nodes=2:ppn=4,pmem=2gb", "--nodes=2\n--ntasks-per-node=4\n--mem-per-cpu=2G"),
        ("-l procs=24", "--ntasks=24"),
        ("-l procs=24,mem=48gb", "--ntasks=24\n--mem-per-cpu=2G"),
        ("-l select=1:ncpus=8:mem=32gb", "--cpus-per-task=8\n--mem=32G"),
        ("-l select=2:ncpus=16:mpiprocs=4:ompthreads=4", "--nodes=2\n--ntasks-per-node=4\n--cpus-per-task=4"),
        ("-l select=1:ncpus=4:ngpus=1:mem=16gb", "--cpus-per-task=4\n--mem=16G\n--gres=gpu:1"),
        ("-l select=32:ncpus=1:mem=2gb", "--ntasks=32\n--mem-per-cpu=2G"),
        ("-l select=ncpus=2", "--cpus-per-task=2"),
        ("-l select=2:ncpus=36,place=scatter:excl", "--nodes=2\n--ntasks-per-node=1\n--cpus-per-task=36\n--exclusive"),
        ("-l naccesspolicy=singlejob", "--exclusive"),
        ("-J 1-100:2", "--array=1-100:2"),
        ("-t 0-99%5", "--array=0-99%5"),
        ("-t 1,3,5-7", "--array=1,3,5-7"),
        ("-q serial", "--partition=serial"),
        ("-q serial@server", "--partition=serial"),
        ("-joe", ""),
        ("-j oe -o run.log", "--output=run.log"),
        ("-o a.out -e a.err", "--output=a.out\n--error=a.err"),
        ("-o login1:/scratch/me/a.out -joe", "--output=/scratch/me/a.out"),
        ("-o logs/${PBS_JOBNAME}.o${PBS_JOBID}.log -j oe", "--output=logs/%x.o%j.log"),
        ("-o $PBS_O_WORKDIR/logs/a.out -j oe", "--output=logs/a.out"),
        ("-o logs/^array_index^.out -J 1-9 -joe", "--output=logs/%a.out\n--array=1-9"),
        ("-m abe -M ada@example.org", "--mail-type=FAIL,BEGIN,END\n--mail-user=ada@example.org"),
        ("-M ada@example.org", "--mail-type=FAIL\n--mail-user=ada@example.org"),
        ("-m n", "--mail-type=NONE"),
        ("-V -k oe -S /bin/bash", ""),
        ("-v A=1,B,C=x", "--export=ALL,A=1,C=x"),
        ("-r n", "--no-requeue"),
        ("-r y", "--requeue"),
        ("-h", "--hold"),
        ("-a 202601311800", "--begin=2026-01-31T18:00"),
        ("-a 1800", "--begin=18:00"),
        ("-d /scratch/me", "--chdir=/scratch/me"),
        ("-W block=true", "--wait"),
        ("-p -10", "--nice=10"),
        ("-W depend=afterok:12.server:13,afterany:14[]", "##SBATCH --dependency=afterok:12:13,afterany:14"),
    ],
)  # fmt: skip
def test_options_of_pbs(line: str, expected: str) -> None:
    assert options(f"#PBS {line}").splitlines() == expected.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-l nodes=1:ppn=8", "--nodes=1\n--ntasks-per-node=8"),
        ("-l ncpus=8", "--nodes=1\n--ntasks=8"),
        ("-l select=4:ncpus=8", "--nodes=4\n--ntasks-per-node=1\n--cpus-per-task=8"),
        ("-l select=4:ncpus=8:ompthreads=2", "--nodes=4\n--ntasks-per-node=4\n--cpus-per-task=2"),
    ],
)
def test_cores_of_pbs_are_for_processes_where_some_are_started(line: str, expected: str) -> None:
    assert options(f"#PBS {line}", MPI) == expected


def test_chunks_have_as_many_processes_as_mpirun_starts() -> None:
    assert options("#PBS -l select=2:ncpus=8", "cd work\nmpirun -np 16 ./m\n") == "--nodes=2\n--ntasks-per-node=8"
    assert options("#PBS -l select=2:ncpus=8", "cd work\nmpiexec -n 4 ./m\n").endswith("=2\n--cpus-per-task=4")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-N seals -cwd -V", "--job-name=seals"),
        ("-l h_rt=24:00:00", "--time=24:00:00"),
        ("-l h_rt=259200", "--time=3-00:00:00"),
        ("-l h_rt=1::", "--time=01:00:00"),
        ("-l s_rt=1:0:0", "--time=01:00:00"),
        ("-l h_vmem=4G", "--mem-per-cpu=4G"),
        ("-l h_vmem=4G,mem_free=3.5G", "--mem-per-cpu=3584M"),
        ("-pe smp 8", "--cpus-per-task=8"),
        ("-pe openmp 8 -l mem=2G", "--cpus-per-task=8\n--mem-per-cpu=2G"),
        ("-pe mpi 32", "--ntasks=32"),
        ("-l gpu=2", "--gres=gpu:2"),
        ("-l gpu", "--gres=gpu:1"),
        ("-l exclusive", "--exclusive"),
        ("-t 1-100:2 -tc 10", "--array=1-100:2%10"),
        ("-t 5", "--array=5"),
        ("-q serial", "--partition=serial"),
        ("-j y", ""),
        ("-o a_$JOB_NAME.$JOB_ID.$TASK_ID.log -j yes -t 1-9", "--output=a_%x.%A.%a.log\n--array=1-9"),
        ("-o a.$JOB_ID.$TASK_ID.log -j y", "--output=a.%j.log"),
        ("-o a.out -e a.out", "--output=a.out"),
        ("-m beas -M ada@example.org", "--mail-type=BEGIN,END,FAIL\n--mail-user=ada@example.org"),
        ("-v A=1", "--export=ALL,A=1"),
        ("-v A=1 -v B=2", "--export=ALL,A=1,B=2"),
        ("-S /bin/bash -w e -R y", ""),
        ("-r yes", "--requeue"),
        ("-wd /scratch/me", "--chdir=/scratch/me"),
        ("-p -100", "--nice=100"),
        ("-sync y", "--wait"),
        ("-hold_jid 12,13", "##SBATCH --dependency=afterany:12:13"),
        ("-hold_jid_ad 12", "##SBATCH --dependency=aftercorr:12"),
    ],
)
def test_options_of_sge(line: str, expected: str) -> None:
    assert options(f"#$ {line}").splitlines() == expected.splitlines()


def test_cores_of_sge_are_for_processes_where_some_are_started() -> None:
    assert options("#$ -pe smp 8", MPI) == "--nodes=1\n--ntasks=8"
    assert options("#$ -pe whatever 8", MPI) == "--ntasks=8"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-J seals", "--job-name=seals"),
        ('-J "seals[1-10:2]%5"', "--job-name=seals\n--array=1-10:2%5"),
        ('-J "[1,5,7-9]"', "--array=1,5,7-9"),
        ("-W 1:30", "--time=01:30:00"),
        ("-W 90", "--time=01:30:00"),
        ("-W 24:00/hostA", "--time=24:00:00"),
        ("-n 4", "--cpus-per-task=4"),
        ('-n 4 -R "span[hosts=1]"', "--cpus-per-task=4"),
        ('-n 32 -R "span[ptile=16]"', "--nodes=2\n--ntasks=32\n--ntasks-per-node=16"),
        ("-nnodes 4", "--nodes=4"),
        ('-n 4 -R "affinity[core(2)]"', "--ntasks=4\n--cpus-per-task=2"),
        ('-R "rusage[mem=4GB]"', "--mem=4G"),
        ('-R "rusage[mem=4000]"', "--mem=4000M"),
        ('-R "rusage[mem=64]"', "--mem=64G"),
        ('-R "select[mem>4000] rusage[mem=4000] order[mem]"', "--mem=4000M"),
        ("-M 5GB", "--mem=5G"),
        ("-M 4000", "--mem=4000M"),
        ("-M 4000000", "--mem=3907M"),
        ("-M 4", "--mem=4G"),
        ('-gpu "num=2:mode=exclusive_process"', "--gres=gpu:2"),
        ('-R "rusage[ngpus_excl_p=1]"', "--gres=gpu:1"),
        ("-q parallel", "--partition=parallel"),
        ("-o out.%J -e err.%J", "--output=out.%j\n--error=err.%j"),
        ('-J "a[1-9]" -o out/%J.%I', "--job-name=a\n--output=out/%A.%a\n--array=1-9"),
        ("-oo run.log", "--output=run.log"),
        ("-o run.log", "--output=run.log\n--open-mode=append"),
        ("-u ada@example.org -N -B", "--mail-type=END,FAIL,BEGIN\n--mail-user=ada@example.org"),
        ("-x -H -K", "--exclusive\n--hold\n--wait"),
        ("-r", "--requeue"),
        ("-rn", "--no-requeue"),
        ("-cwd /scratch/me", "--chdir=/scratch/me"),
        ("-b 18:00", "--begin=18:00"),
        ('-env "all, A=1"', "--export=ALL,A=1"),
        ('-w "done(12) && ended(13)"', "##SBATCH --dependency=afterok:12,afterany:13"),
        ('-w "done(12) || exit(13)"', "##SBATCH --dependency=afterok:12?afternotok:13"),
    ],
)
def test_options_of_lsf(line: str, expected: str) -> None:
    assert options(f"#BSUB {line}").splitlines() == expected.splitlines()


def test_cores_of_lsf_are_for_processes_where_some_are_started() -> None:
    assert options('#BSUB -n 8 -R "span[hosts=1]"', MPI) == "--nodes=1\n--ntasks=8"
    assert options("#BSUB -n 8,16", MPI) == "--ntasks=16"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("#PBS -q workq", "-q workq"),
        ("#PBS -A proj", "-A proj"),  # HEC needs no account
        ("#PBS -l nodes=node01:ppn=2", "node01:ppn=2"),
        ("#PBS -l nodes=1:ppn=2+2:ppn=4", "-l nodes=1:ppn=2+2:ppn=4"),
        ("#PBS -l select=1:ncpus=2:cpu_type=rome", "cpu_type=rome"),
        ("#PBS -l storage=scratch/w85", "storage=scratch/w85"),
        ("#PBS -W group_list=abc", "-W group_list=abc"),
        ("#PBS -W depend=on:2", "-W depend=on:2"),
        ("#PBS -o ~/a.out -j oe", "-o ~/a.out"),
        ("#PBS -l walltime=soon", "soon"),
        ("#PBS -I", "-I"),
        ("#PBS -q@server", "-q@server"),
        ("#PBS -l mem=0gb", "0gb"),
        ("#PBS -m n -M me@x.org", "-M me@x.org"),
        ("#PBS -v B=$HOME/x", "-v B=$HOME/x"),
        ("#PBS -l select=0:ncpus=4", "-l select=0:ncpus=4"),
        ("#PBS -l select=²:ncpus=4", "-l select=²:ncpus=4"),
        ("#PBS -l select=2:ncpus=0", "ncpus=0"),
        ("#PBS -l nodes=0:ppn=4", "0:ppn=4"),
        ("#PBS -l nodes=2:ppn=0", "ppn=0"),
        ("#PBS -l ncpus=0", "0"),
        (f"#PBS -l ncpus={'9' * 5000}", "9" * 5000),
        (f"#PBS -l walltime={'9' * 5000}", "9" * 5000),
        (f"#PBS -l mem={'9' * 5000}gb", f"{'9' * 5000}gb"),
        ("#PBS -J 1-2%²", "-J 1-2%²"),
        ("#$ -pe mpi 0", "-pe mpi 0"),
        ("#$ -t 1-2 -tc ²", "-tc ²"),
        ("#$ -N $USER", "-N $USER"),
        ("#BSUB -n 0", "-n 0"),
        ("#BSUB -n ²", "-n ²"),
        ("#BSUB -nnodes 0", "-nnodes 0"),
        ("#BSUB -R 'span[ptile=0]'", "span[ptile=0]"),
        ("#BSUB -R 'rusage[mem=²]'", "²"),
        ("#BSUB -W ²", "²"),
        ("#BSUB -J a[1-2]%²", "-J a[1-2]%²"),
        ("#$ -q long.q", "-q long.q"),
        ("#$ -l hostname=node7", "-l hostname=node7"),
        ("#$ -l scratch=1G", "scratch=1G"),
        ("#$ -hold_jid prep", "-hold_jid prep"),
        ("#$ -o $HOME/a.out -j y", "-o $HOME/a.out"),
        ("#$ -M ada@example.org", "-M ada@example.org"),  # SGE sends none without -m
        ("#$ -pe smp", "-pe smp"),
        ("#BSUB -m hostA", "-m hostA"),
        ("#BSUB -R 'select[gpu32gb]'", "select[gpu32gb]"),
        ("#BSUB -R 'rusage[mem=4GB,tmp=10]'", "rusage[tmp=10]"),
        ("#BSUB -w 'done(prep)'", "-w 'done(prep)'"),
        ("#BSUB -u ada@example.org", "-u ada@example.org"),
    ],
)
def test_what_slurm_can_t_say_stays_as_a_comment_and_is_listed(line: str, left: str) -> None:
    assert left in notes(line)
    mark = line.partition(" ")[0]
    assert f"#{mark}" in translated(f"#!/bin/bash\n{line}\ncd work\n./model\n").text


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("#PBS -m n -M me@x.org", "No mail is sent, since an option says never: --mail-type=END,FAIL sends some."),
        ("#PBS -q@server", "It names no queue."),
        ("#PBS -l mem=0gb", "In Slurm, 0 is all the memory of a node: write out how much the job needs."),
        ("#PBS -l nodes=0:ppn=4", "It is not a number above 0."),
        ("#BSUB -R 'span[ptile=0]'", "It is not a number above 0."),
    ],
)
def test_why_an_option_is_left(line: str, left: str) -> None:
    assert left in [note.why for note in translated(f"#!/bin/bash\n{line}\ncd work\n./model\n").notes]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#PBS -W depend=afterok:$ID", "--dependency=afterok:$ID"),
        ("#$ -hold_jid $ID", "--dependency=afterany:$ID"),
        ("#BSUB -w done($ID)", "--dependency=afterok:$ID"),
    ],
)
def test_a_line_that_waits_for_a_variable_is_switched_off(line: str, expected: str) -> None:
    """Sbatch expands nothing there, and refuses it."""
    assert options(line).endswith(f"##SBATCH {expected}")
    notes_of = [note.why for note in translated(f"#!/bin/bash\n{line}\ncd work\n./model\n").notes]
    assert notes_of == ["Slurm expands no variables in #SBATCH lines: pass the option to sbatch."]


def test_mpirun_on_no_chunks() -> None:
    assert notes("#PBS -l select=0:ncpus=4", "cd work\nmpirun -np 4 ./a\n") == ["-l select=0:ncpus=4"]


def test_a_queue_that_the_cluster_has_not_got_is_listed_with_the_partitions() -> None:
    note = translated("#!/bin/bash\n#PBS -q workq\ncd work\n./model\n").notes[0]
    assert note.line == 2
    assert note.why.startswith("hec has no partition workq: choose one of serial, parallel, test,")


def test_an_account_is_the_cluster_s_where_it_needs_one() -> None:
    assert options("#PBS -A proj", site=BEDE) == "--account=proj"
    assert notes("#PBS -A proj", site=BEDE) == ["-A proj"]


def test_a_partition_is_chosen_for_gpus_where_the_queue_is_not_there() -> None:
    """HEC's default partition has none."""
    lines = "#PBS -q gpuq\n#PBS -l walltime=24:00:00,select=1:ncpus=4:ngpus=1"
    assert "--partition=gpu-medium\n" in options(lines, site=HEC)
    assert notes(lines) == ["-q gpuq", "--partition=gpu-medium"]
    assert "--partition" not in options("#PBS -q gpuq\n#PBS -l ncpus=4", site=HEC)
    assert "--partition=astro" in options("#PBS -q astro\n#PBS -l ngpus=1", site=HEC)
    assert "--partition" not in options("#PBS -l walltime=2000:00:00,ngpus=1", site=HEC)  # none fits: lint says so


def test_what_is_taken_for_granted_is_listed() -> None:
    assert notes("#$ -pe whatever 8") == ["-pe whatever 8"]
    assert notes("#$ -pe smp 8") == []
    assert notes('#BSUB -n 4 -R "rusage[mem=4GB]"') == ['-R "rusage[mem=4GB]"']
    assert notes('#BSUB -R "rusage[mem=4GB]"') == []
    assert notes("#BSUB -M 4000") == ["-M 4000"]
    assert notes('#BSUB -R "rusage[mem=4000]"') == []
    assert notes('#BSUB -R "rusage[mem=64]"') == ['-R "rusage[mem=64]"']


def test_a_job_that_relies_on_starting_at_home_is_listed() -> None:
    assert notes("#PBS -N a", "./model\n") == ["./model"]
    assert notes("#PBS -N a", "cd $PBS_O_WORKDIR\n./model\n") == []
    assert notes("#$ -cwd", "./model\n") == []
    assert notes("#BSUB -J a", "./model\n") == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("#PBS -N a", "--output=%x.o%j --error=%x.e%j"),
        ("#PBS -N a\n#PBS -j oe", "--output=%x.o%j"),
        ("#PBS -J 1-9\n#PBS -j oe", "--output=%x.o%A.%a"),
        ("#PBS -j eo", "--output=%x.e%j"),
        ("#$ -N a", "--output=%x.o%j --error=%x.e%j"),
        ("#$ -N a\n#$ -j y", "--output=%x.o%j"),
        ("#$ -j y -o logs/", "--output=logs/%x.o%j"),
        ("#$ -j y -o out", "--output=out/%x.o%j"),
        ("#$ -t 1-9", "--output=%x.o%A.%a --error=%x.e%A.%a"),
        ("#BSUB -J a", ""),
    ],
)
def test_logs_are_named_as_before(lines: str, expected: str) -> None:
    text = translated(f"#!/bin/bash\n{lines}\ncd work\n", folders=("out",)).text
    logs = [word for line in text.splitlines() for word in line.split() if word.startswith(("--output", "--error"))]
    assert " ".join(logs) == expected
