"""What differs between two versions or tables, against a model in plain Python, here and in a storage account."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.delta.diff import Diff
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.engines.base import Engine, Place, Source
from odibi_magics.engines.pandas import diff_keys
from odibi_magics.engines.pandas.diff import diff
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import EngineError, KeysRefused, NoSuchTime, NoSuchVersion
from tests.engines import delta_tables
from tests.engines.delta_tables import deleted, field
from tests.engines.test_write_properties import Row, modelled, modes, rows_, written
from tests.engines.writing import Lake, adls, anywhere, lake

__all__ = ["anywhere", "lake"]

ENGINE: Engine = choose_engine("pandas")


def compare(lake: Lake, before: int | None, after: int | None = None, *keys: str, **more: Any) -> Diff:
    """Versions of the table t; `other` names another table, `rows` as of diff."""
    sources = (
        Source(Place(lake.connection, "t", "delta"), version=before),
        Source(Place(lake.connection, more.pop("other", "t"), "delta"), version=after),
    )
    return diff(lake.session, *sources, keys=keys, **more)


def counts(found: Diff) -> tuple[int, int, int | None, int]:
    return found.added, found.removed, found.changed, found.unchanged


# Against a model ------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> Any:
    """Equal where Spark's <=> says so."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    if isinstance(value, dict):
        return ("struct", *((name, canonical(item)) for name, item in sorted(value.items())))
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return frozenset((canonical(key), canonical(item)) for key, item in value)
    return tuple(map(canonical, value)) if isinstance(value, list) else value


TYPES = {
    "k": pa.int64(),
    "g": pa.float64(),
    "f": pa.float32(),
    "d": pa.decimal128(6, 2),
    "t": pa.timestamp("us", "UTC"),
    "b": pa.binary(),
    "m": pa.map_(pa.string(), pa.float64()),
    "l": pa.list_(pa.struct([("x", pa.float64()), ("y", pa.list_(pa.int32()))])),
    "n": pa.struct([("m", pa.map_(pa.int32(), pa.string())), ("z", pa.string())]),
}
floats = st.sampled_from([None, math.nan, 0.0, -0.0, 1.5])
maps = st.dictionaries(st.sampled_from("abc"), floats, max_size=3)
numbered = st.dictionaries(st.integers(0, 2), st.sampled_from(["", "x", None]), max_size=2)


@st.composite
def shuffled(draw: st.DrawFn, of: st.SearchStrategy[dict[Any, Any]]) -> list[tuple[Any, Any]]:
    return list(draw(st.permutations(list(draw(of).items()))))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "g": floats,
    "f": floats,
    "d": st.sampled_from([None, Decimal("1.50"), Decimal("0.00")]),
    "t": st.sampled_from([None, datetime(9999, 12, 31, tzinfo=UTC), datetime(2024, 1, 31, tzinfo=UTC)]),
    "b": st.sampled_from([None, b"", b"\0x"]),
    "m": st.none() | shuffled(maps),
    "l": st.none() | st.lists(st.none() | st.fixed_dictionaries({"x": floats, "y": st.none() | st.lists(st.integers(0, 1), max_size=2)}), max_size=2),
    "n": st.none() | st.fixed_dictionaries({"m": st.none() | shuffled(numbered), "z": st.sampled_from(["", None])}),
}  # fmt: skip

Wide = dict[str, Any]


def wide(keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Wide]:
    """A row, often one of few, so that the same come again."""
    some = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})
    plain = st.just(dict.fromkeys(VALUES))
    return st.tuples(keys, plain | some).map(lambda both: {"k": both[0], **both[1]})


def put(lake: Lake, rows: list[Wide], path: str) -> None:
    """A table of two files, as far as there are rows."""
    half = len(rows) // 2
    for part, mode in ((rows[:half], "overwrite"), (rows[half:], "append")):
        arrays = {name: pa.array([row[name] for row in part], type_) for name, type_ in TYPES.items()}
        lake.write(pa.table(arrays), path, mode=mode)


