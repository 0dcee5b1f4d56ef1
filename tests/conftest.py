"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from odibi_magics.sandbox import Cloud

# A shell starts background jobs with SIGINT ignored, and children inherit that: the tests of Stop would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The progress is among what is tested, whatever the caller's shell says of it.
os.environ.pop("ODIBI_PROGRESS", None)


@pytest.fixture(scope="session")
def practice_cloud() -> Iterator[Cloud]:
    """One practice cloud for all tests: starting takes seconds. For data that several tests share."""
    from odibi_magics.sandbox import Cloud

    with Cloud.start() as started:
        yield started


@pytest.fixture
def cloud(practice_cloud: Cloud) -> Iterator[Cloud]:
    """The practice cloud with this process inside, and no faults. What is in the accounts is not cleared.

    Every library we use reads proxy and CAs when it makes a client, so that setting them this late is early enough.
    """
    practice_cloud.clear()
    with pytest.MonkeyPatch.context() as patch:  # of its own: a test that undoes its patches stays inside
        for name, value in practice_cloud.environment.items():
            patch.setenv(name, value)
        yield practice_cloud
