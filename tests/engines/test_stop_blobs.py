"""Stop while a storage account hangs: what only reads or stages is given up, what commits is seen through."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import EngineRun, Place, Sink, Source
from odibi_magics.engines.pandas.blobs import Blobs, BlobWriter
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.errors import Cancelled, ConnectionFailed
from odibi_magics.sandbox import Cloud
from tests.engines.writing import Lake, adls

# Seconds. A request to storage that hangs ends after 15 at the earliest.
SOON = 5


@pytest.fixture
def lake(cloud: Cloud) -> Iterator[Lake]:
    made = Lake(None, adls(cloud))  # type: ignore[arg-type]
    made.write({"id": [1, 2]})
    made.connection.put("a.csv", b"id\n1\n")
    yield made
    cloud.clear()
    made.session.close()


def given_up(calls: Callable[[], Any], stop: Callable[[], None], error: type[BaseException]) -> None:
    """That a stop one second later ends the call."""
    threading.Timer(1, stop).start()
    began = time.monotonic()
    with pytest.raises(error):
        calls()
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize(("path", "format_"), [("t", "delta"), ("a.csv", "csv"), ("*.csv", "csv")])
def test_a_plan_ends_at_an_interrupt(cloud: Cloud, lake: Lake, path: str, format_: str) -> None:
    engine = PandasEngine()
    source = Source(Place(lake.connection, path, format_))
    cloud.storage("account2").hang()
    pid = os.getpid()
    given_up(lambda: engine.describe_source(source), lambda: os.kill(pid, signal.SIGINT), KeyboardInterrupt)


@pytest.mark.parametrize(("path", "format_"), [("t", "delta"), ("a.csv", "csv"), ("*.csv", "csv")])
def test_a_read_ends(cloud: Cloud, lake: Lake, path: str, format_: str) -> None:
    place = Place(lake.connection, path, format_)
    run: EngineRun[Any] = PandasEngine().open([place])
    cloud.storage("account2").hang()
    given_up(lambda: run.read(Source(place)), run.cancel, Cancelled)
    run.close()


@pytest.mark.parametrize("path", ["t", "a.csv"])
def test_a_write_of_what_is_read_ends(cloud: Cloud, lake: Lake, tmp_path: Path, path: str) -> None:
    place = Place(lake.connection, path, "csv" if path == "a.csv" else "delta")
    to = Place(LocalConnection("local", tmp_path), "out", "delta")
    run: EngineRun[Any] = PandasEngine().open([place, to])
    frame = run.read(Source(place))
    cloud.storage("account2").hang()
    write = partial(run.write, frame, Sink(to), checks=(), mark="{}", progress=lambda rows: None)
    given_up(write, run.cancel, Cancelled)
    assert not list(tmp_path.rglob("*.parquet"))
    run.close()


def test_an_upload_that_failed_is_not_asked_again(cloud: Cloud, lake: Lake) -> None:
    """Else obstore panics, in words on stderr, or ends the upload of half a file."""
    url = lake.connection.url("half")
    writer = BlobWriter(Blobs(lake.connection), url)  # type: ignore[arg-type]
    cloud.storage("account2").refuse("AuthorizationFailure")
    for _ in range(8):
        with suppress(ConnectionFailed, OSError):
            writer.write(bytes(4 << 20))
    cloud.clear()
    with pytest.raises(OSError, match="has failed"):
        writer.write(b"more")
    writer.close()
    assert not Blobs(lake.connection).exists(url)  # type: ignore[arg-type]
