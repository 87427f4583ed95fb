#!/bin/bash
#SBATCH --partition=PenguinPartition
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
#SBATCH --time=08:00:00
#SBATCH --output=notebook_%j.log
source "${HOME}/start-pyenv"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
echo "ssh -L 8888:$(hostname):$port penguins"
poetry run jupyter lab --no-browser --ip="$(hostname)" --port="$port"
