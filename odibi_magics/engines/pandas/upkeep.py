"""What the verbs that change a table's files share: its past as the log has it, and what was committed since."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from odibi_magics.delta.log import Commit
from odibi_magics.delta.replay import Versions
from odibi_magics.delta.travel import version_at
from odibi_magics.engines.pandas.checkpoints import decoded
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.no_table import no_table
from odibi_magics.engines.pandas.storage import Store


def versions_of(store: Store) -> Versions:
    """The table's versions. Raises EngineError where there is none, OSError, ConnectionFailed."""
    return versions_among(store, store.names("_delta_log"))


def versions_among(store: Store, names: Iterable[str]) -> Versions:
    """The same, of a log that was listed already. names: of the files in it."""
    found = Versions(StoreLog(store), tuple(names), decoded)
    if not found.versions:
        raise no_table(store)
    return found


def wanted_version(store: Store, version: int | datetime) -> int:
    """The version itself, or the one that stood at a time. Raises NoSuchTime, EngineError, ConnectionFailed."""
    found = version if isinstance(version, int) else version_at(StoreLog(store), version)
    if found is None:
        raise no_table(store)
    return found


def changes_table(commit: Commit) -> bool:
    """Whether a commit changes rows, schema, properties or protocol; OPTIMIZE and VACUUM do not."""
    return commit.changes_data or changes_metadata(commit)


def changes_metadata(commit: Commit) -> bool:
    """Whether it changes schema, partitioning, properties or protocol."""
    return any(kind in action for action in commit.actions for kind in ("metaData", "protocol"))
