"""What is asked of a connection: the keys of its model in the language, and nothing beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin

from odibi_magics.config.azure import AUTH, AUTH_KEYS
from odibi_magics.config.models import ConnectionConfig
from odibi_magics.secret import SECRET_KEYS

Kind = Literal["text", "choice", "variable"]
Step = Literal["identity", "place"]

MODELS: Final[dict[str, Any]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(ConnectionConfig)[0])
}  # fmt: skip

AUTH_MODE: Final = "auth_mode"


@dataclass(frozen=True)
class Field:
    """A key that is asked for.

    kind: "variable" asks for the name of an environment variable, in place of a secret. choices: values with what they
    mean. default: what holds where it is left empty.
    """

    key: str
    step: Step
    kind: Kind
    help: str
    choices: tuple[tuple[str, str], ...] = ()
    needed: bool = False
    default: str = ""

    @property
    def label(self) -> str:
        """The key as words."""
        words = _words(self.key)
        words = words[0].upper() + words[1:]
        return f"{words}: environment variable" if self.kind == "variable" else words


def types() -> tuple[tuple[str, str], ...]:
    """The kinds of places, each with what it is."""
    return tuple((name, f"{name}: {_first_line(model.__doc__)}") for name, model in MODELS.items())


def fields_of(type_: str, auth_mode: str) -> tuple[Field, ...]:
    """The keys that a connection of this type takes, opened in this way."""
    model = MODELS[type_]
    needed, allowed = AUTH[auth_mode] if AUTH_MODE in model.model_fields else (set(), set())
    kept = AUTH_KEYS - needed - allowed
    asked = (_field(info.alias or name, info, needed) for name, info in model.model_fields.items())
    return tuple(each for each in asked if each is not None and each.key not in kept)


def _field(key: str, info: Any, needed: set[str]) -> Field | None:
    """None for a key that is not asked for: the type, which is chosen before, and mappings."""
    choices = _choices(key, info.annotation)
    if key == "type" or get_origin(info.annotation) is dict:
        return None
    kind: Kind = "variable" if key in SECRET_KEYS else "choice" if choices else "text"
    return Field(
        key,
        "identity" if key == AUTH_MODE or key in AUTH_KEYS else "place",
        kind,
        info.description.replace("`", ""),
        choices or (),
        needed=info.is_required() or key in needed,
        default=info.default if isinstance(info.default, str) else "",
    )


def _choices(key: str, annotation: Any) -> tuple[tuple[str, str], ...] | None:
    if key == AUTH_MODE:
        return tuple((mode, _takes(mode)) for mode in get_args(annotation))
    if bool in get_args(annotation):
        return (("", "not said"), ("true", "true"), ("false", "false"))
    return None


def _takes(mode: str) -> str:
    needed, allowed = AUTH[mode]
    keys = ", ".join(map(_words, (*sorted(needed), *sorted(allowed))))
    return f"{mode} ({keys})" if keys else mode


def _words(key: str) -> str:
    return key.replace("_", " ").replace("sas ", "SAS ")


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0].rstrip(".").replace("`", "")
