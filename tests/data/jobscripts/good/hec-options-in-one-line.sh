#!/bin/bash
#SBATCH -J 'two words' -p serial -n1 -c 1 -t90 --mem 750M -o job-%j.txt -e job-%j.txt -H
#SBATCH --comment "paid by grant 12/34 # not a comment"   # a comment
. /etc/profile
./simulate --long --quiet
