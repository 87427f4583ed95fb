"""Show jobs, partitions and storage on a cluster."""
