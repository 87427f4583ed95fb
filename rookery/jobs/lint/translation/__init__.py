"""Translate job scripts of PBS, SGE and LSF to Slurm: a table for each scheduler, and what they have in common."""
