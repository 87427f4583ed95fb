#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
cd "$(dirname "$0")" || exit 1
./simulate
