#!/bin/bash
#SBATCH --partition=gpu-medium
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=6
#SBATCH --mem=48G
#SBATCH --time=1-12:00:00
source /etc/profile
export APPTAINER_CACHEDIR=$global_scratch/apptainer
apptainer exec --nv --bind "$global_storage/corpus:/corpus" "$global_storage/nlp.sif" \
    python3 /opt/finetune.py --corpus /corpus --epochs 3
