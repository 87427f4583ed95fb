"""The command `profile`: one task under a profiler, and where its time went."""
