"""Python's looks for unused memory, done without: it looks as modules come in, and once more through all at its end.

For a command that lasts a fifth of a second, that is a seventh of it.
"""

import atexit
import gc

gc.set_threshold(50_000)
atexit.register(gc.freeze)
