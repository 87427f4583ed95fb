"""Homes on clusters: applied, compared with what they should be, undone."""
