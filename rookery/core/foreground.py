"""Run a program that asks on the user's terminal as a foreground job, as a shell would.

ssh leaves a process behind for each jump host, in the process group that it was started in. In rookery's own, the
Ctrl-C that stops a later step would end it, and the login with it.
"""

import os
import signal
import subprocess
from collections.abc import Sequence

_ENDING = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}


def run(command: Sequence[str]) -> int:
    """Run a program in the foreground of the terminal; its standard output is dropped.

    Ctrl-C, and the terminal's end, come to this process too; Ctrl-Z stops both, and `fg` lets both go on.

    Returns:
        Its exit status, negative where a signal ended it.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return _plainly(command)
    try:
        # a job in the background must not take the terminal from the one in front
        return _in_front(command, terminal) if os.tcgetpgrp(terminal) == os.getpgrp() else _plainly(command)
    finally:
        os.close(terminal)


def _plainly(command: Sequence[str]) -> int:
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode


def _in_front(command: Sequence[str], terminal: int) -> int:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0)
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it would stop this process when it hands the terminal over
    try:
        process.returncode = code = _until_ended(process.pid, terminal)
    finally:
        _hand_over(terminal, os.getpgrp())
        signal.signal(signal.SIGTTOU, before)
    if -code in _ENDING:
        os.kill(os.getpid(), -code)
    return code


def _until_ended(pid: int, terminal: int) -> int:
    while True:
        _hand_over(terminal, pid)
        os.killpg(pid, signal.SIGCONT)  # it may have asked before the terminal was its own, and been stopped for it
        status = os.waitpid(pid, os.WUNTRACED)[1]
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        if os.WSTOPSIG(status) == signal.SIGTSTP:
            _hand_over(terminal, os.getpgrp())
            os.killpg(os.getpgrp(), signal.SIGTSTP)


def _hand_over(terminal: int, group: int) -> None:
    try:
        os.tcsetpgrp(terminal, group)
    except OSError:  # the terminal is gone, or the group has ended
        return
