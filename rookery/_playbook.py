"""ansible-playbook, as rookery runs it: a script of its own, that play.py starts. Nothing imports it.

Two things differ from the command of that name. Paramiko is kept out: Ansible imports it only to see whether it is
there, which takes a quarter of a second, and OpenSSH is the only transport here. And it ends when the process that
started it ends, however that came about: standard input is a pipe that nobody writes to, and its end is the sign.
Ansible then ends its workers and their ssh; where it can't any more (kill -9), they see that by themselves.
"""

import os
import signal
import sys
import threading


def follow(pipe: int, number: int) -> None:
    """Wait for the other end of a pipe to close, then give this process a signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # else one might not wake the main thread
    while os.read(pipe, 512):
        pass
    os.kill(os.getpid(), number)


def _watch(pipe: int, number: int) -> None:
    threading.Thread(target=follow, args=(pipe, number), daemon=True).start()


def _watch_parent(life: int, held: int) -> None:
    """In a worker just begun: Ansible alone holds the other end, and a worker's own SIGTERM ends its ssh with it."""
    os.close(held)
    _watch(life, signal.SIGTERM)


if __name__ == "__main__":
    sys.modules["paramiko"] = None  # type: ignore[assignment]  # how Python marks a module as not importable
    _watch(0, signal.SIGINT)
    life, held = os.pipe()
    os.register_at_fork(after_in_child=lambda: _watch_parent(life, held))
    from ansible.cli.playbook import main

    main(["ansible-playbook", *sys.argv[1:]])
