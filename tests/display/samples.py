"""A plan and its results as the displays get them, and a reader of HTML that refuses what is not well formed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from odibi_magics.config.models import Node
from odibi_magics.config.types import Column
from odibi_magics.config.variables import UsedVariable
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.engines.base import (
    Call,
    CheckResult,
    Place,
    Query,
    RowCheck,
    Sink,
    Source,
    TableCheck,
    TargetState,
    Warned,
    Written,
)
from odibi_magics.pipeline.plan import Edge, Plan, PlannedNode
from odibi_magics.pipeline.result import NodeResult, RunResult
from odibi_magics.quoting import Data, Quoting
from odibi_magics.sql.functions import Function


@dataclass(frozen=True)
class Folder:
    """A connection whose URLs are the same on every machine."""

    name: str
    root: str

    def url(self, path: str) -> str:
        return f"{self.root}/{path}"


LAKE: Any = Folder("lake", "file:///data/lake")
SILVER: Any = Folder("silver", "abfss://clean@silver.dfs.core.windows.net")


def columns(text: str) -> tuple[Column, ...]:
    return tuple(Column(*each.split()) for each in text.split(", "))


def node(name: str, **parts: Any) -> PlannedNode:
    return PlannedNode(
        **{"name": name, "pipeline": "etl", "config": Node(name="a"), "defined": "cell [3]", **parts}
    )


def add_margin(df: Any, rate: float) -> Any:
    return df


FLIGHTS = node(
    "flights",
    source=Source(Place(LAKE, "raw/flights/*.csv", "csv"), filter="dep_time IS NOT NULL"),
    columns=columns("carrier string, day date, distance int"),
)
WEATHER = node(
    "weather", source=Source(Place(LAKE, "clean/weather", "delta")), runs=False, defined="cell [2]"
)
CLEAN = node(
    "clean",
    edges=(Edge("flights", "named in SQL"), Edge("weather", "depends_on")),
    steps=(
        Query(None, 1),
        Call(Function("add_margin", add_margin, (("df", "pandas"),), ()), {"rate": 0.2}, None, 2),
    ),
    checks=(RowCheck("no_nulls carrier", "x"), TableCheck("unique carrier, day", "unique", on_fail="warn")),
    sink=Sink(Place(SILVER, "clean/flights", "delta"), "overwrite", partition_by=("day",)),
    target=TargetState(True, 4, columns("carrier string, day date"), ("day",), 336776, 12, 8412345),
    action="overwrite",
    columns=columns("carrier string, day date, distance int"),
    changes=(SchemaChange("new", "distance", "int"),),
    warnings=(Warned("4,380 files of 12 kB on average", "partition by month", "small-files"),),
    sql=('SELECT *\nFROM "flights"',),
)
DAILY = node(
    "daily",
    edges=(Edge("clean", "the node before it"), Edge("flights", "writes what it reads", carries=False)),
    sink=Sink(Place(SILVER, "gold/daily", "delta"), "merge", keys=("day",)),
    target=TargetState(False),
    action="create",
    columns=None,
)

PLAN = Plan(
    nodes=(FLIGHTS, WEATHER, CLEAN, DAILY),
    engine="pandas",
    engine_title="pandas engine (DuckDB)",
    project="air",
    environment="prod",
    variables=(UsedVariable("region", "EU", "--set"), UsedVariable("limit", None, "vars")),
    warnings=(Warned("connections.lake: the account_key stands in the text", "write ${NAME}"),),
)

REPEATED = Quoting("7 rows repeat an earlier one, for example ", Data("carrier=NULL"))

DONE = RunResult(
    run_id="20261120T180000-ab12cd",
    plan=PLAN,
    state="done",
    engine="pandas engine (DuckDB)",
    started=datetime(2026, 11, 20, 18, tzinfo=UTC),
    seconds=187.4,
    nodes=(
        NodeResult("flights", "etl", "done", seconds=0.04),
        NodeResult(
            "clean",
            "etl",
            "done",
            rows=336776,
            seconds=2.41,
            written=Written(CLEAN.sink.place, 336776, 12, 8412345, 4, 5),  # type: ignore[union-attr]
            checks=(
                CheckResult("no_nulls carrier", "error", 0),
                CheckResult("unique carrier, day", "warn", 7, REPEATED, examples=({"carrier": None},)),
            ),
            warnings=CLEAN.warnings,
        ),
        NodeResult(
            "daily",
            "etl",
            "done",
            rows=1095,
            seconds=185.2,
            written=Written(DAILY.sink.place, 1095, 1, 41234, None, 0, 1095, 0),  # type: ignore[union-attr]
        ),
    ),
)

ERROR = "validation failed: no_nulls carrier: 12 rows\n  line 18  carrier=NULL, day=2013-01-01"
FAILED = replace(
    DONE,
    state="failed",
    nodes=(
        DONE.nodes[0],
        NodeResult("clean", "etl", "failed", seconds=1.2, error=ERROR),
        NodeResult("daily", "etl", "skipped", reason="clean failed"),
    ),
)


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """Collects elements with the text in them; a tag that is not closed in its turn is an AssertionError."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in ("br", "meta"):
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read(html: str) -> list[Element]:
    reader = Reader()
    reader.feed(str(html).removeprefix("<!doctype html>"))  # a Markup would escape what is added to it
    reader.close()
    assert not reader.open
    return reader.elements


def texts(html: str, name: str) -> list[str]:
    """The text of each element of a name."""
    return [element.text for element in read(html) if element.name == name]
