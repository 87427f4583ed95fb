"""What lock files say: the packages that an environment must have, and whether they are older than the project file."""
