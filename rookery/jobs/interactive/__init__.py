"""Work on compute nodes: a shell, and `ssh NAME-job`."""
