"""Programs that are sent to a cluster and run there, on its login node's Python: 3.6 or newer, and nothing else.

A program is a module with a `main`, which clusters/login_node/remote_client.py sends with all that it imports, and a
request in JSON; what it answers is JSON too, in the frame of rookery/remote/frame.py.
"""
