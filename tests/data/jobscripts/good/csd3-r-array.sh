#!/bin/bash
#SBATCH -A MYLAB-SL3-CPU
#SBATCH -p icelake
#SBATCH --array=1-50
#SBATCH --time=02:00:00
#SBATCH --output=slurm_%A_%a.out
. /etc/profile.d/modules.sh
module purge
module load rhel8/default-icl
Rscript bootstrap.R "$SLURM_ARRAY_TASK_ID"
