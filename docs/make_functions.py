"""Makes docs/reference/sql.md from the list of accepted functions. Run `python docs/make_functions.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from odibi_magics.sql.accepted import AGGREGATES, REFUSED, SCALAR, SPECIAL, WINDOWS, accepted

TARGET = Path(__file__).parent / "reference" / "sql.md"

HEAD = """# SQL

SQL is written once, in ANSI Spark 4 SQL with time zone UTC. A step is one query whose every table is a node, `df`, or a
CTE. `sql_dialect: duckdb` takes DuckDB's SQL instead, which the pandas engine alone can run.

What stands here was recorded from Spark and gives the same answer and the same type on the pandas engine, errors
included: `1/0`, a cast that does not fit and an overflow raise. Everything else is refused by name before the run:
a refusal is better than another answer. `--plan --sql` shows what the engine gets.

Decimals are Spark's to the last digit: what `+ - * / %`, `sum` and `avg` of them come out as, and how they round.

Some values are errors on the pandas engine though Spark has an answer, in TRY_CAST too, where NULL would be another
one: text that is a time of today (`10:11`), has a zone by name or a year of more than four digits, or a decimal in
digits other than 0 to 9; `upper` of a few letters of old scripts; `ceil` and `floor` of NaN or what no bigint holds;
`chr` of 0 or above 127; `unbase64` of what is no base64; quotients of decimals that need over 38 digits on the way;
dates and timestamps outside the years 1 to 9999 as text. Doubles agree to 14 digits where a mathematical library
computes them, and where the order of rows decides in which they are added. One answer differs: that of a text function
that is given the position -2147483648.
"""


def page() -> str:
    """The page's text."""
    special = dict.fromkeys(SPECIAL, ())
    parts = [
        *_part("Functions", {**SCALAR, **special}),
        *_part("Aggregates", AGGREGATES),
        *_part("Window functions", WINDOWS),
        *_rest(),
        *_refused(),
    ]
    return "\n".join([HEAD, *parts]) + "\n"


def _part(title: str, ways: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield ", ".join(f"`{name}`" for name in sorted(ways)) + "\n"


def _rest() -> Iterator[str]:
    """Accepted names that stand in none of the tables: casts by name and such."""
    told = {*SCALAR, *SPECIAL, *AGGREGATES, *WINDOWS}
    if rest := sorted(accepted() - told):
        yield "Also: " + ", ".join(f"`{name}`" for name in rest) + "\n"


def _refused() -> Iterator[str]:
    yield "## Refused, and why\n"
    by_reason: dict[str, list[str]] = {}
    for name, why in sorted(REFUSED.items()):
        by_reason.setdefault(why, []).append(name)
    for why, names in sorted(by_reason.items()):
        yield f"- {', '.join(f'`{name}`' for name in names)}: {why}"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
