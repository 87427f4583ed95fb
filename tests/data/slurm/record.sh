#!/bin/bash
# Prints what Slurm's commands answer in some situations, as the tests of its versions read it. Run by a user of a miniature of HEC
# that has had no jobs yet, once for each version (README.md).
cd "$(mktemp -d)" || exit 1
export SLURM_TIME_FORMAT=%s
separator=$'\x1f'

say() { # NAME COMMAND…: a line with the name, then the command's output on both streams
  printf '=== %s\n' "$1"
  shift
  "$@" 2>&1
}
form() { # LETTERS: squeue's format, each field with the separator behind it
  printf '%s' "$1" | sed "s/./%&$separator/g"
}
job() { sbatch --parsable --mem=50M --time=5 "$@"; }

cat >task.sh <<'END'
#!/bin/bash
srun true
sleep "$1"
exit "$2"
END

say sinfo-version sinfo --version
say sinfo sinfo -h -e -O Partition:64,Available:12,Time:24,Nodes:10,StateLong:24,CPUsState:32,Gres:256,GresUsed:256
say config scontrol show config
say partitions scontrol show partition --oneliner
say nodes scontrol show node --oneliner
say unknown-squeue squeue --noheader --states=all --format=%i -j 99999
say unknown-scontrol scontrol show job 99999

refused() { # NAME OPTION…
  name=$1
  shift
  say "refused-$name" sbatch --parsable "$@" --wrap true
}
refused partition --partition=nix
refused constraint --constraint=nix
refused gpu --gres=gpu:nix:1
refused array --array=1-900000
refused option --nix
refused value --time=nix
say refused-script sbatch /dev/null

array=$(job --job-name=array --array=1-6%2 --cpus-per-task=2 --output='log-%A_%4a.txt' task.sh 5 0)
failing=$(job --job-name=failing --array=1-2 task.sh 0 3)
held=$(job --job-name=held --hold task.sh 0 0)
dependent=$(job --job-name=dependent --dependency="afterok:$held" task.sh 0 0)
gpus=$(job --job-name=gpus --partition=gpu-short --gres=gpu:nvidia_h200_nvl:2 task.sh 30 0)
until [ "$(squeue --noheader -t running -o %i | wc -l)" -eq 3 ]; do sleep 0.2; done
until [ "$(sacct -X -n -j "$failing" -o State | grep -c FAILED)" -eq 2 ]; do sleep 0.2; done
say sinfo-busy sinfo -h -e -O Partition:64,Available:12,Time:24,Nodes:10,StateLong:24,CPUsState:32,Gres:256,GresUsed:256
say running scontrol show job "${array}_1"
say waiting scontrol show job "$held"
say squeue squeue --noheader -t all -u "$USER" -o "$(form iFKjTrMlSeCmZPVE)"
scancel "$held"
until [ "$(sacct -X -n -j "$array" -o State | grep -c COMPLETED)" -ge 2 ]; do sleep 0.2; done
scancel "$array" "$gpus" "$dependent"
until [ "$(sacct -X -n -j "$array,$gpus,$dependent" -o State | grep -c CANCELLED)" -ge 3 ]; do sleep 0.2; done
sleep 2 # for the steps of those that were cancelled
fields=JobID,JobIDRaw,JobName,State,ExitCode,ElapsedRaw,TimelimitRaw,ReqMem,MaxRSS,TotalCPU,AllocCPUS,NNodes,NTasks
fields=$fields,Reason,WorkDir,Partition,Submit,Start,End
say sacct sacct --noheader --parsable --delimiter "$separator" --format "$fields" -u "$USER" -j "$array,$failing,$held,$dependent,$gpus"
