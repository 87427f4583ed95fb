#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=4G
source /etc/profile
eval "$($HOME/miniforge3/bin/conda shell.bash hook)"
conda activate genomics
python call_variants.py sample.bam
