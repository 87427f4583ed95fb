#!/bin/bash
# How to run it: sbatch --export=ALL,SITE=north hec-submitted-from-a-loop.sh
#   sbatch --array=1-3 --mem=8G hec-submitted-from-a-loop.sh north
#SBATCH --partition=serial
#SBATCH --mem=2G
source /etc/profile
./kriging --site "${SITE:-$1}"
