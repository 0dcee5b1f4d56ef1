"""Whether two folders hold the same tables: row counts, and every row, whatever the order."""

from __future__ import annotations

from pathlib import Path


def same_tables(one: Path, other: Path, names: tuple[str, ...]) -> None:
    """Raises AssertionError naming the table that differs. Doubles count as equal to twelve digits: the order in which
    they are added differs."""
    from deltalake import DeltaTable

    for name in names:
        left, right = (DeltaTable(str(folder / name)).to_pyarrow_dataset() for folder in (one, other))
        assert left is not None and right is not None
        columns = sorted(left.schema.names)
        assert columns == sorted(right.schema.names), f"{name}: {columns} and {sorted(right.schema.names)}"
        assert _digest(left, columns) == _digest(right, columns), f"{name} differs"


def _digest(table: object, columns: list[str]) -> object:
    import duckdb

    from odibi_magics.engines.pandas.names import quoted

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("t", table)
        kinds = {row[0]: row[1] for row in connection.sql("DESCRIBE t").fetchall()}
        parts = ", ".join(
            f"printf('%.11e', {quoted(c)}::DOUBLE)"
            if kinds[c] in ("DOUBLE", "FLOAT")
            else f"{quoted(c)}::VARCHAR"
            for c in columns
        )
        return connection.sql(
            f"SELECT count(*), bit_xor(hash({parts})), sum(hash({parts})::HUGEINT) FROM t"
        ).fetchall()
