"""A project that is itself a package: what of it can be imported, as which name and version, with which commands."""
