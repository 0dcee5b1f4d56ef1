"""@transform: what a function asks for, and calls checked against it before anything runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest

from odibi_magics.errors import UsageError
from odibi_magics.sql import functions
from odibi_magics.sql.functions import Function, check_call, describe, registered, transform

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    import pyspark
    from pandas import DataFrame


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_registered", {})


def test_it_registers_under_its_name_or_another_and_gives_the_function_back() -> None:
    @transform
    def one(df: Any) -> Any:
        return df

    @transform(name="other")
    def two(df):  # type: ignore[no-untyped-def]
        return df

    assert list(registered()) == ["one", "other"]
    assert registered()["one"].call is one and registered()["other"].call is two
    assert one(5) == 5
    assert registered()["one"].origin == __file__
    assert "def one(df: Any)" in registered()["one"].source


def many(
    a: pd.DataFrame, b: pl.LazyFrame, c: pl.DataFrame, d: pa.Table, e: pa.RecordBatchReader, rate: float = 1
) -> Any: ...
def spark(df: pyspark.sql.DataFrame) -> Any: ...
def short(df: DataFrame, x) -> Any: ...  # type: ignore[no-untyped-def]
def bare(df, rate, *more, **rest): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("function", "frames", "params"),
    [
        (
            many,
            [("a", "pandas"), ("b", "polars_lazy"), ("c", "polars"), ("d", "arrow"), ("e", "reader")],
            ["rate"],
        ),
        (spark, [("df", "spark")], []),
        (short, [("df", "pandas")], ["x"]),
        (bare, [("df", "pandas")], ["rate", "rest"]),
    ],
)
def test_frames_by_their_annotations_as_text(
    function: Any, frames: list[tuple[str, str]], params: list[str]
) -> None:
    found = describe(function, "f")
    assert list(found.frames) == frames
    assert [parameter.name for parameter in found.params] == params


def test_frames_by_their_annotations_as_classes() -> None:
    import pandas
    import polars
    import pyarrow

    def f(
        a: pandas.DataFrame,
        b: polars.DataFrame,
        c: polars.LazyFrame,
        d: pyarrow.Table,
        e: pyarrow.RecordBatchReader,
    ) -> None: ...

    f.__annotations__ = {
        "a": pandas.DataFrame, "b": polars.DataFrame, "c": polars.LazyFrame, "d": pyarrow.Table,
        "e": pyarrow.RecordBatchReader,
    }  # fmt: skip
    assert [kind for _, kind in describe(f, "f").frames] == [
        "pandas",
        "polars",
        "polars_lazy",
        "arrow",
        "reader",
    ]


def test_what_takes_no_frame_is_refused() -> None:
    async def later(df: Any) -> Any: ...

    def stream(df: Any) -> Iterator[Any]:
        yield df

    refused: dict[Callable[..., Any], str] = {
        (lambda: None): "takes no frame",
        (lambda **rest: None): "takes no frame",
        later: "async",
        stream: "generators",
    }
    for function, says in refused.items():
        with pytest.raises(UsageError, match=f"@transform: 'f' .*{says}"):
            describe(function, "f")


def check(function: Any, params: Mapping[str, Any], inputs: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return check_call(describe(function, "f"), params, inputs)


def priced(df, rate: float, *, currency: str = "EUR", rounds: int | None = None): ...  # type: ignore[no-untyped-def]


def test_a_call_that_fits() -> None:
    assert check(priced, {"rate": 0.5}) == []
    assert check(priced, {"rate": 1, "currency": "USD", "rounds": None}) == []
    assert check(bare, {"rate": object(), "anything": 1}) == []


def test_everything_wrong_with_a_call_at_once() -> None:
    assert check(priced, {"curency": "USD", "rounds": "two", "df": 1}) == [
        ("curency", "f() has no parameter 'curency' (did you mean 'currency'?)"),
        ("df", "'df' of f() takes an input frame, not a value"),
        ("rate", "f() needs the parameter 'rate'"),
        ("rounds", "'rounds' of f() is int | None, and str 'two' was given"),
    ]
    assert check(lambda df: df, {"x": 1}) == [("x", "f() has no parameter 'x' (it takes none)")]


def test_frames_are_upstream_nodes() -> None:
    def join(df: pa.Table, customers: pa.Table, other, rate): ...  # type: ignore[no-untyped-def]

    assert check(join, {"rate": 1}, ("customers", "other")) == []
    assert check(join, {"rate": 1}, ("other",)) == [
        ("customers", "'customers' of f() takes a frame: name the node in depends_on: [customers]")
    ]
    assert check(join, {}, ("customers",)) == [
        ("other", "f() needs the parameter 'other'"),
        ("rate", "f() needs the parameter 'rate'"),
    ]


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (int, [1, -5], [1.5, "1", True, None, [1]]),
        (float, [1, 1.5], ["1", True, None]),
        (str, ["", "x"], [1, None, True]),
        (bool, [True], [1, "true", None]),
        (list, [[], [1]], ["x", {}, None]),
        (list[int], [[], [1]], [["x"], 1]),
        (dict, [{}], [[], "x"]),
        (dict[str, int], [{"a": 1}], [{"a": "x"}, {1: 1}]),
        (tuple[int, ...], [[1, 2]], ["x"]),
        (Optional[int], [1, None], ["x"]),  # noqa: UP045
        (int | str, [1, "x"], [1.5, None]),
        (Literal["a", 1], ["a", 1], ["b", 2, True]),
        (Any, [1, None, "x"], []),
        (Iterator, [1, "x"], []),
        ("Unknown", [1, "x"], []),
    ],
)
def test_values_against_annotations(annotation: Any, good: list[Any], bad: list[Any]) -> None:
    def f(df, x): ...  # type: ignore[no-untyped-def]

    f.__annotations__ = {"x": annotation}
    assert [value for value in good if check(f, {"x": value})] == []
    assert [value for value in bad if not check(f, {"x": value})] == []


def test_a_value_that_may_be_a_secret_is_not_repeated() -> None:
    def f(df, password: int, rows: int): ...  # type: ignore[no-untyped-def]

    [(_, first), (_, second)] = check(f, {"password": "hunter2", "rows": "many"})
    assert first == "'password' of f() is int, and str was given"
    assert second == "'rows' of f() is int, and str 'many' was given"


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("/srv/etl/transforms.py", "transforms.py"),
        ("<ipython-input-3-0123abcd>", "cell [3]"),
        ("/tmp/ipykernel_12/345.py", "its cell"),
        ("<stdin>", "its cell"),
    ],
)
def test_a_functions_lines_are_those_of_its_file_or_cell(origin: str, place: str) -> None:
    assert Function("f", print, (), (), origin).place == place


def test_it_imports_no_frame_library() -> None:
    code = (
        "import sys; from odibi_magics import transform\n"
        "@transform\ndef f(df: 'pandas.DataFrame', x: 'pl.DataFrame', rate: float): ...\n"
        "print([name for name in ('pandas', 'polars', 'pyarrow', 'duckdb', 'pydantic', 'sqlglot') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
