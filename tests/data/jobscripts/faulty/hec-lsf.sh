#!/bin/bash
#BSUB -J coverage
#BSUB -n 4
#BSUB -R "span[hosts=1] rusage[mem=2GB]"
#BSUB -W 1:00
./simulate $LSB_JOBINDEX
