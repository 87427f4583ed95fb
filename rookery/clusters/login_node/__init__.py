"""Login nodes: the programs that are sent to them, and their answers."""
