#!/usr/bin/env python3
#SBATCH --partition=serial
#SBATCH --mem=1G
"""A job script in Python: the rules of the shell do not hold in it. RScript; module activate."""
import os

print(os.environ.get("SLURM_CPUS_PER_TASK") or os.cpu_count())
