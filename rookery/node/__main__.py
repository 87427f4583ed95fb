"""The ProxyCommand that an earlier release wrote into ssh configurations."""

import sys

from rookery.jobs.interactive.proxy import main

sys.exit(main())
