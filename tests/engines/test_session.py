"""One DuckDB instance per run: fenced in, bounded, interruptible, gone without a trace."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.memory import memory_limit
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.engines.pandas.session import Session
from odibi_magics.errors import Cancelled, EngineError

FOREVER = "SELECT count(*) AS n FROM range(1000000000000) t(i) WHERE (i * i) % 7 = 3"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "lake").mkdir()
    made = Session([tmp_path / "lake"])
    yield made
    made.close()


def test_sql_opens_files_in_its_folders_alone(session: Session, tmp_path: Path) -> None:
    for folder in ("lake", "other"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "a.csv").write_text("id\n1\n")
    assert session.run(f"SELECT * FROM '{tmp_path}/lake/a.csv'") == [(1,)]
    for path in (
        f"{tmp_path}/other/a.csv",
        f"{tmp_path}/lake/../other/a.csv",
        "/etc/passwd",
        "/proc/self/environ",
    ):
        with pytest.raises(EngineError, match="disabled by configuration"):
            session.run(f"SELECT * FROM read_text('{path}')")
    for statement in (
        "SET enable_external_access = true", "SET allowed_directories = ['/']", "SET memory_limit = '1TB'", "LOAD httpfs",
        "INSTALL httpfs", f"COPY (SELECT 1) TO '{tmp_path}/other/b.csv'", f"ATTACH '{tmp_path}/other/db'",
    ):  # fmt: skip
        with pytest.raises(EngineError):
            session.run(statement)
    assert sorted(file.name for file in (tmp_path / "other").iterdir()) == ["a.csv"]


def test_sql_sees_no_python_variables(session: Session) -> None:
    hidden = pa.table({"a": [1]})
    with pytest.raises(EngineError, match="hidden does not exist"):
        session.run("SELECT * FROM hidden")
    assert hidden.num_rows == 1


def test_tables_are_seen_by_their_own_cursor_alone(session: Session) -> None:
    with session.cursor({"t": lambda: pa.table({"a": [1]})}) as cursor:
        assert cursor.execute("SELECT * FROM t").fetchall() == [(1,)]
        with pytest.raises(EngineError, match="t does not exist"):
            session.run("SELECT * FROM t")


def test_names_are_never_given_twice(session: Session) -> None:
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda: names.extend(session.name("x") for _ in range(500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 4000


def test_it_spills_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIBI_MEMORY_LIMIT", "60MiB")
    session = Session()
    sql = "SELECT DISTINCT i, md5(CAST(i AS VARCHAR)) AS m FROM range(1500000) t(i)"
    frame = DuckFrame(session, sql, (Column("i", "bigint"), Column("m", "string")))
    assert sum(batch.num_rows for batch in frame.reader()) == 1_500_000
    assert session.folder.is_dir()
    session.close()
    assert not session.folder.exists()


def test_a_stream_holds_few_rows_at_a_time(session: Session) -> None:
    """A billion rows begin at once, and end where nobody reads on."""
    frame = DuckFrame(
        session,
        "SELECT i, md5(CAST(i AS VARCHAR)) AS m FROM range(1000000000) t(i)",
        (Column("i", "bigint"), Column("m", "string")),
    )
    reader = frame.reader(batch_rows=1000)
    assert 0 < reader.read_next_batch().num_rows <= 2048
    reader.close()


def test_a_wrong_memory_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIBI_MEMORY_LIMIT", "nonsense")
    with pytest.raises(EngineError, match=r"memory limit nonsense .ODIBI_MEMORY_LIMIT"):
        Session()


def test_the_memory_limit_is_a_share_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODIBI_MEMORY_LIMIT", raising=False)
    found = memory_limit()
    assert found is not None and found.endswith("MiB") and int(found[:-3]) >= 256


def test_a_stop_ends_what_runs_in_every_thread(session: Session) -> None:
    ended: list[BaseException] = []

    def work(run: bool) -> None:
        try:
            if run:
                session.run(FOREVER)
            else:
                DuckFrame(session, FOREVER, (Column("n", "bigint"),)).to_arrow()
        except BaseException as error:  # what it is, is what is tested
            ended.append(error)

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    session.interrupt()
    for thread in threads:
        thread.join(30)
    assert [type(error) for error in ended] == [Cancelled] * 4
    with pytest.raises(Cancelled):
        session.run("SELECT 1")
    session.go_on()
    assert session.run("SELECT 1") == [(1,)]


def test_a_stop_that_comes_just_before_a_query_ends_it_too(session: Session) -> None:
    def work() -> None:
        with session.cursor() as cursor:
            session.interrupt()
            cursor.execute(FOREVER)

    with pytest.raises(Cancelled):
        work()


def test_closing_is_safe_to_repeat_and_ends_what_runs(session: Session) -> None:
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(EngineError):
            session.run(FOREVER)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    session.close()
    session.close()
    assert ended.wait(30)
    with pytest.raises(EngineError, match="closed"):
        session.run("SELECT 1")


def test_a_process_that_closes_nothing_ends_without_a_word_or_a_file(tmp_path: Path) -> None:
    code = (
        "from odibi_magics.engines.pandas.session import Session\n"
        "s = Session(); s.run('SELECT 1'); print(s.folder)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()


def test_many_threads_share_one_instance(session: Session) -> None:
    found: list[int] = []

    def work(number: int) -> None:
        name = session.name("t")
        for _ in range(20):
            sql = f"SELECT sum(a) AS n FROM {quoted(name)}"
            found.append(
                session.run(sql, {name: lambda: pa.table({"a": [number] * 10})})[0][0] // 10 - number
            )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 160
