#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --mail-type=END
#SBATCH --mail-user=<netid>@example.edu
source /etc/profile
module add R/4.3.1
Rscript fit.R
