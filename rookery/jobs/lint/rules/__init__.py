"""The table of rules: for each code what is wrong, what happens otherwise, and what `--fix` does."""
