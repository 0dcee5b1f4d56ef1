"""Checks of rows, and how they went, in words: the same on every engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from odibi_magics.engines.base import Check, CheckResult, RowCheck, TableCheck
from odibi_magics.errors import ValidationFailed
from odibi_magics.quoting import Data, Quoting

EXAMPLES = 3
_CUT = 60  # characters of a value in an example


class ChecksFailed(ValidationFailed):
    """At least one check with `on_fail: error` does not hold. checks: all that are known."""

    def __init__(self, checks: Sequence[CheckResult]) -> None:
        self.checks = tuple(checks)
        bad = [one for one in checks if one.failed and one.on_fail == "error"]
        lines = [Quoting(f"{one.label}: ", one.message) for one in bad]
        told = [": ", *lines] if len(lines) == 1 else [part for line in lines for part in ("\n  ", line)]
        kind = bad[0].label.partition(" ")[0]
        self.about = ("write" if kind == "replace_where" else "validation", kind)
        super().__init__(Quoting("validation failed, nothing was written", *told))


@dataclass(frozen=True)
class Flag:
    """A condition that is TRUE for a bad row, in an engine's SQL over the frame's columns.

    remedy: what to do about such rows, where the label alone does not tell.
    """

    label: str
    bad: str
    on_fail: str = "error"
    columns: tuple[str, ...] = ()
    remedy: str = ""


def row_flags(checks: Sequence[Check], translated: Callable[[RowCheck], str]) -> tuple[Flag, ...]:
    """The checks that one row alone can fail. translated: a check's condition in the engine's SQL."""
    return tuple(
        Flag(one.label, f"({translated(one)}) IS FALSE", one.on_fail, one.columns)
        for one in checks
        if isinstance(one, RowCheck)
    )


def row_result(
    label: str,
    on_fail: str,
    count: int,
    shown: tuple[Mapping[str, Any], ...],
    *,
    at_least: bool = False,
    remedy: str = "",
) -> CheckResult:
    """Of a check that single rows fail. remedy: what to do about them, where the label alone does not tell."""
    told = f". {remedy}" if remedy else ""
    message = Quoting(_rows_fail(count, at_least), for_example(shown), told) if count else ""
    return CheckResult(label, on_fail, count, message, at_least, shown)


def unique_result(check: TableCheck, repeated: int, shown: tuple[Mapping[str, Any], ...]) -> CheckResult:
    """Of a check that no row repeats another. repeated: how many have a twin before them."""
    noun = "row repeats" if repeated == 1 else "rows repeat"
    message = Quoting(f"{repeated} {noun} an earlier one", for_example(shown)) if repeated else ""
    return CheckResult(check.label, check.on_fail, repeated, message, examples=shown)


def count_result(check: TableCheck, count: int) -> CheckResult:
    """Of a check on how many rows there are."""
    low = 1 if check.kind == "not_empty" else check.min
    high = None if check.kind == "not_empty" else check.max
    holds = (low is None or count >= low) and (high is None or count <= high)
    message = "" if holds else _counted(count, low, high)
    return CheckResult(check.label, check.on_fail, int(not holds), message, counts="")


def _counted(count: int, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        wanted = f"between {low} and {high}"
    else:
        wanted = f"at least {low}" if low is not None else f"at most {high}"
    return f"{count} {'row' if count == 1 else 'rows'} came out, expected {wanted}"


def settle(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The results, if none with `on_fail: error` failed. Raises ChecksFailed."""
    if any(one.failed and one.on_fail == "error" for one in results):
        raise ChecksFailed(results)
    return tuple(results)


def _rows_fail(count: int, at_least: bool) -> str:
    noun = "row fails" if count == 1 else "rows fail"
    return f"{'at least ' if at_least else ''}{count} {noun}"


def for_example(shown: Sequence[Mapping[str, Any]]) -> str:
    """ "", or the rows as text: `, for example id=1, name=NULL`."""
    rows = (", ".join(f"{key}={_value(value)}" for key, value in row.items()) for row in shown)
    return Quoting(", for example ", Data("; ".join(rows))) if shown else ""


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    return "NULL" if value is None else str(value) or "''"


def examples(rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> tuple[Mapping[str, Any], ...]:
    """Rows to show: the columns in question first, few others behind, long values cut."""
    wanted = {name.lower() for name in first}

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        names = sorted(row, key=lambda name: name.lower() not in wanted)
        return {name: cut(row[name]) for name in names[: max(len(wanted), 5)]}

    return tuple(shown(row) for row in rows)


def cut(value: Any) -> Any:
    """Values as they are, or the start of their text where that is long."""
    text = str(value)
    return value if len(text) <= _CUT else text[:_CUT] + "…"
