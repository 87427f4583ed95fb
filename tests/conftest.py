"""For all tests."""

import signal

# A shell without job control starts what runs in the background with SIGINT ignored, `nohup` with SIGHUP; so would all
# programs be that tests start, and it is tested what these signals do to them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
