"""The code that runs on clusters: Python 3.6's standard library and POSIX sh. It imports nothing else of rookery."""
