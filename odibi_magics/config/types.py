"""Names of column types: Spark's simple strings, and the aliases people write."""

from __future__ import annotations

import re
from dataclasses import dataclass

from odibi_magics.errors import nearest

SIMPLE = (
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary",
    "date", "timestamp", "timestamp_ntz",
)  # fmt: skip
ALIASES = {
    "bool": "boolean", "byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "real": "float",
    "str": "string", "text": "string", "varchar": "string", "bytes": "binary", "datetime": "timestamp",
}  # fmt: skip

_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_NESTED = re.compile(r"(array|map|struct)\s*<(.*)>", re.DOTALL | re.IGNORECASE)

_ANY_CASE = "|".join(
    "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
    for word in (*SIMPLE, *ALIASES, "dec", "decimal", "numeric", "array", "map", "struct")
)
# What any type looks like, for a JSON Schema, which knows neither case nor nesting: canonical() says more.
TYPE = rf"\s*({_ANY_CASE})\s*([(<][\s\S]*[)>])?\s*"


@dataclass(frozen=True)
class Column:
    """A column that comes out of a node: its name, and its type as Spark's simple string (`bigint`)."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


def canonical(name: str) -> str:
    """`long` as `bigint`, `decimal` as `decimal(10,0)`, nested types alike.

    Raises ValueError where the name is no type.
    """
    text = name.strip().lower()
    text = ALIASES.get(text, text)
    if text in SIMPLE:
        return text
    if match := _DECIMAL.fullmatch(text):
        return _decimal(int(match[1] or 10), int(match[2] or 0))
    if match := _NESTED.fullmatch(name.strip()):
        return _nested(match[1].lower(), match[2])
    raise ValueError(f"'{name}' is not a type ({_hint(text)})")


def _hint(text: str) -> str:
    """The nearest type; `int64` is near to int, and is none."""
    close = None if re.search(r"\d", text) else nearest(text, [*SIMPLE, *ALIASES])
    return f"did you mean '{close}'?" if close else _SOME


_SOME = f"types are {', '.join(SIMPLE)}, decimal(p,s), array<t>, map<k,v>, struct<name:t>"


def _decimal(precision: int, scale: int) -> str:
    if not (1 <= precision <= 38 and 0 <= scale <= precision):
        raise ValueError(
            f"decimal({precision},{scale}) is out of range: precision 1 to 38, scale 0 to precision"
        )
    return f"decimal({precision},{scale})"


def _nested(kind: str, inner: str) -> str:
    parts = split(inner)
    if kind == "struct":
        fields = [part.partition(":") for part in parts]
        if not all(field.strip() and type_.strip() for field, _, type_ in fields):
            raise ValueError(f"'struct<{inner}>' is not a type: write struct<name:type,name:type>")
        return f"struct<{','.join(f'{field.strip()}:{canonical(type_)}' for field, _, type_ in fields)}>"
    if len(parts) != (1 if kind == "array" else 2):
        wanted = "array<type>" if kind == "array" else "map<type,type>"
        raise ValueError(f"'{kind}<{inner}>' is not a type: write {wanted}")
    return f"{kind}<{','.join(map(canonical, parts))}>"


def split(inner: str) -> list[str]:
    """The pieces between the commas that stand in no bracket."""
    parts, depth = [""], 0
    for char in inner:
        depth += (char in "<(") - (char in ">)")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts
