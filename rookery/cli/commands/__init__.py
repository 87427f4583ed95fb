"""Every command: what it is for, its flags, one call. tasks.py puts them under their names.

What they do is elsewhere in rookery/, imported when a command runs.
"""
