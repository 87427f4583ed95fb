"""Ask a cluster what it is like, and turn its answers into the values of a profile."""
