"""Schemas of Unity Catalog: their tables have names, and only a Spark session opens them, under its own rights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from odibi_magics.connections.base import Need
from odibi_magics.errors import ConnectionFailed

# Catalog, schema and table may hold none of these: https://docs.databricks.com/en/sql/language-manual/sql-ref-names.html
_NAME = re.compile(r"[^./\\:@\s\0]+")


@dataclass(frozen=True)
class UnityConnection:
    """A schema of a catalog, under a name. A path in it is the name of a table."""

    name: str
    catalog: str
    schema: str

    def url(self, path: str) -> str:
        """`catalog.schema.table`, or the schema's name for "". Raises ConnectionFailed for what names no table."""
        if not path:
            return f"{self.catalog}.{self.schema}"
        if not _NAME.fullmatch(path):
            raise ConnectionFailed(
                f"Connection '{self.name}': '{path}' is no table's name: catalog and schema are the connection's, and "
                "a name has no dots, colons, slashes or spaces"
            )
        return f"{self.catalog}.{self.schema}.{path}"

    def path(self, url: str) -> str:
        """What `url` would make a whole name of, which lies in the schema."""
        return url.removeprefix(self.url("")).removeprefix(".")

    def parts(self, path: str) -> tuple[str, str, str]:
        """Catalog, schema and table, to be quoted one by one."""
        return self.catalog, self.schema, path

    @property
    def only_spark(self) -> bool:
        return True

    @property
    def libraries(self) -> tuple[str, ...]:
        return ()

    def needs(self) -> tuple[Need, ...]:
        """Nothing: the session has its rights."""
        return ()

    def storage_options(self, library: str) -> dict[str, Any]:
        """Nothing for Spark. Raises ConnectionFailed for all others, which have no part in it."""
        if library == "spark":
            return {}
        raise self._refused()

    def put(self, path: str, data: bytes) -> None:
        """Raises ConnectionFailed: a catalog holds tables."""
        raise ConnectionFailed(f"Connection '{self.name}': {self.url('')} holds tables, no files")

    def check(self) -> None:
        """Raises ConnectionFailed: only a run asks Spark."""
        raise self._refused()

    def describe(self) -> str:
        return f"schema {self.url('')} of Unity Catalog"

    def _refused(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"Connection '{self.name}': Unity Catalog is opened by Spark alone, and this engine has no part in it; "
            "use engine: spark, or lay a local or azure_adls connection over it with --env"
        )


_WHOLE = re.compile(rf"({_NAME.pattern})\.({_NAME.pattern})\.({_NAME.pattern})")


def table_of(name: str) -> tuple[UnityConnection, str] | None:
    """The schema and the table of `catalog.schema.table`; None for any other text."""
    found = _WHOLE.fullmatch(name)
    return (UnityConnection(found[2], found[1], found[2]), found[3]) if found else None