def whole(row: Wide) -> Any:
    return tuple(canonical(row[name]) for name in TYPES)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(wide(st.integers(0, 2) | st.none()), max_size=8),
    st.lists(wide(st.integers(0, 2) | st.none()), max_size=8),
)
def test_rows_as_wholes(before: list[Wide], after: list[Wide]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        put(lake, before, "t")
        put(lake, after, "o")
        found = compare(lake, None, other="o", rows=100)
        lake.session.close()
    old, new = Counter(map(whole, before)), Counter(map(whole, after))
    assert counts(found) == ((new - old).total(), (old - new).total(), None, (old & new).total())
    assert (found.before.rows, found.after.rows) == (len(before), len(after))
    told = {"added": Counter[Any](), "removed": Counter[Any]()}
    for row in found.sample:
        told[row.kind][shown(row.before or row.after)] += row.count
    assert told == {"added": new - old, "removed": old - new}


def shown(values: tuple[Any, ...] | None) -> Any:
    """A sample's row as `whole` has it."""
    assert values is not None
    row = dict(zip(TYPES, values, strict=True))
    row["t"] = row["t"] and row["t"].replace(tzinfo=UTC)
    row["m"] = None if row["m"] is None else list(row["m"].items())
    row["n"] = row["n"] and {**row["n"], "m": None if row["n"]["m"] is None else list(row["n"]["m"].items())}
    return whole(row)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(wide(st.integers(0, 9)), max_size=8, unique_by=lambda row: row["k"]),
    st.lists(wide(st.integers(0, 9)), max_size=8, unique_by=lambda row: row["k"]),
    st.integers(1, 100),
)
def test_rows_by_keys(before: list[Wide], after: list[Wide], rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        put(lake, before, "t")
        put(lake, after, "o")
        found = compare(lake, None, None, "K", other="o", rows=rows)
        lake.session.close()
    old, new = ({row["k"]: row for row in side} for side in (before, after))
    changed = {key for key in old.keys() & new.keys() if whole(old[key]) != whole(new[key])}
    same = len(old.keys() & new.keys()) - len(changed)
    assert counts(found) == (len(new.keys() - old.keys()), len(old.keys() - new.keys()), len(changed), same)
    assert len(found.sample) == min(rows, len(old.keys() | new.keys()) - same)
    kinds = {"added": new.keys() - old.keys(), "removed": old.keys() - new.keys(), "changed": changed}
    for row in found.sample:
        key = (row.before or row.after or ())[0]
        assert key in kinds[row.kind]
        assert row.before is None or shown(row.before) == whole(old[key])
        assert row.after is None or shown(row.after) == whole(new[key])
        differ = [
            name
            for name in TYPES
            if row.kind == "changed" and canonical(old[key][name]) != canonical(new[key][name])
        ]
        assert list(row.changed) == differ
    if rows >= 3:  # of each kind something is seen
        assert {row.kind for row in found.sample} == {kind for kind, keys in kinds.items() if keys}


@settings(max_examples=40, deadline=None)
@given(rows_, st.sampled_from([[], ["p"]]), st.lists(st.tuples(modes, rows_), max_size=4), st.data())
def test_versions_that_share_files(
    first: list[Row], partition_by: list[str], steps: list[tuple[str, list[Row]]], data: st.DataObject
) -> None:
    """Whatever was written in between, and whichever files both have."""
    from tests.engines.test_write_properties import as_table

    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        lake.write(as_table(first), partition_by=partition_by)
        versions = [first]
        for mode, rows in steps:
            mode = "append" if mode == "partitions" and not partition_by else mode
            if mode == "replace":
                rows = [row for row in rows if row[2] is not None and row[2] >= 2]
            written(lake, mode, rows)
            versions.append(modelled(versions[-1], mode, rows))
        one, other = (data.draw(st.integers(0, len(steps))) for _ in range(2))
        found = compare(lake, one, other)
        old, new = Counter(versions[one]), Counter(versions[other])
        assert counts(found) == ((new - old).total(), (old - new).total(), None, (old & new).total())
        assert found.files_read + 2 * found.files_skipped == found.before.files + found.after.files
        check_keys(lake, one, other, versions)
        lake.session.close()


def check_keys(lake: Lake, one: int, other: int, versions: list[list[Row]]) -> None:
    old, new = ({row[0]: row for row in versions[number]} for number in (one, other))
    unique = len(old) == len(versions[one]) and len(new) == len(versions[other])
    try:
        found = compare(lake, one, other, "id", rows=100)
    except KeysRefused:
        assert not unique
        return
    if unique:
        changed = sum(old[key] != new[key] for key in old.keys() & new.keys())
        same = len(old.keys() & new.keys()) - changed
        assert counts(found) == (len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed, same)
    else:  # what comes twice stands in files of both versions, and no row that differs has its key
        assert found.files_skipped and not found.unchecked
        before, after = (Counter(row[0] for row in versions[number]) for number in (one, other))
        for row in found.sample:
            key = (row.before or row.after or ())[0]
            assert before[key] == (row.before is not None) and after[key] == (row.after is not None)
    assert (found.before.rows, found.after.rows) == (len(versions[one]), len(versions[other]))


# Here and in a storage account ----------------------------------------------------------------------------------------


def three_versions(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "x": ["a", "b", "c"]})
    lake.write({"id": [10, 20], "x": ["k", "l"]}, mode="append")
    lake.write({"id": [2, 3, 4], "x": ["B", "c", "d"]}, mode="merge", keys=["id"])


