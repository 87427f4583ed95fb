"""What runs have used, by job of a project, and what to ask for next time."""
