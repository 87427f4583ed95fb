"""Programs for input data on a cluster: they list, receive, download, verify and remove its data sets.

Each is sent whole (clusters/login_node/bundle.py), and answers in a frame.
"""
