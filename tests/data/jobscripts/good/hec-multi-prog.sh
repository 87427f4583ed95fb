#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --ntasks=4
#SBATCH --mem=4G
#SBATCH --time=01:00:00
source /etc/profile
cat > programs.conf <<'CONF'
0   ./server --port 4242
1-3 ./client --rank %t
CONF
srun --multi-prog programs.conf
