#!/bin/bash
#SBATCH --partition=a5000-6h
#SBATCH --gres=gpu:2
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=05:30:00
#SBATCH --output=bert_%j.log
source "$HOME/venvs/bert/bin/activate"
export HF_HOME=$HOME/storage/huggingface
srun python finetune.py --model bert-base --gpus 2
