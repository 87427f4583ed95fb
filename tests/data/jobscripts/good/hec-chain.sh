#!/bin/bash
# Three steps, each of which begins when the one before has succeeded
#SBATCH --partition=serial
#SBATCH --mem=500M
#SBATCH --time=00:05:00
source /etc/profile
first=$(sbatch --parsable prepare.sh)
second=$(sbatch --parsable --dependency=afterok:"$first" fit.sh)
sbatch --dependency=afterok:"$second" --mail-type=END --mail-user=a.student@example.ac.uk report.sh
echo "submitted $first and $second"
