"""What all tests share."""

from __future__ import annotations

import signal

# A shell starts background jobs with SIGINT ignored, and children inherit that: the tests of Stop would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
