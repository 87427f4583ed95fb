#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=20
#SBATCH --mem-per-cpu=2G
source /etc/profile
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_ADDR=$head
for seed in $(seq 1 40); do
    srun --ntasks=1 --nodes=1 --exact ./walk --seed "$seed" > "walk_$seed.txt" &
done
wait
tar -czf walks.tar.gz walk_*.txt
