#!/bin/bash
#SBATCH --begin=now+2hours
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=1:00:00
#SBATCH --nice=100
#SBATCH --export=ALL,LANG=C
#SBATCH --no-requeue
source /etc/profile
python3 nightly.py
