"""Jobs of a project: their scripts, what is wrong with them, and their way from submission to result."""
