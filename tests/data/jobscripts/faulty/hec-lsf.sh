#!/bin/bash
#BSUB -J coverage[1-20]
#BSUB -W 1:00
#BSUB -q serial
./simulate $LSB_JOBINDEX
