#! /bin/sh
#SBATCH --partition PenguinPartition
hostname
