"""Local connections: paths resolve inside their folder or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from odibi_magics.config.models import LocalConnection as LocalConfig
from odibi_magics.connections.local import LocalConnection
from odibi_magics.connections.registry import connect
from odibi_magics.errors import ConnectionFailed


@pytest.fixture
def lake(tmp_path: Path) -> LocalConnection:
    (tmp_path / "lake").mkdir()
    return LocalConnection("lake", tmp_path / "lake")


@pytest.mark.parametrize(
    "path", ["a.csv", "raw/a.csv", "raw//a.csv", "./raw/a.csv", "raw/../a.csv", "", "ünï/x y#z.csv"]
)
def test_a_path_inside_is_an_absolute_path(lake: LocalConnection, path: str) -> None:
    assert lake.url(path) == str((lake.base / path).resolve())


def test_a_tilde_is_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    opened = connect("lake", LocalConfig(base_path="~/lake"), tmp_path)
    assert opened.url("a") == str(tmp_path / "home/lake/a")


@pytest.mark.parametrize(
    "path", ["../x", "raw/../../x", "/etc/passwd", "../lake2/x", "raw/*/../../../x", "*/../../x", "a\0b"]
)
def test_a_path_that_leaves_is_refused(lake: LocalConnection, path: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"'lake'.*(leaves its folder|NUL)"):
        lake.url(path)


def test_an_absolute_path_inside_is_taken(lake: LocalConnection) -> None:
    assert lake.url(f"{lake.base}/a.csv") == str(lake.base / "a.csv")


def test_a_sibling_with_the_same_beginning_is_outside(tmp_path: Path, lake: LocalConnection) -> None:
    (tmp_path / "lake-other").mkdir()
    with pytest.raises(ConnectionFailed, match="leaves its folder"):
        lake.url("../lake-other/x")


def test_a_link_that_leads_out_is_refused_and_one_inside_is_followed(
    tmp_path: Path, lake: LocalConnection
) -> None:
    (tmp_path / "secret").mkdir()
    (lake.base / "out").symlink_to(tmp_path / "secret")
    (lake.base / "real").mkdir()
    (lake.base / "in").symlink_to(lake.base / "real")
    assert lake.url("in/a") == str(lake.base / "real" / "a")
    with pytest.raises(ConnectionFailed, match="leaves its folder"):
        lake.url("out/a")


def test_a_base_that_is_a_link_is_the_place_it_leads_to(tmp_path: Path, lake: LocalConnection) -> None:
    (tmp_path / "link").symlink_to(lake.base)
    assert LocalConnection("linked", tmp_path / "link").url("a") == lake.url("a")


def test_a_glob_keeps_its_pattern(lake: LocalConnection) -> None:
    assert lake.url("raw/*.csv") == str(lake.base / "raw" / "*.csv")
    assert lake.url("raw/20[12]?/*.csv") == str(lake.base / "raw" / "20[12]?" / "*.csv")


@pytest.mark.parametrize(
    "path",
    [
        "a%20b.csv",
        "a#b?c=1.csv",
        "a\tb\n.csv",
        "a+b&c;d:e@f.csv",
        "日本.csv",
        "back\\slash",
        "'\"",
        "n" * 255,
    ],
)
def test_a_name_is_never_encoded(lake: LocalConnection, path: str) -> None:
    assert lake.url(path) == f"{lake.base}/{path}"
    assert lake.url(lake.url(path)) == lake.url(path)


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 2500, "*" + "x" * 300, "x" * 300 + "/a.csv"])
def test_a_name_that_is_too_long_is_told(lake: LocalConnection, path: str) -> None:
    with pytest.raises(
        ConnectionFailed, match=r"'lake': .*…? cannot be followed: File name too long"
    ) as found:
        lake.url(path)
    assert len(str(found.value)) < 300
    with pytest.raises(ConnectionFailed, match="cannot be followed: File name too long"):
        LocalConnection("long", lake.base / ("x" * 300)).check()


def test_a_name_that_is_no_text_is_told(lake: LocalConnection) -> None:
    for path in ("\udcff.csv", "\ud800/a", "in/*\udcff"):
        with pytest.raises(ConnectionFailed, match=r"'lake': the name '.*\\ud.*' is not utf-8: rename it"):
            lake.url(path)


def test_links_in_a_circle_are_told(lake: LocalConnection) -> None:
    (lake.base / "loop").symlink_to("loop")
    for path in ("loop", "loop/a.csv", "loop/*.csv"):
        with pytest.raises(ConnectionFailed, match=r"'lake': .*loop.* cannot be followed: "):
            lake.url(path)


def test_check_says_what_is_missing(tmp_path: Path, lake: LocalConnection) -> None:
    lake.check()
    with pytest.raises(ConnectionFailed, match=f"no folder {tmp_path}/none/at/all; {tmp_path} exists"):
        LocalConnection("x", tmp_path / "none" / "at" / "all").check()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectionFailed, match="is a file"):
        LocalConnection("x", tmp_path / "file").check()


def test_put_writes_whole_files_and_leaves_nothing_beside(lake: LocalConnection) -> None:
    lake.put("runs/a.html", b"one")
    lake.put("runs/a.html", b"two")
    assert [file.name for file in (lake.base / "runs").iterdir()] == ["a.html"]
    assert (lake.base / "runs" / "a.html").read_bytes() == b"two"
    with pytest.raises(ConnectionFailed, match="cannot be written"):
        lake.put("runs/a.html/b", b"")


def test_it_needs_no_options_and_describes_itself(lake: LocalConnection) -> None:
    assert lake.storage_options("deltalake") == {}
    assert lake.describe() == f"local folder {lake.base}"
    assert lake == LocalConnection("lake", lake.base) and hash(lake) == hash(
        LocalConnection("lake", lake.base)
    )
