"""The tolerant reader: of right texts the values of the real parser, of half ones what stands at the cursor."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.completion.reader import read
from odibi_magics.completion.spot import Spot
from odibi_magics.config.marks import parse
from odibi_magics.config.source import Source
from tests.completion.texts import PROJECTS
from tests.roadmap import CONNECTIONS, PIPELINES

TEXTS = [*PROJECTS, CONNECTIONS, PIPELINES]


def spot(text: str) -> Spot | None:
    return read(text.replace("¦", ""), text.index("¦")).spot


def alike(value: Any) -> Any:
    """White space in texts of several lines is not what completion is about."""
    if isinstance(value, dict):
        return {key: alike(item) for key, item in value.items()}
    if isinstance(value, list):
        return [alike(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value


@pytest.mark.parametrize("text", TEXTS)
def test_right_texts_are_read_as_the_parser_reads_them(text: str) -> None:
    document = parse(Source(text))
    assert document.problems == []
    assert alike(read(text, -1).value) == alike(document.value)


@given(text=st.sampled_from(TEXTS), data=st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_cut_away_nothing_is_raised(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    at = data.draw(st.integers(0, len(text) - (end - start)))
    read(text[:start] + text[end:], at)


@given(st.text("ab:-[]{}|>'\"# \n\t,&*!%@`$\r", max_size=60), st.integers(0, 60))
@settings(max_examples=500, deadline=None)
def test_whatever_is_typed_nothing_is_raised(text: str, at: int) -> None:
    found = read(text, min(at, len(text)))
    if found.spot is not None:
        assert text[: min(at, len(text))].endswith(found.spot.word)


def test_deep_brackets_are_read_as_far_as_the_parser_reads_them() -> None:
    read("[" * 5000, 5000)
    read("{a: " * 5000, 5)


@pytest.mark.parametrize(
    ("text", "path", "role", "word"),
    [
        ("¦", (), "either", ""),
        ("eng¦", (), "either", "eng"),
        ("engine: auto\nvar¦", (), "key", "var"),
        ("engine: ¦", ("engine",), "value", ""),
        ("engine: au¦to", ("engine",), "value", "au"),
        ("eng¦ine: auto", (), "key", "eng"),
        ("- name: a\n  ¦", (0,), "key", ""),
        ("- name: a\n  read:\n    ¦", (0, "read"), "either", ""),
        ("- name: a\n  read:\n    connection: x\n    pa¦\n  write: {mode: append}", (0, "read"), "key", "pa"),
        ("- name: a\n  read: {connection: x, pa¦\n  write: {mode: append}", (0, "read"), "key", "pa"),
        (
            "- name: a\n  read: {connection: 'la¦\n  write: {mode: append}",
            (0, "read", "connection"),
            "value",
            "la",
        ),
        ("- name: a\n  write:\n    keys: [id, da¦", (0, "write", "keys", 1), "value", "da"),
        ("- name: a\n  depends_on:\n  - ¦", (0, "depends_on", 0), "either", ""),
        ("- name: a\n  depends_on:\n  - x\n  re¦", (0,), "key", "re"),
        ("a:\n  b: |\n    one\n    tw¦o", ("a", "b"), "value", "    one\n    tw"),
        ("a:\n  b: |\n    one\n\n  ¦", ("a",), "key", ""),
        ("a: {b: {c: 1}, ¦}", ("a",), "key", ""),
        ("a: [{b: 1}, {c¦", ("a", 1), "key", "c"),
        ("a:\n  - b: 1\n  - ¦\n  - c: 1", ("a", 1), "either", ""),
        ("a: {\n  b: 1,\n  c¦\n}\nd: 1", ("a",), "key", "c"),
    ],
)
def test_the_spot(text: str, path: tuple[str | int, ...], role: str, word: str) -> None:
    found = spot(text)
    assert found is not None
    assert (found.path, found.role, found.word) == (path, role, word)


@pytest.mark.parametrize("text", ["# a¦", "a: 1 # ¦b", "a:¦", "a: {b: 1}¦", "a: {b: 1} ¦"])
def test_where_nothing_can_be_said(text: str) -> None:
    assert spot(text) is None


def test_half_a_key_is_none_yet() -> None:
    assert read("a: 1\nb", 6).value == {"a": 1}
    assert read("a: {x: 1, y", 11).value == {"a": {"x": 1}}


def test_what_is_broken_above_spoils_nothing_below() -> None:
    text = "- name: a\n  read: {connection: [x, 'y\n- name: b\n  write: {mode: append}\n"
    assert read(text, -1).value[1] == {"name": "b", "write": {"mode": "append"}}
