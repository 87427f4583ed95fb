#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=4G
source /etc/profile
init=$HOME/.bashrc
. $init
conda activate genomics
python call_variants.py sample.bam
