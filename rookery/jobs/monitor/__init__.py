"""Jobs, partitions and storage on a cluster, looked at."""
