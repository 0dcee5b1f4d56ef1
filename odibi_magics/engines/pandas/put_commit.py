"""A commit of our own making, put into the log as exactly the version it says, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Event, Thread

from odibi_magics.delta.log import Commit, commit_name
from odibi_magics.delta.replay import Action
from odibi_magics.delta.writing import Deed
from odibi_magics.engines.pandas.commit import Conflict, Unknown
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.waiting import GLANCE
from odibi_magics.errors import Cancelled, ConnectionFailed, EngineError


def put_commit(
    store: Store, last: Commit, deed: Deed, actions: Iterable[Action], configuration: Mapping[str, str]
) -> int:
    """Commits upon a version; returns the one made. configuration: of the table as it is then.

    Raises Conflict where that version is no longer the newest, Unknown where storage does not say whether it landed,
    EngineError and ConnectionFailed where it did not, and Cancelled, which says whether it did.
    """
    version = last.version + 1
    attempt = _Attempt(store, version, deed, deed.text(actions, last, configuration))
    if attempt.seen_through():
        raise Cancelled(f"stopped; {_stands(attempt)}")
    if attempt.error is not None:
        raise attempt.error
    return version


def _stands(attempt: _Attempt) -> str:
    if attempt.error is None:
        return f"version {attempt.version} of {attempt.store.url}, {attempt.deed.operation}, was committed all the same"
    if isinstance(attempt.error, Unknown):
        return str(attempt.error)
    return f"nothing was committed to {attempt.store.url}"


class _Attempt:
    """error: what came of it; None where it landed."""

    def __init__(self, store: Store, version: int, deed: Deed, text: bytes) -> None:
        self.store, self.version, self.deed = store, version, deed
        self.error: BaseException | None = None
        self._text = text
        self._done = Event()

    def seen_through(self) -> bool:
        """Waits until it is known what came of it; says whether a stop was asked for meanwhile."""
        stopped = False
        try:
            Thread(target=self._run, name="odibi-commit").start()
        except KeyboardInterrupt:  # while it is waited for the thread to come up: it runs all the same
            stopped = True
        while not self._done.is_set():
            try:
                self._done.wait(GLANCE)
            except KeyboardInterrupt:
                stopped = True
        return stopped

    def _run(self) -> None:
        try:
            self._put()
        except BaseException as error:
            self.error = error
        finally:
            self._done.set()

    def _put(self) -> None:
        path = f"_delta_log/{commit_name(self.version)}"
        try:
            self.store.create(path, self._text)
        except (OSError, ConnectionFailed) as error:
            if not self._is_ours(path, error):
                raise self._failed(error) from None

    def _is_ours(self, path: str, error: BaseException) -> bool:
        """Whether it landed all the same, the answer being lost; the next try then finds the version taken."""
        try:
            (text,) = self.store.read([path])
        except (OSError, ConnectionFailed) as second:
            raise Unknown(
                f"whether the {self.deed.operation} of {self.store.url} landed is unknown. First: {error}. "
                f"Then: {second}"
            ) from None
        return text is not None and self.deed.token.encode() in text

    def _failed(self, error: BaseException) -> BaseException:
        if isinstance(error, FileExistsError):
            return Conflict()
        if isinstance(error, ConnectionFailed):
            return error
        return EngineError(f"the commit to {self.store.url} failed: {error}")