def test_two_versions(anywhere: Lake) -> None:
    three_versions(anywhere)
    found = compare(anywhere, 1, 2, "id")
    assert counts(found) == (1, 0, 1, 4)
    assert [(row.kind, row.before, row.after, row.changed) for row in found.sample] == [
        ("changed", (2, "b"), (2, "B"), ("x",)),
        ("added", None, (4, "d"), ()),
    ]
    assert (found.before.version, found.after.version, found.before.url) == (1, 2, found.after.url)
    assert found.same_table and not found.identical


def test_the_newest_version_where_none_is_named(anywhere: Lake) -> None:
    three_versions(anywhere)
    assert compare(anywhere, 1).after.version == 2
    assert counts(compare(anywhere, 0)) == (4, 1, None, 2)


@pytest.mark.parametrize("keys", [(), ("id",)])
def test_files_of_both_versions_are_not_read(anywhere: Lake, keys: tuple[str, ...]) -> None:
    three_versions(anywhere)
    store = open_store(Place(anywhere.connection, "t", "delta"))
    (shared,) = set(paths(anywhere, 1)) & set(paths(anywhere, 2))
    store.delete(store.at(shared))
    found = compare(anywhere, 1, 2, *keys)
    assert found.files_skipped == 1 and found.unchanged == 4
    assert found.files_read == len(paths(anywhere, 1)) + len(paths(anywhere, 2)) - 2
    with pytest.raises(
        NoSuchVersion, match=r"lake:t@1 cannot be read any more: 1 of its files is gone, as VACUUM"
    ):
        compare(anywhere, 1, 0, *keys)


def paths(lake: Lake, version: int) -> list[str]:
    return [str(path) for path in pa.table(lake.table(version=version).get_add_actions())["path"].to_pylist()]


def test_a_version_that_was_vacuumed(anywhere: Lake) -> None:
    anywhere.write({"id": [1]})
    anywhere.write({"id": [2]})
    anywhere.write({"id": [3]}, mode="append")
    store = open_store(Place(anywhere.connection, "t", "delta"))
    store.delete(store.at(paths(anywhere, 0)[0]))
    says = r"lake:t@0 cannot be read any more: 1 of its files is gone, as VACUUM deletes them; versions that still read: 1 to 2$"
    with pytest.raises(NoSuchVersion, match=says):
        compare(anywhere, 0, 2)
    store.delete(store.at(paths(anywhere, 1)[0]))
    with pytest.raises(NoSuchVersion, match=r"; no version of it can be read$"):
        compare(anywhere, 0, 2)


