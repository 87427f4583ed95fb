#!/bin/bash
#SBATCH --account=bdlan09
./model
