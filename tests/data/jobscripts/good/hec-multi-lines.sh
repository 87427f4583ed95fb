#!/bin/bash
#SBATCH --partition=serial \
# a comment between
#SBATCH --mem=1G

#SBATCH --time=01:00:00     # after an empty line
   # indented comment
#SBATCH -o out_%j.txt

source /etc/profile
./simulate
