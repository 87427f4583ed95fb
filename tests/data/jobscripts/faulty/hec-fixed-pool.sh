#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
source /etc/profile
python3 - <<'PY'
from multiprocessing import Pool

with Pool() as pool:
    print(sum(pool.map(abs, range(100))))
PY
