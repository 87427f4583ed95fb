#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
cat > settings.ini <<'INI'
[run]
seed = 4
INI
./simulate settings.ini
