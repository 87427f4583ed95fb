#!/bin/bash
#SBATCH --account=t01
#SBATCH --partition=serial
#SBATCH --time=01:00:00
./postprocess
