"""The command `run`: a job from the files on this computer to its results, in one."""
