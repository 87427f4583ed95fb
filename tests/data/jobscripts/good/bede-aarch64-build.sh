#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=ghlogin
#SBATCH --time=02:00:00
make -j 8 -C solver
