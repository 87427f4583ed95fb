"""The command `scale`: one job at several numbers of cores, how its time falls with them, and how many to ask for."""
