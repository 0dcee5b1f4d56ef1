"""An account with `auth_mode: session`: the session has it mounted on a folder here, and nobody else has its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.engines.spark import session_files
from odibi_magics.errors import AppendRefused, ConfigErrors, ConnectionFailed, NodeFailed

HOST = "box@shelf.dfs.core.windows.net"
URL = f"abfss://{HOST}"
MOUNTS = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
LOCAL = "org.apache.hadoop.fs.LocalFileSystem"


@pytest.fixture
def box(spark: Any, tmp_path: Path) -> Iterator[Path]:
    """The container's folder. What stands at an `abfss://` URL is told by Hadoop's table of mounts."""
    folder = tmp_path / "box"
    set_ = {
        "fs.abfss.impl": MOUNTS,
        "fs.abfss.impl.disable.cache": "true",
        "fs.viewfs.overload.scheme.target.file.impl": LOCAL,
        "fs.viewfs.overload.scheme.target.abfss.impl": LOCAL,
        "spark.delta.logStore.abfss.impl": "io.delta.storage.LocalLogStore",
    }
    for name in ("raw", "clean", "out"):
        (folder / name).mkdir(parents=True)
        set_[f"fs.viewfs.mounttable.{HOST}.link./{name}"] = f"file://{folder / name}"
    for key, value in set_.items():
        spark.conf.set(key, value)
    yield folder
    for key in set_:
        spark.conf.unset(key)


def project(box: Path, nodes: str) -> Project:
    head = "connections: {box: {type: azure_adls, account: shelf, container: box, auth_mode: session}}\nengine: spark\n"
    return Project.from_yaml(f"{head}nodes:\n{nodes}", folder=box)


READ = "  - name: raw\n    read: {connection: box, path: %s, format: %s}\n"
TO_TABLE = READ + "    write: {connection: box, path: clean/t, mode: append}\n"
TO_FILES = READ + "    write: {connection: box, path: out/p, format: parquet, mode: %s}\n"


def test_files_and_tables_are_spark_s_alone(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (box / "raw" / "a b.csv").write_text("id,name\n1,x\n2,y\n")
    (box / "raw" / "c.csv").write_text("id,name\n3,z\n")
    (box / "raw" / "_hidden.csv").write_text("nothing of ours\n")
    built = project(box, TO_TABLE % ("raw/*.csv", "csv"))
    with monkeypatch.context() as patch:
        patch.setattr(session_files, "_BLOCK", 5)  # so that what is read comes in several parts
        assert [str(column) for column in built.plan()["raw"].columns or ()] == ["id bigint", "name string"]
    ran = built.run()
    assert [(node.rows, node.written and node.written.version_after) for node in ran] == [(3, 0)]
    assert sorted(built.table("box:clean/t").to_arrow()["id"].to_pylist()) == [1, 2, 3]
    with pytest.raises(AppendRefused, match="same 2 files as version 0"):
        built.run()
    assert [entry.rows for entry in built.engine.history("box:clean/t").entries] == [3]
    assert built.undo().tables[0].state == "undone"
    assert built.table("box:clean/t").count() == 0
    with pytest.raises(ConnectionFailed, match=r"auth_mode: session is what Spark's session was set up with"):
        PandasEngine().history(built.engine._place("box", "clean/t"))

    (box / "raw" / "c.csv").write_text("id,name\n3,z\n" * 1 + "4,z\n" * 20_480 + "five,z\n")
    with pytest.raises(NodeFailed, match=r"raw/c.csv, line 20483: .*'id' .*five"):
        project(box, TO_TABLE % ("raw/c.csv", "csv")).run()
    for wrong, said in (("raw/d.csv", f"there is no file {URL}/raw/d.csv"), ("clean/t", "is a Delta table")):
        with pytest.raises(ConfigErrors, match=said):
            project(box, READ % (wrong, "csv")).plan()
    (box / "raw" / "c.csv").write_text("id,name\n3,z\n")

    for mode, rows in (("overwrite", 3), ("append", 6), ("ignore", 6)):
        project(box, TO_FILES % ("raw/*.csv", "csv", mode)).run()
        assert project(box, READ % ("out/p", "parquet")).preview()["raw"].to_arrow().num_rows == rows
    with pytest.raises(
        NodeFailed, match="holds files already, and only Spark can open it, which deletes them before"
    ):
        project(box, TO_FILES % ("raw/*.csv", "csv", "overwrite")).run()
    with pytest.raises(NodeFailed, match="mode: error"):
        project(box, TO_FILES % ("raw/*.csv", "csv", "error")).run()
    with pytest.raises(ConfigErrors, match="is no Delta table but holds other files"):
        project(box, READ % ("raw/*.csv", "csv") + "    write: {connection: box, path: out/p}\n").run()
