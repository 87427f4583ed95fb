"""The options of sbatch by Slurm's version, from its source; bin/make_sbatch_table.py writes this file."""

from typing import Final

VERSIONS: Final = "19.05 20.02 20.11 21.08 22.05 23.02 23.11 24.05 24.11 25.05 25.11 26.05"

SBATCH: Final = """
account required A 19.05 26.05
acctg-freq required - 19.05 26.05
array required a 19.05 26.05
autocomplete required - 23.02 26.05
batch required - 19.05 26.05
bb required - 19.05 26.05
bbf required - 19.05 26.05
begin required b 19.05 26.05
chdir required D 19.05 26.05
checkpoint required - 19.05 19.05
cluster required - 19.05 26.05
cluster-constraint required - 19.05 26.05
clusters required M 19.05 26.05
comment required - 19.05 26.05
consolidate-segments none - 25.11 26.05
constraint required C 19.05 26.05
container required - 21.08 26.05
container-id required - 23.02 26.05
container-type required - 26.05 26.05
context required - 21.08 26.05
contiguous none - 19.05 26.05
core-spec required S 19.05 26.05
cores-per-socket required - 19.05 26.05
cpu-freq required - 19.05 26.05
cpus-per-gpu required - 19.05 26.05
cpus-per-task required c 19.05 26.05
deadline required - 19.05 26.05
delay-boot required - 19.05 26.05
dependency required d 19.05 26.05
distribution required m 19.05 26.05
error required e 19.05 26.05
exclude required x 19.05 26.05
exclusive optional - 19.05 26.05
export required - 19.05 26.05
export-file required - 19.05 26.05
external none - 25.05 26.05
extra required - 23.02 26.05
extra-node-info required B 19.05 26.05
get-user-env none - 25.05 26.05
get-user-env optional - 19.05 24.11
gid required - 19.05 26.05
gpu-bind required - 19.05 26.05
gpu-freq required - 19.05 26.05
gpus required G 19.05 26.05
gpus-per-node required - 19.05 26.05
gpus-per-socket required - 19.05 26.05
gpus-per-task required - 19.05 26.05
gres required - 19.05 26.05
gres-flags required - 19.05 26.05
help none h 19.05 26.05
hint required - 19.05 26.05
hold none H 19.05 26.05
ignore-pbs none - 19.05 26.05
input required i 19.05 26.05
job-name required J 19.05 26.05
kill-on-invalid-dep required - 19.05 26.05
licenses required L 19.05 26.05
mail-type required - 19.05 26.05
mail-user required - 19.05 26.05
mcs-label required - 19.05 26.05
mem required - 19.05 26.05
mem-bind required - 19.05 26.05
mem-per-cpu required - 19.05 26.05
mem-per-gpu required - 19.05 26.05
mem-update required - 26.05 26.05
mincpus required - 19.05 26.05
network required - 19.05 26.05
nice optional - 19.05 26.05
no-kill optional k 19.05 26.05
no-requeue none - 19.05 26.05
nodefile required F 19.05 26.05
nodelist required w 19.05 26.05
nodes required N 19.05 26.05
ntasks required n 19.05 26.05
ntasks-per-core required - 19.05 26.05
ntasks-per-gpu required - 20.11 26.05
ntasks-per-node required - 19.05 26.05
ntasks-per-socket required - 19.05 26.05
ntasks-per-tres required - 20.11 26.05
oom-kill-step optional - 24.11 26.05
open-mode required - 19.05 26.05
output required o 19.05 26.05
overcommit none O 19.05 26.05
oversubscribe none s 19.05 26.05
parsable none - 19.05 26.05
partition required p 19.05 26.05
power required - 19.05 23.11
prefer required - 22.05 26.05
priority required - 19.05 26.05
profile required - 19.05 26.05
propagate optional - 19.05 26.05
qos required q 19.05 26.05
quiet none Q 19.05 26.05
reboot none - 19.05 26.05
requeue none - 19.05 25.05
requeue optional - 25.11 26.05
reservation required - 19.05 26.05
resources required - 25.11 26.05
resv-ports optional - 24.05 26.05
segment required - 24.05 26.05
signal required - 19.05 26.05
sockets-per-node required - 19.05 26.05
spread-job none - 19.05 26.05
spread-segments none - 25.11 26.05
stepmgr none - 24.05 26.05
switches required - 19.05 26.05
tasks-per-node required - 19.05 26.05
test-only none - 19.05 26.05
thread-spec required - 19.05 26.05
threads-per-core required - 19.05 26.05
time required t 19.05 26.05
time-min required - 19.05 26.05
tmp required - 19.05 26.05
tres-bind required - 23.11 26.05
tres-per-task required - 23.02 26.05
uid required - 19.05 26.05
usage none - 19.05 26.05
use-min-nodes none - 19.05 26.05
verbose none v 19.05 26.05
version none V 19.05 26.05
wait none W 19.05 26.05
wait-all-nodes required - 19.05 26.05
wckey required - 19.05 26.05
wrap required - 19.05 26.05
"""
"""A line an option: its name, whether it takes a value, its letter or `-`, the first and the last version so."""

OTHERS: Final = """
accel-bind - srun
async - srun
bcast - srun
bcast-exclude - srun
bell - salloc
compress - srun
cpu-bind - srun
cpu_bind - srun
debugger-test - srun
disable-status X srun
epilog - srun
exact - srun
external-launcher - srun
het-group - srun
ignore-signals - srun
immediate I srun salloc
interactive - srun
jobid - srun
kill-command K salloc
kill-on-bad-exit K srun
label l srun
mpi - srun
msg-timeout - srun
multi-prog - srun
no-allocate Z srun
no-bell - salloc
no-shell - salloc
overlap - srun
pack-group - srun
preserve-env E srun
prolog - srun
pty - srun
quit-on-interrupt - srun
relative r srun
send-libs - srun
slurmd-debug - srun
task-epilog - srun
task-prolog - srun
threads T srun
treewidth - srun
unbuffered u srun
wait-for-children - srun
whole - srun
x11 - srun salloc
"""
"""The options of srun and salloc that sbatch has had in none of these versions: name, letter or `-`, programs."""
