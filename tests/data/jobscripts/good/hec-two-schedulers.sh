#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
#SBATCH --time=01:00:00
#PBS -l walltime=01:00:00
#PBS -j oe
#$ -l h_rt=01:00:00
source /etc/profile
cd "${SLURM_SUBMIT_DIR:-$PBS_O_WORKDIR}"
./simulate
