"""The command `run`: deploy, submit, wait, fetch and combine, in one."""
