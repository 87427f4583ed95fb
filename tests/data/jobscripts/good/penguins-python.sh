#!/bin/bash
#SBATCH --partition=PenguinPartition       # a comment after blanks
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=1G
#SBATCH --time=00:05:00

source ${HOME}/start-pyenv
if command -v module >/dev/null; then module load gcc; fi
time poetry run python -u work.py
