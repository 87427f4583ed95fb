"""Make a project of the code in a folder: what is there, what is proposed, and the command `init`."""
