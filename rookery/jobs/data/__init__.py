"""Input data on clusters: pushed there, listed, verified and removed."""
