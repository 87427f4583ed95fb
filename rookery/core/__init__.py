"""Parts that do not depend on clusters: errors, paths, files, locks, output."""
