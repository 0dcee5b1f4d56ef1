"""Secrets of Databricks, through the `dbutils` of the notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from odibi_magics.connections.base import Refused
from odibi_magics.secret import Secret

_kept: dict[DatabricksSecret, Secret] = {}


@dataclass(frozen=True)
class DatabricksSecret:
    """A secret by its scope and key."""

    scope: str
    key: str
    libraries: ClassVar[tuple[str, ...]] = ()

    def get(self, deadline: float) -> Secret:
        """Raises Refused. deadline: the caller's; `dbutils` takes none."""
        if self not in _kept:
            _kept[self] = self._fetch()
        return _kept[self]

    @property
    def kept(self) -> bool:
        """Whether `get` has it at hand."""
        return self in _kept

    def drop(self) -> None:
        """Has the next `get` fetch it again."""
        _kept.pop(self, None)

    def _fetch(self) -> Secret:
        dbutils = _dbutils()
        try:
            return Secret(dbutils.secrets.get(scope=self.scope, key=self.key))
        except Exception as error:  # py4j's, gRPC's: dbutils raises what its transport does
            raise self._refused(str(error)) from None

    def _refused(self, text: str) -> Refused:
        if "does not exist" in text:
            said = f"Secret '{self.key}' not found in scope '{self.scope}'"
            return Refused(said, f"Its secrets: databricks secrets list-secrets {self.scope}")
        line = text.strip().partition("\n")[0] or "no reason was given"
        said = f"scope '{self.scope}' does not give secret '{self.key}': {line}"
        return Refused(said, f"Who may read it: databricks secrets list-acls {self.scope}")

    def __str__(self) -> str:
        return f"Secret '{self.key}' of scope '{self.scope}'"


def scopes() -> list[str]:
    """The names of the scopes that this notebook may see. Raises Refused."""
    return _listed(lambda: [one.name for one in _dbutils().secrets.listScopes()])


def keys_in(scope: str) -> list[str]:
    """The keys of a scope, not what they hold. Raises Refused."""
    return _listed(lambda: [one.key for one in _dbutils().secrets.list(scope)])


def _listed(ask: Callable[[], list[str]]) -> list[str]:
    try:
        return sorted(ask())
    except Refused:
        raise
    except Exception as error:  # as of a secret
        line = str(error).strip().partition("\n")[0]
        raise Refused(f"dbutils does not list them: {line}", "Type the name") from None


def forget() -> None:
    """Drops all secrets."""
    _kept.clear()


def _dbutils() -> Any:
    """From the notebook's variables, which are those of the main module."""
    found = getattr(sys.modules["__main__"], "dbutils", None)
    if found is None:
        raise Refused(
            "auth_mode: databricks_secret needs dbutils, and there is none here",
            "Databricks notebooks have it; elsewhere use auth_mode: key_vault or identity",
        )
    return found
