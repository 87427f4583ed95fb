"""A project that is itself a package: its import folders, name, version and commands."""
