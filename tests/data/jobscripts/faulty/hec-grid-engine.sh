#!/bin/bash
#$ -N coverage
#$ -q serial
#$ -l h_rt=01:00:00
#$ -t 1-20
./simulate $SGE_TASK_ID
