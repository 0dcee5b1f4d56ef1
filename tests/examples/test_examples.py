"""The pipelines in examples/ run on both engines, day after day, with the rows and types that their comments promise."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from odibi_magics.cli import main
from odibi_magics.engines.base import CheckResult
from odibi_magics.errors import NodeFailed
from odibi_magics.pipeline.result import RunResult
from odibi_magics.project import Project

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*/*.odibi.yaml"))

FIRST, SECOND, LAST = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 5)


@dataclass(frozen=True)
class Example:
    """A copy of an example's folder, and the engine that it runs on."""

    file: Path
    engine: str

    def run(self, only: str | None = None, **variables: Any) -> RunResult:
        return Project.from_file(self.file, variables=variables).run(engine=self.engine, only=only)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """A table's rows in the order of their values, read by neither engine. columns: only these."""
        found = DeltaTable(self.file.parent / "data" / table).to_pyarrow_table(columns=[*columns] or None)
        return sorted(zip(*(column.to_pylist() for column in found.columns), strict=True), key=repr)

    def types(self, table: str) -> dict[str, str]:
        fields = DeltaTable(self.file.parent / "data" / table).schema().fields
        return {field.name: str(field.type).split('"')[1] for field in fields}


@pytest.fixture(params=["pandas", pytest.param("spark", marks=pytest.mark.classic)])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)


@pytest.fixture
def example(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Example:
    """The one that the test is named after."""
    name = request.node.originalname.removeprefix("test_")
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("data"))
    return Example(folder / f"{name}.odibi.yaml", engine)


