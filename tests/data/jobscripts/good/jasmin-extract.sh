#!/bin/bash
#SBATCH --account=mygws
#SBATCH --partition=standard
#SBATCH --qos=short
#SBATCH --time=02:00:00
#SBATCH --mem=2G
module load jaspy
python extract.py --region uk --year 2020