def test_across_connections(lake: Lake, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    blobs = Lake(tmp_path / "b", adls(request.getfixturevalue("cloud"), "silver"))
    lake.write({"id": [1, 2], "x": ["a", "b"]})
    blobs.write({"ID": [2, 3], "x": ["B", "c"]}, "o")
    sources = (Source(Place(lake.connection, "t", "delta")), Source(Place(blobs.connection, "o", "delta")))
    found = ENGINE.diff(*sources, keys=["id"])
    assert counts(found) == (1, 1, 1, 0)
    assert not found.same_table and found.keys == ("ID",)
    assert found.schema_changes == (SchemaChange("renamed", "ID", "id → ID"),)
    blobs.session.close()


def test_the_engine_reads_one_connection_again_and_again(lake: Lake) -> None:
    three_versions(lake)
    for _ in range(2):
        sources = (Source(Place(lake.connection, "t", "delta"), version=version) for version in (1, 2))
        assert counts(ENGINE.diff(*sources, keys=["id"])) == (1, 0, 1, 4)


# Columns --------------------------------------------------------------------------------------------------------------


def test_columns_of_one_side_alone_make_no_row_another(lake: Lake) -> None:
    lake.write({"id": [1, 2], "gone": ["a", "b"], "x": [1, 2]})
    lake.write({"x": [1, 5], "new": [True, None], "id": [1, 2]}, overwrite_schema=True)
    found = compare(lake, 0, 1, "id")
    assert counts(found) == (0, 0, 1, 1)
    assert [column.name for column in found.compared] == ["id", "x"]
    assert found.schema_changes == (
        SchemaChange("removed", "gone", "string"),
        SchemaChange("added", "new", "boolean"),
    )
    assert counts(compare(lake, 0, 1)) == (1, 1, None, 1)


def test_the_order_of_columns_does_not_count(lake: Lake) -> None:
    lake.write({"a": [1], "b": ["x"]})
    lake.write({"b": ["x"], "a": [1]}, overwrite_schema=True)
    assert compare(lake, 0, 1).identical


@pytest.mark.parametrize(("before", "after", "equal"), [
    (pa.array([1, 2**31], pa.int64()), pa.array([1, 7], pa.int32()), [True, False]),
    (pa.array([1, 2], pa.int32()), pa.array([Decimal("1.00"), Decimal("2.50")], pa.decimal128(10, 2)), [True, False]),
    (pa.array([1.5, 0.1], pa.float32()), pa.array([1.5, 0.1], pa.float64()), [True, False]),
    (pa.array([Decimal("1.5"), Decimal("1.6")], pa.decimal128(4, 1)), pa.array([Decimal("1.500"), Decimal("1.601")], pa.decimal128(9, 3)), [True, False]),
    (pa.array([[1], [2]], pa.list_(pa.int32())), pa.array([[1], [3]], pa.list_(pa.int64())), [True, False]),
    (pa.array([{"x": 1, "y": "a"}, None]), pa.array([{"y": "a", "z": True}, {"y": None, "z": True}]), [True, False]),
    (pa.array([[(1, 1), (2, 2)], []], pa.map_(pa.int32(), pa.int32())), pa.array([[(2, 2), (1, 1)], None], pa.map_(pa.int64(), pa.int64())), [True, False]),
    (pa.array([datetime(2024, 1, 31), None], pa.date32()), pa.array([datetime(2024, 1, 31), datetime(2024, 1, 31)], pa.timestamp("us", "UTC")), [True, False]),
])  # fmt: skip
def test_values_of_two_types_are_compared_by_value(
    lake: Lake, before: pa.Array, after: pa.Array, equal: list[bool]
) -> None:
    for values, path in ((before, "t"), (after, "o")):
        lake.write(pa.table({"id": [0, 1], "x": values}), path)
    for one, other in (("t", "o"), ("o", "t")):
        sources = (Source(Place(lake.connection, path, "delta")) for path in (one, other))
        found = diff(lake.session, *sources, keys=["id"])
        assert [row.changed for row in found.sample] == [("x",)] * equal.count(False)
        assert found.unchanged == equal.count(True)
        assert [(change.kind, change.column) for change in found.schema_changes] == [("type", "x")]


@pytest.mark.parametrize("after", [pa.array(["1"]), pa.array([True]), pa.array([[1]])])
def test_types_with_no_values_in_common_are_not_compared(lake: Lake, after: pa.Array) -> None:
    lake.write({"id": [1], "x": [1]})
    lake.write(pa.table({"id": [1], "x": after}), overwrite_schema=True)
    found = compare(lake, 0, 1)
    assert counts(found) == (0, 0, None, 1) and not found.identical
    assert [(column.name, column.compared) for column in found.columns] == [("id", True), ("x", False)]
    with pytest.raises(
        KeysRefused, match=r"keys: 'x' is bigint in lake:t@0 and .* in lake:t@1, whose values cannot"
    ):
        compare(lake, 0, 1, "x")


def test_partitioning_and_nullability_are_told(lake: Lake) -> None:
    lake.write({"id": [1], "p": ["a"]}, partition_by=["p"])
    lake.write({"id": [1], "p": ["a"]}, partition_by=["id"], overwrite_schema=True)
    found = compare(lake, 0, 1)
    assert found.schema_changes == (SchemaChange("partitioning", "", "p → id"),)
    assert counts(found) == (0, 0, None, 1)


def test_tables_with_nothing_in_common(lake: Lake) -> None:
    lake.write({"a": [1]})
    lake.write({"b": [1]}, "o")
    with pytest.raises(
        EngineError, match=r"no column to compare: lake:t@0 has a bigint; lake:o@0 has b bigint"
    ):
        compare(lake, None, other="o")


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "says"), [
    ([1, 2, 2, 2], r"keys: \[id\]: in lake:o@0 2 rows have the same keys as an earlier one.*for example id=2, rows=3\. Choose other"),
    ([1, None, 2], r"keys: \[id\]: in lake:o@0 1 row has NULL in a key.*for example id=NULL\. Choose other"),
])  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_keys_that_tell_no_rows_apart(lake: Lake, rows: list[int | None], says: str, turned: bool) -> None:
    lake.write({"id": [1, 2, 3]})
    lake.write(pa.table({"id": pa.array(rows, pa.int64())}), "o")
    sources = [Source(Place(lake.connection, path, "delta")) for path in ("t", "o")]
    with pytest.raises(KeysRefused, match=says):
        diff(lake.session, *(reversed(sources) if turned else sources), keys=["id"])


