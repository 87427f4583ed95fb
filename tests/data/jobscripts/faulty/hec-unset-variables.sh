#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
set -eu
source /etc/profile
./simulate
