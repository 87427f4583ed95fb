"""The command `doctor`: why something does not work, and how to fix it."""
