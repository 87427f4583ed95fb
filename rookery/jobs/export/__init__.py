"""The command `export`: settings of other tools for a cluster, from its profile."""
