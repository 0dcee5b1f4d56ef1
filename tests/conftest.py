"""What all tests share."""

from __future__ import annotations

import os
import signal

# A shell starts background jobs with SIGINT ignored, and children inherit that: the tests of Stop would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The progress is among what is tested, whatever the caller's shell says of it.
os.environ.pop("ODIBI_PROGRESS", None)
