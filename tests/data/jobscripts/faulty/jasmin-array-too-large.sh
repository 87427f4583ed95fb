#!/bin/bash
#SBATCH --account=mygws --partition=standard --qos=standard
#SBATCH --mem=1G --time=00:10:00
#SBATCH --array=1-20000%100
./simulate $SLURM_ARRAY_TASK_ID
