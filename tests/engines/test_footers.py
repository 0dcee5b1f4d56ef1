from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.footers import are_alike
from odibi_magics.engines.pandas.session import Session


class Counting(Session):
    asked = 0

    def run(self, sql: str, *more: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        return super().run(sql, *more)


def test_footers_are_looked_into_as_long_as_their_files_stay(tmp_path: Path) -> None:
    session = Counting([tmp_path])
    columns = (Column("id", "bigint"), Column("name", "string"))
    paths = [str(tmp_path / name) for name in ("a.parquet", "b.parquet")]
    for path in paths:
        pq.write_table(pa.table({"id": [1], "name": ["x"]}), path)
    assert are_alike(session, columns, paths)
    assert are_alike(session, columns, paths)
    assert session.asked == 1
    assert not are_alike(session, (*columns, Column("more", "int")), paths)
    pq.write_table(pa.table({"id": ["1"], "name": ["x"]}), paths[1])
    assert not are_alike(session, columns, paths)
    Path(paths[1]).unlink()
    assert not are_alike(session, columns, paths)
    session.close()
