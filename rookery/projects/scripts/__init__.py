"""Job scripts, from a job of rookery.yml and a cluster's profile."""
