"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from odibi_magics import secret

if TYPE_CHECKING:
    from odibi_magics.sandbox import Cloud

# A shell starts background jobs with SIGINT ignored, and children inherit that: the tests of Stop would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines differ, and are busy: how long examples take says nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# The progress is among what is tested, whatever the caller's shell says of it.
os.environ.pop("ODIBI_PROGRESS", None)


@pytest.fixture(scope="session")
def practice_cloud() -> Iterator[Cloud]:
    """One practice cloud for all tests: starting takes seconds. For data that several tests share."""
    from aiohttp import connector

    from odibi_magics.sandbox import Cloud

    with Cloud.start() as started:
        # aiohttp, which adlfs stands on, reads the CAs once, when it is imported; an earlier test may have done that.
        connector._SSL_CONTEXT_VERIFIED.load_verify_locations(started.environment["SSL_CERT_FILE"])
        yield started


@pytest.fixture
def cloud(practice_cloud: Cloud) -> Iterator[Cloud]:
    """The practice cloud with this process inside, and no faults. What is in the accounts is not cleared.

    The libraries read proxy and CAs when they make a client, so that setting them this late is early enough.
    """
    practice_cloud.clear()
    with pytest.MonkeyPatch.context() as patch:  # of its own: a test that undoes its patches stays inside
        for name, value in practice_cloud.environment.items():
            patch.setenv(name, value)
        yield practice_cloud


@pytest.fixture(scope="session")
def spark(
    practice_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Any]:
    """One Spark session with Delta for all tests that ask for it: a classic one, or with `--connect` one of Connect.

    Its JVM lives in the practice cloud, which it must be told when it starts.
    """
    from tests.spark import sessions

    start = sessions.connect if pytestconfig.getoption("connect") else sessions.classic
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", practice_cloud.environment["JAVA_TOOL_OPTIONS"])
        yield from start(tmp_path_factory.mktemp("spark"))


@pytest.fixture(autouse=True)
def _no_secrets_of_others() -> Iterator[None]:
    """What a test makes a secret of is none for those behind it: they may use the same text for something else."""
    before = set(secret._known)
    yield
    secret._known.clear()
    secret._known.update(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--connect", action="store_true", help="run the tests with Spark alone, by Spark Connect"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests with Spark carry the mark `spark` and come last: while a session is active, `engine: auto` means spark.

    A process has one kind of session, so that with `--connect` all others are left out.
    """
    for item in filter(_shares_the_session, items):
        item.add_marker("spark")
    items.sort(key=lambda item: item.get_closest_marker("spark") is not None)
    if config.getoption("connect"):
        config.hook.pytest_deselected(items=[item for item in items if not _is_for_connect(item)])
        items[:] = filter(_is_for_connect, items)


def _shares_the_session(item: pytest.Item) -> bool:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return parameters.get("engine") == "spark" or "spark" in getattr(item, "fixturenames", ())


def _is_for_connect(item: pytest.Item) -> bool:
    return _shares_the_session(item) and item.get_closest_marker("classic") is None