def test_zeros_and_nans_are_the_same_key(lake: Lake) -> None:
    lake.write({"g": [0.0, math.nan], "x": [1, 2]})
    lake.write({"g": [-0.0, math.nan], "x": [1, 3]})
    assert counts(compare(lake, 0, 1, "g")) == (0, 0, 1, 1)
    lake.write({"g": [0.0, -0.0], "x": [1, 2]})
    with pytest.raises(KeysRefused, match=r"in lake:t@2 1 row has the same keys"):
        compare(lake, 0, 2, "g")


def test_the_same_append_twice_is_seen(anywhere: Lake) -> None:
    """Its rows are in a new file, whose keys stand in one that both versions have; all rows of the version count."""
    anywhere.write({"id": [1, 2, 3, 4], "x": ["a", "b", "c", "d"]})
    anywhere.write({"id": [2, 3, 4], "x": ["b", "c", "d"]}, mode="append")
    anywhere.write({"id": [9], "x": ["e"]}, mode="append")
    twice = (
        r"keys: \[id\]: in lake:t@1 3 rows have the same keys as an earlier one, some in files that both versions have, "
        r"as where the same rows were appended twice, so it is open which of them changed, for example id=\d, rows=2"
    )
    for versions in ((0, 1), (1, 0)):
        with pytest.raises(KeysRefused, match=twice):
            compare(anywhere, *versions, "id")
    assert counts(compare(anywhere, 1, 2, "id")) == (1, 0, 0, 7), "what differs has keys of its own"
    with pytest.raises(KeysRefused, match=r"in lake:t@1 3 rows have.*some in files that both"):
        compare(anywhere, 1, 0, "id")


