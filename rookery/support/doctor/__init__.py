"""`doctor`: why something does not work, and what to do about it."""
