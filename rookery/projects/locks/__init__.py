"""Read lock files: the packages that an environment must have, and whether the lock is older than the project file."""
