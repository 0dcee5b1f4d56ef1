"""`{{ name }}` variables and `${NAME}` environment values, filled in after parsing, so that they never become YAML."""

from __future__ import annotations

import os
import re
from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from odibi_magics.config.sqltext import ENVIRONMENT, TEMPLATE, templates

_SURROGATE = re.compile("[\ud800-\udfff]")

# SQL is filled by the SQL layer, where a variable becomes a literal and never SQL.
SQL_KEYS = frozenset({"sql", "filter", "replace_where"})


@dataclass(frozen=True)
class UsedVariable:
    """A variable's value as it was written, `${NAME}` not filled in, and where it came from: "--set", "--env prod",
    "vars", "notebook"."""

    name: str
    value: Any
    origin: str


@dataclass
class Values:
    """What names stand for, in the order --set, --env, vars, then the notebook for names in none of these.

    overlay: the chosen environment's own `vars`, under the name `environment`. Their `${NAME}`s are filled in where
    they are used; in values from elsewhere it is text. here: variables of this text, whose own lines say what of them
    is not set.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict, repr=False)
    overlay: Mapping[str, Any] = field(default_factory=dict, repr=False)
    own: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notebook: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: str = ""
    folder: Path = field(default_factory=Path.cwd)
    here: Collection[str] = ()

    def __post_init__(self) -> None:
        self.used: dict[str, UsedVariable] = {}
        self._dotenv: Mapping[str, str | None] | None = None
        self.dotenv_fault = ""

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

    def in_sql(self) -> Mapping[str, Any]:
        """All names with the values they stand for, for the SQL layer. A notebook's are looked at one by one."""
        written = {**self.own, **self.overlay}
        filled = {name: self.resolved(value, []) for name, value in written.items()}
        return ChainMap(dict(self.overrides), filled, self.notebook)  # type: ignore[arg-type]

    def resolved(self, value: Any, unset: list[str]) -> Any:
        """A value of `vars` with its `${NAME}`s filled in; names without a value are noted, and stay."""
        if isinstance(value, list):
            return [self.resolved(item, unset) for item in value]
        if not isinstance(value, str):
            return value
        return ENVIRONMENT.sub(lambda match: self._environ(match, unset), value)

    def _environ(self, match: re.Match[str], unset: list[str]) -> str:
        value = self.environ(match[1])
        if value is None:
            unset.append(match[1])
        return match[0] if value is None else value

    def names(self) -> list[str]:
        return [*dict.fromkeys([*self.overrides, *self.overlay, *self.own, *self.notebook])]

    def environ(self, name: str) -> str | None:
        """An environment value, else that of the `.env` beside the text."""
        return os.environ.get(name) or self._from_dotenv().get(name)

    def _from_dotenv(self) -> Mapping[str, str | None]:
        if self._dotenv is None:
            self._dotenv, self.dotenv_fault = _dotenv(self.folder / ".env")
        return self._dotenv


def _dotenv(file: Path) -> tuple[Mapping[str, str | None], str]:
    """A .env's values, and what is wrong with it; then there are none."""
    if not file.is_file():
        return {}, ""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return {}, "the .env beside the text is not UTF-8"
    wrong = [str(found.original.line) for found in parse_stream(StringIO(text)) if found.error]
    if wrong:
        return {}, f"the .env beside the text: line {', '.join(wrong)} cannot be read as NAME=value"
    return dotenv_values(stream=StringIO(text)), ""


@dataclass(frozen=True)
class Missing:
    """A name that cannot be filled in: kind is "variable" or "environment" (it stands for nothing), "halves" (its
    value holds half a character), "sql" (`${NAME}` in SQL) or "odd" (it is none); text[start:end] is where it is used.
    """

    kind: str
    name: str
    text: str
    start: int
    end: int


def fill(text: str, values: Values, missing: list[Missing]) -> Any:
    """A scalar with its variables filled in, once: what a value holds is not looked at again. Alone in its scalar, a
    variable keeps its type."""
    first = TEMPLATE.search(text)
    if first is not None and first[0] == text.strip():
        return _value(first, values, missing)
    return TEMPLATE.sub(lambda match: as_text(_value(match, values, missing)), text)


def note(text: str, dialect: str, values: Values, missing: list[Missing]) -> None:
    """Notes the variables that a SQL text uses; the SQL layer fills them."""
    for match, _ in templates(text, dialect):
        if match["environment"]:
            missing.append(Missing("sql", match["environment"], text, *match.span()))
        else:
            _value(match, values, missing)


def as_text(value: Any) -> str:
    """A value inside a longer text, as YAML would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _value(match: re.Match[str], values: Values, missing: list[Missing]) -> Any:
    """What a `{{ name }}` or a `${NAME}` stands for; itself where that cannot be said."""
    if match["odd"]:
        missing.append(Missing("odd", match[0], match.string, *match.span()))
        return match[0]
    name = match["variable"] or match["environment"]
    value, wrong = _variable(name, values) if match["variable"] else _environ(name, values)
    if not wrong and isinstance(value, str) and _SURROGATE.search(value):
        wrong = [("halves", name)]
    missing.extend(Missing(kind, what, match.string, *match.span()) for kind, what in wrong)
    return match[0] if wrong else value


def _environ(name: str, values: Values) -> tuple[Any, list[tuple[str, str]]]:
    value = values.environ(name)
    return value, [("environment", name)] if value is None else []


def _variable(name: str, values: Values) -> tuple[Any, list[tuple[str, str]]]:
    found = values.variable(name)
    if found is None:
        return None, [("variable", name)]
    if found.origin in ("--set", "notebook"):
        return found.value, []
    unset: list[str] = []
    value = values.resolved(found.value, unset)
    return value, [("environment", one) for one in unset if name not in values.here]
