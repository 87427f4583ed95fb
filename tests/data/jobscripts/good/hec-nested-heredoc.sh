#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
for n in 10 100; do
    cat > "job_$n.sh" <<JOB
#!/bin/bash
#SBATCH --job-name=size_$n
#SBATCH --partition=serial
#SBATCH --mem=1G
source /etc/profile
./simulate --size $n
JOB
    sbatch "job_$n.sh"
done