def test_all_rows_of_a_version_count_where_keys_are_refused(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3, 4], "x": ["a", "a", "b", "b"]})
    lake.write({"id": [5, 6, 7], "x": ["c", "c", "a"]}, mode="append")
    with pytest.raises(KeysRefused, match=r"in lake:t@0 2 rows have the same keys"):
        compare(lake, 0, 1, "x")


def test_a_file_like_one_that_came_is_looked_into_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more than there is room for."""
    monkeypatch.setattr(diff_keys, "_ALWAYS", 2 << 20)
    monkeypatch.setattr(diff_keys, "_TIMES", 0)
    for i in range(4):
        lake.write({"id": [i, 100 - i]}, mode="append")
    lake.write({"id": [50]}, mode="append")
    found = compare(lake, 3, 4, "id")
    assert (counts(found), found.keys_read, found.unchecked) == ((1, 0, 0, 8), 2, 2)
    for i in range(4):
        lake.write({"id": [i, 100 - i]}, mode="append")
        with pytest.raises(
            KeysRefused, match=f"in lake:t@{4 + i if i else 5} {2 * i or 2} rows .* appended twice"
        ):
            compare(lake, 4 + i, 5 + i, "id")


def test_files_that_may_hold_a_key_too_are_looked_into(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as there is room; bounds and partitions say which of them cannot hold it."""
    monkeypatch.setattr(diff_keys, "_ALWAYS", 0)
    monkeypatch.setattr(diff_keys, "_TIMES", 0)
    lake.write({"id": [1, 2], "p": ["a", "b"]}, partition_by=["p"])
    lake.write({"id": [3], "p": ["a"]}, mode="append", partition_by=["p"])
    lake.write({"id": [5], "p": ["a"]}, mode="append", partition_by=["p"])
    assert compare(lake, 0, 2, "id").unchecked == 0
    assert compare(lake, 0, 1, "p").unchecked == 1
    lake.write({"id": [2], "p": ["c"]}, mode="append", partition_by=["p"])
    assert compare(lake, 0, 3, "id").unchecked == 1
    assert compare(lake, 0, 3, "id", "p").unchecked == 0
    assert compare(lake, 0, 3).unchecked == 0


def test_several_keys(lake: Lake) -> None:
    lake.write({"a": [1, 1, 2], "b": ["x", "y", "x"], "v": [1, 2, 3]})
    lake.write({"a": [1, 1, 2], "b": ["x", "y", "z"], "v": [1, 5, 3]})
    found = compare(lake, 0, 1, "b", "a")
    assert counts(found) == (1, 1, 1, 1)
    assert [column.name for column in found.compared] == ["b", "a", "v"]


def test_a_key_that_is_not_there(lake: Lake) -> None:
    lake.write({"order_id": [1]})
    lake.write({"id": [1], "order_id": [1]}, overwrite_schema=True)
    with pytest.raises(
        KeysRefused,
        match=r"keys: there is no column 'id' in lake:t@0 \(did you mean 'order_id'\?|allowed: order_id\)",
    ):
        compare(lake, 0, 1, "id")
    with pytest.raises(
        KeysRefused, match=r"'oder_id' in lake:t@0 nor in lake:t@1 \(did you mean 'order_id'\?\)"
    ):
        compare(lake, 0, 1, "oder_id")


# What there is to read ------------------------------------------------------------------------------------------------


def test_no_rows_are_kept_where_none_are_wanted(lake: Lake) -> None:
    three_versions(lake)
    for keys in ((), ("id",)):
        found = compare(lake, 1, 2, *keys, rows=0)
        assert found.sample == () and found.added == (1 if keys else 2)


