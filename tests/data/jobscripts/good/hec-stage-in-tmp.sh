#!/bin/bash
#SBATCH --partition=serial
#SBATCH --mem=2G
source /etc/profile
cd "$TMPDIR" || exit 1
tar -xzf "$global_storage/reads.tar.gz"
"$SLURM_SUBMIT_DIR/assemble" reads/*.fastq > contigs.fasta
cp contigs.fasta "$global_scratch/contigs_${SLURM_JOB_ID}.fasta"
