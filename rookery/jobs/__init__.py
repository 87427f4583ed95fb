"""Jobs of a project: their scripts, checks of them, and their way from submission to result."""
