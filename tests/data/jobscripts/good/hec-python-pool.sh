#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --cpus-per-task=12
#SBATCH --mem=12G
source /etc/profile
module add miniforge/20240923
python - <<'PROGRAM'
import os
from multiprocessing import Pool

with Pool(len(os.sched_getaffinity(0))) as pool:
    print(sum(pool.map(abs, range(-1000, 1000))))
PROGRAM
