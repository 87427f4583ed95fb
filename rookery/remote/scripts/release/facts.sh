# shellcheck shell=sh disable=SC1003,SC2329
# Written by rookery. Job scripts run it in the release: the first task of a job notes here what it runs in, for the
# record of the run: ~/projects/NAME/runs/facts/NUMBER.json (rookery runs NUMBER). A job does not depend on it.
exec 2>/dev/null
[ -n "$SLURM_JOB_ID" ] && [ "$SLURM_ARRAY_TASK_ID" = "$SLURM_ARRAY_TASK_MIN" ] && [ -d ../../runs ] || exit 0
export LC_ALL=C
number=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}
file=../../runs/facts/$number.json

text() { printf '"%s"' "$(printf '%s' "$*" | tr -cd '\040-\176' | tr -d '"\\' | cut -c1-300)"; }
lines() { # a list of the lines of standard input
  comma=
  printf '['
  while read -r line; do
    printf '%s%s' "$comma" "$(text "$line")"
    comma=', '
  done
  printf ']'
}
first() { timeout 20 "$@" </dev/null 2>&1 | head -n 1; }
cpu() {
  name=$(lscpu | sed -n 's/^Model name: *//p' | head -n 1)
  [ -n "$name" ] || name=$(sed -n 's/^\(model name\|cpu\)[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
  printf '%s' "$name"
}
system() { (. /etc/os-release && printf '%s' "$PRETTY_NAME"); }
r() { first R --version | sed -n 's/^R version \([0-9.]*\).*/\1/p'; }
python() { first "$(command -v python || command -v python3)" -V | sed -n 's/^Python \([^ ]*\).*/\1/p'; }
slurm() { first scontrol --version | sed -n 's/^slurm[^ ]* //p'; }
gpus() {
  [ -z "$CUDA_VISIBLE_DEVICES" ] || timeout 20 nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
}

mkdir -p "${file%/*}" && {
  printf '{"version": 1, "id": %s, "when": %s' "$(text "$number")" "$(text "$(date -u +%Y-%m-%dT%H:%M:%SZ)")"
  for word in cpu system r python slurm; do
    printf ', "%s": %s' "$word" "$(text "$($word)")"
  done
  printf ', "node": %s, "architecture": %s, "kernel": %s' "$(text "$(uname -n)")" "$(text "$(uname -m)")" "$(text "$(uname -r)")"
  printf ', "glibc": %s' "$(text "$(getconf GNU_LIBC_VERSION | sed 's/^glibc //')")"
  printf ', "modules": %s' "$(printf '%s\n' "$LOADEDMODULES" | tr ':' '\n' | sed '/^$/d' | lines)"
  printf ', "gpus": %s}\n' "$(gpus | lines)"
} >"$file.new" && mv "$file.new" "$file"
exit 0
