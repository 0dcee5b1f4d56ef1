"""`{{ name }}` variables and `${NAME}` environment values, filled in after parsing, so that they never become YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
ENVIRONMENT = re.compile(r"\$\{([A-Za-z_]\w*)\}")

# SQL is filled by the SQL layer, where a variable becomes a literal and never SQL.
SQL_KEYS = frozenset({"sql", "filter", "replace_where"})


@dataclass(frozen=True)
class UsedVariable:
    """A variable's value and where it came from: "--set", "--env prod", "vars", "notebook"."""

    name: str
    value: Any
    origin: str


@dataclass
class Values:
    """What names stand for, in the order --set, --env, vars, then the notebook for names in none of these.

    overlay: the chosen environment's own `vars`, under the name `environment`.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    overlay: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    notebook: Mapping[str, Any] = field(default_factory=dict)
    environment: str = ""
    folder: Path = field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        self.used: dict[str, UsedVariable] = {}
        self._dotenv: dict[str, str | None] | None = None

    def variable(self, name: str) -> UsedVariable | None:
        """A variable with its origin, noted as used; None where nothing defines it."""
        layers = (
            ("--set", self.overrides), (f"--env {self.environment}", self.overlay),
            ("vars", self.own), ("notebook", self.notebook),
        )  # fmt: skip
        for origin, layer in layers:
            if name in layer:
                self.used[name] = UsedVariable(name, layer[name], origin)
                return self.used[name]
        return None

    def in_sql(self) -> dict[str, Any]:
        """All names with the values they stand for, for the SQL layer."""
        return {**self.notebook, **self.own, **self.overlay, **self.overrides}

    def names(self) -> list[str]:
        return [*self.overrides, *self.overlay, *self.own, *self.notebook]

    def environ(self, name: str) -> str | None:
        """An environment value, else that of the `.env` beside the text."""
        return os.environ.get(name) or self._from_dotenv().get(name)

    def _from_dotenv(self) -> dict[str, str | None]:
        if self._dotenv is None:
            self._dotenv = {}
            if (file := self.folder / ".env").is_file():
                from dotenv import dotenv_values

                self._dotenv = dict(dotenv_values(file))
        return self._dotenv


@dataclass(frozen=True)
class Missing:
    """A name that stands for nothing: kind is "variable" or "environment"; text[start:end] is where it is used."""

    kind: str
    name: str
    text: str
    start: int
    end: int


def fill(text: str, values: Values, missing: list[Missing]) -> Any:
    """A scalar with its variables filled in; alone in its scalar, a variable keeps its type."""
    alone = VARIABLE.fullmatch(text.strip())
    if alone:
        found = _variable(alone[1], text, values, missing)
        return found.value if found else text
    return ENVIRONMENT.sub(
        lambda match: _environment(match, values, missing),
        VARIABLE.sub(lambda match: _text(match, values, missing), text),
    )


def note(text: str, values: Values, missing: list[Missing]) -> None:
    """Notes the variables a SQL text uses; the SQL layer fills them."""
    for match in VARIABLE.finditer(text):
        _variable(match[1], text, values, missing, match)


def _text(match: re.Match[str], values: Values, missing: list[Missing]) -> str:
    found = _variable(match[1], match.string, values, missing, match)
    return as_text(found.value) if found else match[0]


def as_text(value: Any) -> str:
    """A value inside a longer text, as YAML would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _variable(
    name: str, text: str, values: Values, missing: list[Missing], match: re.Match[str] | None = None
) -> UsedVariable | None:
    found = values.variable(name)
    if found is None:
        start = match.start() if match else text.index("{{")
        end = match.end() if match else text.index("}}") + 2
        missing.append(Missing("variable", name, text, start, end))
    return found


def _environment(match: re.Match[str], values: Values, missing: list[Missing]) -> str:
    value = values.environ(match[1])
    if value is None:
        missing.append(Missing("environment", match[1], match.string, match.start(), match.end()))
        return match[0]
    return value
