"""What runs on clusters: Python 3.6's standard library and POSIX sh. Nothing here imports anything else of rookery."""
