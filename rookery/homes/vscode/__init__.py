"""VS Code: its settings on this computer, a project opened on a cluster, and old servers removed there."""
