"""rookery: a working home on each of a university's Slurm clusters, from a laptop, without root there."""

__version__ = "0.1.0"
