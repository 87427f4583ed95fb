#!/bin/bash
#SBATCH --partition=astro --gres=gpu:nvidia_l40s:2
#SBATCH --cpus-per-task=8 --mem=64G --time=24:00:00
source /etc/profile
module add miniforge/20240923
source activate "$global_storage/envs/lensing"
export CUDA_CACHE_PATH=$TMPDIR/cuda
python -m lensing.fit --survey dr4 --devices 2
