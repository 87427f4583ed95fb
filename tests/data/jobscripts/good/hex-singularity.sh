#!/bin/bash
#SBATCH --partition=a2000-6h
#SBATCH --gres=gpu:nvidia_rtx_a2000:1
#SBATCH --time=6:00:00
#SBATCH --mail-type=FAIL,TIME_LIMIT
#SBATCH --mail-user=a.student@example.ac.uk
apptainer run --nv "$HOME/storage/whisper.sif" transcribe --model small interviews/*.wav
