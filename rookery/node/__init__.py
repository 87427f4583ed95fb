"""`ssh NAME-job`: a job on a compute node that one can log in to, started where there is none.

The job (rookery/jobs/there/keeper.py) starts an sshd of the person's own for each connection; relay.py there carries
the connection to it, run by srun in the same job. No port is opened, and no node's own sshd is asked.
"""

JOB = "rookery-code"
"""The job's name, by which it is found again."""

SUFFIX = "-job"
"""What its Host entry has behind the cluster's name."""
