#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
Rscript fit.R
