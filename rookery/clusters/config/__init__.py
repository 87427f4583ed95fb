"""Profiles of clusters: inventories read, merged and validated."""
