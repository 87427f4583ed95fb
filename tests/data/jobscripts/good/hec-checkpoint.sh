#!/bin/bash
#SBATCH --partition=gpu-short
#SBATCH --gres=gpu:tesla_v100-pcie-32gb:1
#SBATCH --mem=16G
#SBATCH --time=11:50:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=train_%x.log
source /etc/profile
module add opence/1.10.0
again() {
    echo "time is nearly up: saving, and queueing again"
    kill -TERM "$child"
    wait "$child"
    scontrol requeue "$SLURM_JOB_ID"
}
trap again USR1
python train.py --resume latest.pt &
child=$!
wait "$child"
