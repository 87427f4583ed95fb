"""What is said on a computer that rookery does not run on."""

import subprocess
import sys

WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = None
import rookery.support.doctor.command
"""


def test_doctor_is_there_on_windows_which_has_no_fcntl() -> None:
    """It says what to use instead."""
    completed = subprocess.run([sys.executable, "-c", WITHOUT_FCNTL], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
