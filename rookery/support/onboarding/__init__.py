"""The command `onboard`: from a laptop with nothing on it to a first result from a cluster."""
