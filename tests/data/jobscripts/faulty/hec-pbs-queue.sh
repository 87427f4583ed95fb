#!/bin/bash
#PBS -N coverage
#PBS -q workq
#PBS -l select=1:ncpus=4:mem=2gb
cd $PBS_O_WORKDIR
./simulate
