#!/bin/bash
#PBS -N coverage
#PBS -l walltime=01:00:00,mem=2gb
cd $PBS_O_WORKDIR
./simulate
