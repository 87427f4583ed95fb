"""Miniatures of clusters on this machine: real sshd, Slurm, modules and storage, made from clusters' own profiles."""
