"""What tests of engines share: every engine in turn, and a folder it reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.config.types import Column
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Call, Engine, EngineRun, Frame, Place, Query, Source
from odibi_magics.engines.registry import choose_engine
from odibi_magics.sql.check import check_query
from odibi_magics.sql.functions import describe


@pytest.fixture(params=["pandas", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "spark":
        request.getfixturevalue("spark")
    return choose_engine(request.param)


only_pandas = pytest.mark.parametrize("engine", ["pandas"], indirect=True)
"""Of what docs/engines.md says that the engines differ in, and of what would take minutes on Spark."""


class House:
    """A folder with an engine: sources are named by their path in it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.connection = LocalConnection("lake", folder)
        self.run: EngineRun[Frame] = engine.open([self.place("", "csv")])

    def place(self, path: str, format_: str) -> Place:
        return Place(self.connection, path, format_)

    def file(self, path: str, data: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
        return target

    def source(self, path: str, format_: str, **more: Any) -> Source:
        if "schema" in more:
            more["schema"] = tuple(Column(name, type_) for name, type_ in more["schema"].items())
        return Source(self.place(path, format_), **more)

    def read(self, path: str, format_: str, limit: int | None = None, **more: Any) -> Frame:
        return self.run.read(self.source(path, format_, **more), limit=limit)

    def describe(self, path: str, format_: str, **more: Any) -> dict[str, str]:
        return types(self.engine.describe_source(self.source(path, format_, **more)))

    def csv(self, text: str, **more: Any) -> Frame:
        self.file("some.csv", text)
        return self.read("some.csv", "csv", **more)

    def sql(self, query: str, number: int = 1, **inputs: Frame) -> Frame:
        return self.run.transform(inputs, Query(check_query(query, inputs), number))

    def call(
        self, function: Any, inputs: dict[str, Frame], returns: dict[str, str] | None = None, **params: Any
    ) -> Frame:
        columns = tuple(Column(name, type_) for name, type_ in returns.items()) if returns else None
        return self.run.transform(inputs, Call(describe(function, function.__name__), params, columns))


def types(columns: tuple[Column, ...]) -> dict[str, str]:
    return {column.name: column.type for column in columns}


def rows(frame: Frame) -> list[tuple[Any, ...]]:
    """All rows, as tuples of Python objects."""
    table = frame.to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_rows else []


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> Iterator[House]:
    made = House(engine, tmp_path / "lake")
    made.folder.mkdir()
    yield made
    made.run.close()
