"""A Delta table's log on storage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from odibi_magics.engines.pandas.storage import Store


@dataclass(frozen=True)
class StoreLog:
    """odibi_magics.delta.log.Log over a store."""

    store: Store = field(repr=False)

    @property
    def url(self) -> str:
        return self.store.url

    @property
    def told(self) -> str:
        return self.store.told

    def names(self, after: str = "") -> Iterator[str]:
        return self.store.names("_delta_log", after)

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        return self.store.read([f"_delta_log/{name}" for name in names])

    def there(self, names: Sequence[str]) -> list[bool]:
        return self.store.there([f"_delta_log/{name}" for name in names])

    @property
    def lists_from(self) -> bool:
        return self.store.lists_from

    def staged(self) -> bool:
        folders = ("_delta_log/_staged_commits", "_delta_log/_commits")
        return any(next(self.store.names(folder), None) is not None for folder in folders)

    def modified(self, name: str) -> datetime:
        found = self.store.filesystem.get_file_info(self.store.at(f"_delta_log/{name}"))
        return datetime.fromtimestamp(found.mtime_ns / 1e9, UTC)
