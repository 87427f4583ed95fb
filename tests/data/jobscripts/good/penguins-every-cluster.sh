#!/bin/bash
#SBATCH --mem=1G
if [ "$(hostname -d)" = hec ]; then
    source /etc/profile
    module add R/4.3.1
fi
module() { echo "my own"; }
module whatever
Rscript work.R
