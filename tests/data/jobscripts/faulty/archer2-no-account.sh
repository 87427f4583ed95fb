#!/bin/bash
#SBATCH --partition=standard --qos=standard
#SBATCH --nodes=2 --ntasks-per-node=128
#SBATCH --time=01:00:00
srun ./turbulence
