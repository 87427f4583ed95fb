"""Records of runs: shown, compared, and made again."""
