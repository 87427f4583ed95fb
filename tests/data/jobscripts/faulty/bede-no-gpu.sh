#!/bin/bash
#SBATCH --account=bdlan09
#SBATCH --partition=gpu
./model
