#!/bin/bash
#BATCH -p batch
#SBATCH --mem=1G
source /etc/profile
./simulate
