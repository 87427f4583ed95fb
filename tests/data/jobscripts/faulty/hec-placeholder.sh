#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --mail-type=END
#SBATCH --mail-user=YOUR_EMAIL_ADDRESS_HERE
source /etc/profile
module add R/4.3.1
Rscript fit.R