def test_the_sample_is_in_order_and_each_kind_is_seen(lake: Lake) -> None:
    lake.write({"id": list(range(1000)), "x": [0] * 1000})
    lake.write({"id": [5, *range(990, 1990)], "x": [1] * 1001})
    found = compare(lake, 0, 1, "id", rows=7)
    assert [(row.kind, (row.after or row.before or ())[0]) for row in found.sample] == [
        ("removed", 0), ("removed", 1), ("changed", 5), ("changed", 990), ("added", 1000), ("added", 1001), ("added", 1002),
    ]  # fmt: skip


def test_files_whose_rows_the_log_does_not_count(tmp_path: Path) -> None:
    """Of those that both versions have, footers tell."""
    for file in ("a.parquet", "b.parquet"):
        delta_tables.table(tmp_path / "t", pa.table({"id": [1, 2, 3]}), add={"stats": None}, file=file)
    log = tmp_path / "t/_delta_log"
    second = log / f"{0:020}.json"
    both = second.read_text().replace('"b.parquet"', '"a.parquet"').splitlines()[-1]
    (log / f"{1:020}.json").write_text(f'{{"commitInfo": {{"timestamp": 1}}}}\n{both}')
    lake = Lake(tmp_path)
    assert counts(compare(lake, 0, 1)) == (3, 0, None, 3)
    assert compare(lake, 0, 1).files_skipped == 1
    lake.session.close()


def test_deleted_rows_are_no_rows(tmp_path: Path) -> None:
    """All is read by deltalake, since files cannot be chosen."""
    data = pa.table({"id": pa.array([0, 1, 2, 3])})
    delta_tables.table(tmp_path / "t", data, reader=3, features=["deletionVectors"], add=deleted([1, 2]))
    delta_tables.table(tmp_path / "o", data, reader=3, features=["deletionVectors"], add=deleted([0, 1]))
    lake = Lake(tmp_path)
    assert counts(compare(lake, None, None, "id", other="o")) == (1, 1, 0, 1)
    again = compare(lake, 0, None, other="t")
    assert again.identical and again.unchanged == 2
    lake.session.close()


def test_mapped_columns_are_compared_by_their_names(tmp_path: Path) -> None:
    fields = [
        field(name, "long", **{"delta.columnMapping.id": i, "delta.columnMapping.physicalName": f"col-{i}"})
        for i, name in enumerate(["id", "qty"], 1)
    ]
    delta_tables.table(
        tmp_path / "t", pa.table({"col-1": [1, 2], "col-2": [5, 6]}), reader=2, fields=fields,
        configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"},
    )  # fmt: skip
    lake = Lake(tmp_path)
    lake.write({"qty": [5, 7], "id": [1, 2]}, "o")
    found = compare(lake, None, None, "id", other="o")
    assert counts(found) == (0, 0, 1, 1) and found.sample[0].changed == ("qty",)
    lake.session.close()


def test_what_cannot_be_read_right_is_refused(tmp_path: Path) -> None:
    delta_tables.table(tmp_path / "t", pa.table({"id": [1]}), reader=3, features=["someNewThing"])
    lake = Lake(tmp_path)
    with pytest.raises(EngineError, match="someNewThing"):
        compare(lake, 0, 0)
    lake.session.close()


def test_what_is_not_there(lake: Lake) -> None:
    lake.write({"id": [1]})
    with pytest.raises(NoSuchVersion, match=r"^lake:t has no version 7: its only version is 0"):
        compare(lake, 0, 7)
    with pytest.raises(EngineError, match="there is no Delta table at"):
        compare(lake, 0, other="nothing")
    place = Place(lake.connection, "t", "delta")
    with pytest.raises(NoSuchTime, match="was not there at 2001"):
        diff(lake.session, Source(place, timestamp=datetime(2001, 1, 1, tzinfo=UTC)), Source(place))


def test_an_empty_table(lake: Lake) -> None:
    lake.write(pa.schema([("id", pa.int64())]).empty_table())
    lake.write({"id": [1]})
    assert counts(compare(lake, 0, 1, "id")) == (1, 0, 0, 0)
    assert compare(lake, 0, 0).identical
