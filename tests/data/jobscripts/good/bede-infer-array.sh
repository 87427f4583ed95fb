#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=infer
#SBATCH --gres=gpu:t4:1
#SBATCH --array=0-19
#SBATCH --time=2:00:00
#SBATCH --output=infer_%A_%a.log
./classify --shard "$SLURM_ARRAY_TASK_ID" --of 20
