"""One run's hold on a Spark session: its settings, and its jobs under one name that a stop ends."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import Any
from uuid import uuid4

from odibi_magics.engines.base import Place
from odibi_magics.engines.spark.accounts import REDACTION, Accounts
from odibi_magics.engines.spark.failures import Failures, is_sparks
from odibi_magics.engines.spark.session import is_connect, lives
from odibi_magics.engines.spark.settings import MARK, OURS, settings_of
from odibi_magics.engines.spark.states import States
from odibi_magics.engines.waiting import never, obeying
from odibi_magics.errors import Cancelled, EngineError, OdibiError

# How often a stop is repeated, in seconds: a job that began just after the first signal would miss it.
_AGAIN = 0.2

# So many runs begin before Python's cycles are looked through, which takes some 0.1 s.
_SELDOM = 8
_begun = count(1)

_GROUP = ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel")


def let_go() -> None:
    """Has the JVM let go of what results hold there that nobody has any more, now and then as runs begin.

    What py4j holds of the JVM stands in cycles, and Python comes to old ones seldom: of each run ten plans would stay
    behind, with rows that were kept and tables that were sent to all cores.
    """
    if next(_begun) % _SELDOM == 0:
        gc.collect()


class Work:
    """What runs in a session for one run of ours; thread-safe.

    spark: the session, of either kind. states: what is known of tables.
    """

    def __init__(self, spark: Any, states: States | None = None) -> None:
        self.spark = spark
        self.states = states or States()
        self.accounts = Accounts(spark)
        self.failures = Failures(self.accounts)
        self.connect = is_connect(spark)
        self._settings = settings_of(spark)
        self._lent = ExitStack()
        self._tag = f"odibi-{uuid4().hex}"
        self._stopped = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        # Entered again by a thread that a Stop interrupts while it holds it.
        self._signals = threading.RLock()
        self._inside = threading.local()
        self._running = 0

    @property
    def lives(self) -> bool:
        """Whether the session was not stopped meanwhile."""
        return lives(self.spark)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The session as our SQL needs it. What Spark raises inside comes out as our errors.

        Raises Cancelled after `interrupt`, EngineError for what fails, and where the run is closed.
        """
        if getattr(self._inside, "depth", 0):
            with self._explained():
                yield
            return
        self.check_open()
        with self._settings.held({**OURS, **self._of_accounts()}), self._named(), self._explained():
            yield

    @contextmanager
    def marked(self, mark: str) -> Iterator[None]:
        """Commits inside carry `mark`, where no option of a writer can say it: one at a time in a session."""
        with self._settings.mark(mark):
            yield

    @property
    def takes_marks(self) -> bool:
        """Whether the session lets commits be marked where no option of a writer can; as far as it was tried."""
        return self._settings.takes(MARK)

    @contextmanager
    def held(self, settings: Mapping[str, str]) -> Iterator[None]:
        """More settings, for a while. Raises EngineError where the session takes one not that must be."""
        with self._settings.held(settings):
            yield

    @contextmanager
    def seen_through(self) -> Iterator[None]:
        """What must be known although a stop was asked for: it ends no job or request of this thread meanwhile."""
        before, named = getattr(self._inside, "deaf", False), bool(getattr(self._inside, "depth", 0))
        self._inside.deaf = True
        if named and not before:
            self._unname_jobs()
        try:
            with obeying(never):
                yield
        finally:
            self._inside.deaf = before
            if named and not before:
                self._name_jobs()

    def open_account(self, place: Place) -> None:
        """Lets the session open a place's account, as long as something of ours runs. Raises ConnectionFailed."""
        self.accounts.open(place.connection)

    def lend(self) -> None:
        """Lets the session open the run's accounts until the run is closed, for frames that are read outside of it."""
        settings = self._of_accounts()
        with self._lock:
            if settings and not self._closed:
                self._lent.enter_context(self._settings.held(settings))

    def _of_accounts(self) -> dict[str, str]:
        return self.accounts.settings(self.spark.conf.get(REDACTION, None)) if self.accounts else {}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OdibiError:
            raise
        except Exception as error:
            if not is_sparks(error):
                raise
            self.check_stopped()
            raise self.failures.error(error) from None

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Jobs of this thread under the run's name."""
        self._inside.depth = 1
        with self._lock:
            self._running += 1
        deaf = getattr(self._inside, "deaf", False)
        try:
            if not deaf:
                self._name_jobs()
            yield
        finally:
            self._inside.depth = 0
            with self._lock:
                self._running -= 1
            if not deaf:
                with suppress(Exception):  # the session has gone away: there is nothing left to be named
                    self._unname_jobs()

    def _name_jobs(self) -> None:
        if self.connect:
            self.spark.addTag(self._tag)
            return
        context = self.spark.sparkContext
        self._inside.before = {key: context.getLocalProperty(key) for key in _GROUP}
        context.setJobGroup(self._tag, "odibi_magics", True)

    def _unname_jobs(self) -> None:
        if self.connect:
            self.spark.removeTag(self._tag)
            return
        for key, value in self._inside.before.items():
            self.spark.sparkContext.setLocalProperty(key, value)

    # Stopping and closing ---------------------------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """Whether `interrupt` was called and `go_on` not since."""
        return self._stopped.is_set()

    def check_stopped(self) -> None:
        """Raises Cancelled after `interrupt`."""
        if self._stopped.is_set() and not getattr(self._inside, "deaf", False):
            raise Cancelled("stopped")

    def check_open(self) -> None:
        """Raises Cancelled after `interrupt`, EngineError after `close`."""
        self.check_stopped()
        if self._closed:
            raise EngineError("this run is closed, and its data with it: run again")

    def interrupt(self) -> None:
        """Ends all jobs that run, from any thread; what is started until `go_on` raises Cancelled."""
        with self._signals:
            self._stopped.set()
            self._signal()
        threading.Thread(target=self._until_quiet, name="odibi-stop", daemon=True).start()

    def go_on(self) -> None:
        """Lets frames be read again once a stop is over; no signal of it comes later."""
        with self._signals:
            self._stopped.clear()

    def _until_quiet(self) -> None:
        while self._running:
            time.sleep(_AGAIN)
            with self._signals:
                if not self._stopped.is_set():
                    return
                self._signal()

    def _signal(self) -> None:
        with suppress(Exception):  # the session has gone away: its jobs have, too
            if self.connect:
                self.spark.interruptTag(self._tag)
            else:
                self.spark.sparkContext.cancelJobGroup(self._tag)

    def keep(self, frame: Any) -> Any | None:
        """A DataFrame's rows computed once, without what they came from; None where the session keeps none.

        A checkpoint, not a cache: Spark takes what it caches for every equal plan, so that another run that reads the
        same files later would get these rows; and its analyzer would go over all that a cached one came from.
        """
        try:
            return frame.localCheckpoint()
        except Exception as error:
            if "SERVERLESS" not in str(error).upper():
                raise
            return None

    def close(self) -> None:
        """Ends the reading of frames; Spark drops what was kept for them once nobody holds them. Safe to repeat."""
        with self._lock:
            self._closed = True
            with suppress(Exception):  # the session has gone away, and with it what it was set to
                self._lent.close()
