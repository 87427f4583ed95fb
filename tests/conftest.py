"""For all tests."""

import signal

# A shell without job control starts what runs in the background with SIGINT ignored, and so would all programs that
# tests start be, whose Ctrl-C is tested. A handler is set to the default in a program that is started; ignored stays.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