def by_repr(*rows: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def failed_checks(result: RunResult) -> list[CheckResult]:
    return [check for node in result.nodes for check in node.checks if check.failed]


# Each example ---------------------------------------------------------------------------------------------------------


def test_medallion(example: Example) -> None:
    example.run()
    assert len(example.rows("bronze/orders")) == 5
    assert example.rows("silver/orders", "order_id", "country", "status", "amount") == [
        (1, "SE", "shipped", Decimal("120.50")),  # its second line
        (2, "SE", "placed", Decimal("80.00")),
        (3, "SE", "placed", Decimal("15.25")),  # spelt " Placed "
        (4, "unknown", "placed", Decimal("42.00")),  # of nobody's we know
    ]
    assert example.rows("gold/daily") == [
        (FIRST, "SE", 3, Decimal("215.75")),
        (FIRST, "unknown", 1, Decimal("42.00")),
    ]

    result = example.run(files="*")
    assert example.rows("gold/daily") == [
        (FIRST, "SE", 2, Decimal("135.75")),  # one was cancelled
        (FIRST, "unknown", 1, Decimal("42.00")),
        (SECOND, "FR", 1, Decimal("5400.00")),
        (SECOND, "SE", 1, Decimal("19.75")),
    ]
    assert (len(example.rows("bronze/orders")), len(example.rows("silver/orders"))) == (9, 6)
    assert example.rows("gold/customers") == [
        (10, "Ada", 2, Decimal("135.75"), FIRST),
        (11, "Björn", 1, Decimal("19.75"), SECOND),
        (12, "Chloé", 1, Decimal("5400.00"), SECOND),
        (13, "Dai", 0, Decimal("0.00"), None),
    ]
    [warned] = failed_checks(result)
    assert (warned.on_fail, warned.examples[0]["amount"]) == ("warn", Decimal("5400.00"))
    assert example.types("gold/daily") == {
        "day": "date", "country": "string", "orders": "long", "revenue": "decimal(20,2)",
    }  # fmt: skip

    again = example.run("order_lines", files="*")
    assert again.node("order_lines").written.rows_inserted == 0  # type: ignore[union-attr]
    assert len(example.rows("bronze/orders")) == 9


def test_incremental(example: Example) -> None:
    example.run()
    first = [(FIRST, 8, 3, 2), (FIRST, 9, 1, 1)]
    assert example.rows("events", "event_id") == [(1,), (2,), (3,), (4,)]
    assert example.rows("hourly", "day", "hour", "events", "users") == first

    example.run(files="*")
    both = [*first, (SECOND, 7, 1, 1), (SECOND, 8, 2, 2)]
    assert example.rows("events", "event_id") == [(1,), (2,), (3,), (4,), (5,), (6,), (7,)]
    assert example.rows("hourly", "day", "hour", "events", "users") == both
    assert example.rows("events", "at")[-1] == (datetime(2026, 11, 2, 8, 20, 30, 250000, UTC),)

    again = example.run(files="*")
    assert again.node("events").written.rows_inserted == 0  # type: ignore[union-attr]
    assert len(example.rows("events")) == 7
    assert example.rows("hourly", "day", "hour", "events", "users") == both
    assert example.types("hourly") == {"day": "date", "hour": "integer", "events": "long", "users": "long"}


def test_slowly_changing(example: Example) -> None:
    example.run()
    assert {row[4:] for row in example.rows("customers_history")} == {(FIRST, None, True)}

    for _ in range(2):  # the same list once more changes nothing
        example.run(day="2026-11-02")
        assert example.rows("customers_history") == by_repr(
            (1, "Ada", "Lund", "gold", FIRST, SECOND, False),  # moved
            (1, "Ada", "Uppsala", "gold", SECOND, None, True),
            (2, "Björn", "Malmö", None, FIRST, None, True),  # as before, NULL among it
            (3, "Chloé", "Lyon", "silver", FIRST, SECOND, False),  # gone
            (4, "Dai", "Cardiff", "silver", SECOND, None, True),  # new
        )

    example.run(day="2026-11-05")
    latest = by_repr(
        (1, "Ada", "Lund", "gold", FIRST, SECOND, False),
        (1, "Ada", "Uppsala", "gold", SECOND, None, True),
        (2, "Björn", "Malmö", "silver", LAST, None, True),
        (2, "Björn", "Malmö", None, FIRST, LAST, False),
        (3, "Chloé", "Lyon", "silver", FIRST, SECOND, False),
        (3, "Chloé", "Lyon", "silver", LAST, None, True),  # back
        (4, "Dai", "Cardiff", "silver", SECOND, None, True),
    )
    current = [
        (1, "Ada", "Uppsala", "gold"), (2, "Björn", "Malmö", "silver"),
        (3, "Chloé", "Lyon", "silver"), (4, "Dai", "Cardiff", "silver"),
    ]  # fmt: skip
    assert example.rows("customers_history") == latest
    assert example.rows("customers") == current

    with pytest.raises(NodeFailed, match="day >= newest"):
        example.run(day="2026-11-02")
    assert example.rows("customers_history") == latest
    assert example.rows("customers") == current
    assert example.types("customers_history") == {
        **dict.fromkeys(["name", "city", "tier"], "string"), "customer_id": "long",
        **dict.fromkeys(["valid_from", "valid_to"], "date"), "is_current": "boolean",
    }  # fmt: skip


def test_a_day_whose_list_was_mended_is_taken_again(tmp_path: Path) -> None:
    """What the same day opened is replaced, not closed; a customer that is taken off it again was there for no day."""
    folder = shutil.copytree(
        EXAMPLES / "slowly_changing", tmp_path / "mended", ignore=shutil.ignore_patterns("data")
    )
    example = Example(folder / "slowly_changing.odibi.yaml", "pandas")
    example.run()
    lists = folder / "input" / "customers" / "2026-11-01.csv"
    lists.write_text("customer_id,name,city,tier\n1,Ada,Visby,gold\n2,Björn,Malmö,\n")
    example.run()
    assert example.rows(
        "customers_history", "customer_id", "city", "valid_from", "valid_to", "is_current"
    ) == [
        (1, "Visby", FIRST, None, True),
        (2, "Malmö", FIRST, None, True),
        (3, "Lyon", FIRST, FIRST, False),
    ]


def test_quality_gate(example: Example) -> None:
    passed = example.run()
    quarantined = [
        (FIRST, "cellar", None, "no value"),
        (FIRST, "roof", 999.9, "out of range"),
    ]
    columns = ("day", "sensor", "celsius", "faults")
    assert len(example.rows("readings")) == 8
    assert example.rows("quarantine", *columns) == quarantined
    [warned] = failed_checks(passed)
    assert (warned.on_fail, warned.examples[0]["celsius"]) == ("warn", -24.5)

    with pytest.raises(NodeFailed, match="range wrong") as caught:
        example.run(day="2026-11-02")
    states = {node.name: node.state for node in caught.value.result.nodes}
    assert (states["quarantine"], states["gate"], states["readings"]) == ("done", "failed", "skipped")
    assert len(example.rows("readings")) == 8
    assert example.rows("quarantine", *columns) == by_repr(
        *quarantined,
        (SECOND, "cellar", 11.5, "of another day"),
        (SECOND, "north", None, "no value"),
        (SECOND, "roof", 999.9, "out of range"),
        (SECOND, "roof", 999.9, "out of range, there already"),
    )

    mended = "\n".join(f"north,2026-11-02T0{hour}:00:00Z,{hour}.5" for hour in range(5))
    (example.file.parent / "input/readings/2026-11-02.csv").write_text(f"sensor,at,celsius\n{mended}\n")
    example.run(day="2026-11-02")
    assert example.rows("quarantine", *columns) == quarantined
    assert len(example.rows("readings")) == 13
    assert example.types("quarantine") == {
        "day": "date", "sensor": "string", "at": "timestamp", "celsius": "double", "faults": "string",
    }  # fmt: skip


# As they are told -----------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"^(?:#   |.*`\.venv/bin/)(odibi-magics [^`]*?)(?:`.*| +#.*)?$", re.M)


def test_every_example_is_listed_and_tested() -> None:
    names = {file.parent.name for file in FILES}
    assert {file.name for file in FILES} == {f"{name}.odibi.yaml" for name in names}
    assert {name.removeprefix("test_") for name in globals()} >= names
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[(\w+)\]\(", page, re.M)) == names


def test_the_commands_work_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in the order of its text, in a copy of the folder; of one the text says that it is refused."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("data"))
    monkeypatch.chdir(tmp_path)
    told = [text for file in FILES for text in COMMAND.findall(file.read_text(encoding="utf-8"))]
    assert len(told) == 10
    assert set(COMMAND.findall((EXAMPLES / "README.md").read_text(encoding="utf-8"))) < set(told)
    refused = [text for text in told if exit_code(text)]
    assert refused == ["odibi-magics run examples/quality_gate/quality_gate.odibi.yaml --set day=2026-11-02"]


def exit_code(command: str) -> object:
    """That of a command's words, in this process, since starting one takes seconds."""
    try:
        main(shlex.split(command)[1:])
    except SystemExit as ended:
        return ended.code
    return 0
