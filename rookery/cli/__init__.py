"""The command line: Invoke's program, the commands' flags and help, and usage errors."""
