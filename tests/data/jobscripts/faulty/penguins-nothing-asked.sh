#!/bin/bash
#SBATCH --job-name=means
Rscript means.R
