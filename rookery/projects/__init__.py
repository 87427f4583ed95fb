"""A research project: its rookery.yml, its commit, its release on a cluster."""
