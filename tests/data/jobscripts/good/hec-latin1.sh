#!/bin/bash
# Written in an editor of another century: café créme
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
./estimate --title "café"
