"""How the list of accepted functions says what a function takes: `string, int? -> string: substring({all})`.

An argument is a Spark type, `literal string`, or a variable: T, K, V (any type, the same wherever it stands), N (any
number), I (an integral number), X (any decimal). `?` may be left out, `...` any number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from odibi_magics.config.types import split
from odibi_magics.sql.casts import cast, fitting
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import (
    INTEGRAL,
    UNKNOWN,
    VOID,
    common,
    element,
    entries,
    is_decimal,
    is_numeric,
    kind,
)

_ROW = re.compile(r"(?P<takes>.*?)\s*->\s*(?P<gives>[^:]+?)\s*:\s(?P<template>.*)", re.DOTALL)
_VARIABLES: dict[str, Callable[[str], bool]] = {
    "T": lambda type_: True,
    "K": lambda type_: True,
    "V": lambda type_: True,
    "O": lambda type_: kind(type_) not in ("map", "struct", "array", "binary"),
    "N": is_numeric,
    "I": lambda type_: type_ in INTEGRAL,
    "X": is_decimal,
    "F": lambda type_: type_ == "double",
}
# Types that a value becomes unasked, as in Spark.
_WIDENS = {
    "tinyint": ("smallint", "int", "bigint", "double"), "smallint": ("int", "bigint", "double"),
    "int": ("bigint", "double"), "bigint": ("double",), "float": ("double",), "decimal": ("double",),
    "date": ("timestamp",), "timestamp": ("date",),
    "string": ("date", "timestamp"),
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    type: str
    literal: bool = False


@dataclass(frozen=True)
class Signature:
    """One way to call a function. fewest, most: numbers of arguments; repeats: the last parameter does."""

    parameters: tuple[Parameter, ...]
    fewest: int
    repeats: bool
    gives: str
    template: str

    @property
    def most(self) -> int:
        return 255 if self.repeats else len(self.parameters)

    def parameter(self, at: int) -> Parameter:
        return self.parameters[min(at, len(self.parameters) - 1)]

    def call(self, arguments: tuple[Typed, ...], exact: bool, first: str = "", **words: str) -> Typed | None:
        """The call of typed arguments; None where they do not fit.

        exact: nothing is widened. first: DISTINCT, before the first argument.
        """
        if not self.fewest <= len(arguments) <= self.most:
            return None
        bound = self._bind(arguments, exact)
        if bound is None:
            return None
        fitted = tuple(_fit(a, _filled(self.parameter(i), bound)) for i, a in enumerate(arguments))
        if any(a is None for a in fitted):
            return None
        if first:
            fitted = (replace(fitted[0], sql=f"{first}{fitted[0]}"), *fitted[1:])  # type: ignore[type-var]
        sql = render(self.template, fitted, **words)  # type: ignore[arg-type]
        return Typed(
            sql, _replaced(self.gives, bound), arguments[0].node if arguments else _NOTHING, tight=_tight(sql)
        )

    def _bind(self, arguments: tuple[Typed, ...], exact: bool) -> dict[str, str] | None:
        bound: dict[str, str] = {}
        for at, argument in enumerate(arguments):
            parameter = self.parameter(at)
            if parameter.literal and not argument.constant:
                return None
            if not _match(parameter.type, argument.type, bound, exact):
                return None
        return bound


_NOTHING: exp.Expr = exp.null()


def _tight(sql: str) -> bool:
    return bool(re.fullmatch(r"\w+\(.*\)|CASE .* END", sql, re.DOTALL)) and _one_piece(sql)


def _one_piece(sql: str) -> bool:
    """Whether the first bracket closes at the very end."""
    if sql.startswith("CASE "):
        return False
    depth = 0
    for at, char in enumerate(sql):
        depth += (char == "(") - (char == ")")
        if char == ")" and not depth:
            return at == len(sql) - 1
    return False


def _match(pattern: str, given: str, bound: dict[str, str], exact: bool) -> bool:
    if pattern in _VARIABLES:
        if given not in (VOID, UNKNOWN) and not _VARIABLES[pattern](given):
            return False
        merged = common(bound[pattern], given) if pattern in bound else given
        if merged is None:
            return False
        bound[pattern] = merged
        return True
    if given in (VOID, UNKNOWN) or pattern == given:
        return True
    if kind(pattern) == "array" and kind(given) == "array":
        return _match(element(pattern), element(given), bound, exact)
    if kind(pattern) == "map" and kind(given) == "map":
        return all(_match(p, g, bound, exact) for p, g in zip(entries(pattern), entries(given), strict=True))
    return not exact and pattern in _WIDENS.get(kind(given) if is_decimal(given) else given, ())


def _replaced(type_: str, bound: dict[str, str]) -> str:
    return re.sub(r"\b[A-Z]\b", lambda match: bound.get(match[0], VOID), type_)


def _filled(parameter: Parameter, bound: dict[str, str]) -> str:
    return _replaced(parameter.type, bound)


def _fit(argument: Typed, to: str) -> Typed | None:
    if to in (VOID, UNKNOWN) or fitting(argument, to) or "unknown" in to:
        return argument
    found = cast(argument, to)
    return found if isinstance(found, Typed) else None


@lru_cache(maxsize=2048)
def signature(row: str) -> Signature:
    """A row of the list, parsed. Raises ValueError where it is none."""
    match = _ROW.fullmatch(row.strip())
    if match is None:
        raise ValueError(f"no signature: {row}")
    words = [word.strip() for word in split(match["takes"]) if word.strip()]
    fewest = sum(not word.endswith(("?", "...")) or word.endswith("+...") for word in words)
    repeats = bool(words) and words[-1].endswith("...")
    return Signature(tuple(map(_parameter, words)), fewest, repeats, match["gives"], match["template"])


def _parameter(word: str) -> Parameter:
    bare = word.removesuffix("...").removesuffix("+").removesuffix("?").strip()
    return Parameter(bare.removeprefix("literal ").strip(), bare.startswith("literal "))
