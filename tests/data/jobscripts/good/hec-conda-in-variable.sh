#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=4G
source /etc/profile
CONDA_SH=$global_storage/miniforge3/etc/profile.d/conda.sh
source "$CONDA_SH"
conda activate genomics
python call_variants.py sample.bam
