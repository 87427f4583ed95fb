#!/usr/bin/env bash
#SBATCH --mem=4G
source /etc/profile
module add miniforge
eval "$(conda shell.bash hook)"
conda activate "$global_storage/env"
python - <<'PY'
import os
# multiprocessing.cpu_count() would be wrong
print(len(os.sched_getaffinity(0)), "os.cpu_count()")
PY
