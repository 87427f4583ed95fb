"""Programs that are sent to a cluster and run there, on its login node's Python: 3.6 or newer, and nothing else.

Each is a file with a `main`, which clusters/login_node/remote_client.py sends behind basics.py and forms.py, with a
request in JSON; what it answers is JSON too, behind a mark that nothing else prints.
"""
