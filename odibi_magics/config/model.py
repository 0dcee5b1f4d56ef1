"""What the models have in common: their base, and the kinds of values that pydantic has no word for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from odibi_magics.config.types import SIMPLE, TYPE, canonical
from odibi_magics.secret import Secret


class Model(BaseModel):
    """Unknown keys are errors, nothing is coerced, and errors never echo what they were given."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    def __repr_args__(self) -> Iterator[tuple[None, str]]:
        """The keys that were given: what `${NAME}` stands for is in the values, and may be a secret."""
        return ((None, name) for name in type(self).model_fields if name in self.model_fields_set)


def _as_secret(value: object) -> object:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("expected text")
    return Secret(value)


_DURATION = r"([0-9]+)\s*([smhd])"


def _duration(value: object) -> timedelta:
    match = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 30s, 15m, 2h or 1d")
    names = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    try:
        return timedelta(**{names[match[2]]: int(match[1])})
    except OverflowError:
        raise ValueError("the duration is too long") from None


def listed(value: object) -> object:
    """`true`, a mapping or a list of mappings, as a list."""
    if value is True:
        return [{}]
    return [value] if isinstance(value, dict) else value


def text_like(pattern: str) -> dict[str, Any]:
    """Text as JSON Schema has it, all of which fits the pattern."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


SecretText = Annotated[Secret, PlainValidator(_as_secret), WithJsonSchema({"type": "string"})]
Duration = Annotated[timedelta, PlainValidator(_duration), WithJsonSchema(text_like(_DURATION))]
ColumnType = Annotated[
    str, AfterValidator(canonical), WithJsonSchema(text_like(TYPE) | {"examples": [*SIMPLE]})
]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
Scalar = str | int | float | bool | None
Variable = Scalar | list[Scalar]
