#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
source /etc/profile
python3 - <<'PY'
import os
print(os.cpu_count())
PY
