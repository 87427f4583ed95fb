#!/bin/tcsh
#SBATCH --partition=serial
#SBATCH --mem=3G
#SBATCH --time=06:00:00
#SBATCH --output=orbit_%j.log
source /etc/csh.login
setenv OMP_NUM_THREADS 1
if ( ! -d plots ) mkdir plots
foreach mass (0.5 1.0 2.0)
    ./orbit --mass $mass > plots/orbit_$mass.dat
end
