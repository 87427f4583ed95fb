"""What knows no cluster: errors, paths, files, locks, output."""
