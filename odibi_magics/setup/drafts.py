"""A connection that is being filled in, as text in fields; what would be a secret never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from odibi_magics.config.sqltext import ENVIRONMENT, TEMPLATE
from odibi_magics.pipeline.definitions import DefinedConnection
from odibi_magics.secret import SECRET_KEYS, names_secret
from odibi_magics.setup.fields import AUTH_MODE, MODELS, Field, Kind, Step, fields_of
from odibi_magics.setup.refusal import reference, refusal, variable_refusal

NAME, TYPE = "name", "type"


@dataclass
class Draft:
    """A connection on its way.

    id: what tells it apart from others whatever its name is. values: by the language's keys, also those that its type
    or auth_mode does not take now. kept: keys that are not asked for, as they were written. origin: where it was found,
    "" for a new one. notes: what was left out of it, and why. errors: by field, what is wrong with it or was refused.
    """

    id: str
    name: str
    type: str = "azure_adls"
    values: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    chosen: bool = True
    notes: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What it takes, by its type and by how it is opened."""
        return fields_of(self.type, self.values.get(AUTH_MODE, "key_vault"))

    def asked(self, step: Step) -> tuple[Field, ...]:
        """The fields of one step."""
        return tuple(each for each in self.fields if each.step == step)

    def value(self, asked: Field) -> str:
        return self.values.get(asked.key, asked.default)

    def set(self, key: str, text: str) -> None:
        """What somebody typed or chose. What looks like a secret is refused: its field is empty, and says why."""
        text = text.strip()
        kind = self._kind(key)
        if kind == "choice" and text not in self._choices(key):
            return
        refused = variable_refusal(text) if kind == "variable" else refusal(text)
        if refused:
            text, self.errors[key] = "", refused
        else:
            self.errors.pop(key, None)
        if key == NAME:
            self.name = text
        elif key == TYPE:
            self.type, self.errors = text, {}
        else:
            self.values[key] = text

    def _kind(self, key: str) -> Kind:
        if key == TYPE:
            return "choice"
        return next((each.kind for each in self.fields if each.key == key), "text")

    def _choices(self, key: str) -> list[str]:
        if key == TYPE:
            return list(MODELS)
        return [value for each in self.fields if each.key == key for value, _ in each.choices]

    def written(self) -> dict[str, Any]:
        """It in the language: what was left empty is left out."""
        filled = {each.key: self._in_language(each) for each in self.fields if self.value(each)}
        return {TYPE: self.type, **filled, **self.kept}

    def _in_language(self, asked: Field) -> str | bool:
        text = self.value(asked)
        if asked.kind == "variable":
            return reference(text)
        return {"true": True, "false": False}.get(text, text) if asked.kind == "choice" else text

    def missing(self) -> dict[str, str]:
        """The fields that it needs and that are empty, with what is said there."""
        return {
            each.key: self.errors.get(each.key, "is needed")
            for each in self.fields
            if each.needed and not self.value(each)
        }


def draft_of(id_: str, found: DefinedConnection) -> Draft:
    """Of a connection that some text defined. A secret that stands in the text stays there."""
    made = Draft(id_, found.name, found.model.type, origin=found.defined)
    for key, value in found.written.items():
        _take(made, key, value, found.model)
    vault = getattr(found.model, "key_vault_name", None)
    if vault and getattr(found.model, AUTH_MODE, "") == "key_vault":
        made.values["key_vault_name"] = (
            vault  # the project's may be meant, which a text of its own does not know
        )
    return made


def _take(made: Draft, key: str, value: Any, model: Any) -> None:
    if key == TYPE:
        return
    if key in SECRET_KEYS:
        _take_reference(made, key, str(value))
    elif isinstance(value, Mapping):
        made.kept[key] = _without_secrets(made, key, value)
    elif isinstance(value, bool):
        made.values[key] = str(value).lower()
    else:
        text = str(value)
        made.set(key, str(getattr(model, key, text)) if "{{" in text else text)


def _take_reference(made: Draft, key: str, text: str) -> None:
    found = ENVIRONMENT.fullmatch(text.strip())
    if found:
        made.values[key] = found[1]
    else:
        where = "comes from a notebook's variable" if TEMPLATE.search(text) else "stands in the text itself"
        made.notes.append(f"{key} {where}: {_VARIABLE}")


def _without_secrets(made: Draft, key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    hidden = [name for name, each in value.items() if names_secret(name) and not TEMPLATE.search(str(each))]
    if hidden:
        made.notes.append(f"{key} holds {', '.join(hidden)}, which is left out: {_VARIABLE}")
    return {name: each for name, each in value.items() if name not in hidden}


_VARIABLE: Final = "set an environment variable, and name it here"
