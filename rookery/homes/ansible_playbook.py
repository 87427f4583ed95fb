"""Run ansible-playbook: a script of its own, that playbook.py starts. Nothing imports it.

It begins to import Ansible, then reads a line of JSON from standard input: `argv`, the command line of
ansible-playbook, `environment`, variables besides those it has, and `sessions` (remote_session.py). Where none comes
there is nothing to do.

It starts and ends faster than the command of that name: paramiko is kept out, since Ansible imports it only to see
whether it is there (a quarter of a second), and OpenSSH is the only transport here; the garbage collector's repeated
passes, and taking the process apart at the end, are left out (half a second together).

And it ends when the process that started it ends, for whatever reason: nothing else comes on standard input, and its
end is the sign. Ansible then ends its workers and their ssh; where it can't any more (kill -9), they notice that
themselves.
"""

import atexit
import gc
import json
import os
import signal
import sys
import threading


def follow(pipe: int, number: int) -> None:
    """Wait for the other end of a pipe to close, then send this process a signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # else one might not wake the main thread
    while os.read(pipe, 512):
        pass
    os.kill(os.getpid(), number)


def _watch(pipe: int, number: int) -> None:
    threading.Thread(target=follow, args=(pipe, number), daemon=True).start()


def _watch_parent(life: int, held: int) -> None:
    """Watch the parent from a worker: when Ansible ends, so does the worker; its own SIGTERM ends its ssh."""
    os.close(held)
    _watch(life, signal.SIGTERM)


def _playbook() -> int:
    """Run ansible-playbook itself; return its exit code."""
    from ansible.cli.playbook import main

    from rookery.homes import remote_session  # noqa: PLC0415 start-up

    line = sys.stdin.readline()
    if not line:
        return 0
    document = json.loads(line)
    os.environ.update(document["environment"])
    remote_session.begin(document["sessions"])
    _watch(0, signal.SIGINT)
    life, held = os.pipe()
    os.register_at_fork(after_in_child=lambda: _watch_parent(life, held))
    try:
        main(["ansible-playbook", *document["argv"]])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.modules["paramiko"] = None  # type: ignore[assignment]  # how Python marks a module as not importable
    gc.set_threshold(100_000)
    code = _playbook()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
