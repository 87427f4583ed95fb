"""The command line: Invoke's program, the commands' flags and help, and what is said of one that can't be read."""
