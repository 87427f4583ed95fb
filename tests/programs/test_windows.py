"""What is said on a computer that rookery does not run on."""

import subprocess
import sys

WITHOUT_UNIX = """
import sys
sys.modules |= dict.fromkeys(("fcntl", "grp", "pwd", "resource", "termios"))
import rookery.support.doctor.command
"""


def test_doctor_is_there_on_windows_which_lacks_modules() -> None:
    """It says what to use instead."""
    completed = subprocess.run([sys.executable, "-c", WITHOUT_UNIX], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
