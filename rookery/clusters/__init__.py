"""Clusters: their profiles, the ssh connections to them, and their login nodes."""
