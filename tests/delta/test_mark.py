"""The mark in a commit: it comes back as it was written, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odibi_magics.delta.mark import RunMark, Target, read_mark

words = st.text(max_size=20)
marks = st.builds(
    RunMark,
    run=words,
    pipeline=words,
    node=words,
    mode=words,
    fingerprint=words,
    inputs=st.lists(st.fixed_dictionaries({"url": words, "version": st.integers(0, 9)}), max_size=3).map(
        tuple
    ),
    targets=st.lists(
        st.builds(Target, node=words, url=words, format=words, before=st.none() | st.integers(0, 9)),
        max_size=3,
    ).map(tuple),
)


@given(marks)
def test_a_mark_comes_back_as_it_was(mark: RunMark) -> None:
    assert read_mark(mark.to_json()) == mark


@pytest.mark.parametrize(
    "text", [None, "", "not json", "[]", "{}", '{"odibi": 2}', '{"odibi": 1}', '{"a": 1}', "5"]
)
def test_what_others_wrote_is_no_mark(text: str | None) -> None:
    assert read_mark(text) is None


@pytest.mark.parametrize(
    "part",
    [
        {"run": ["r"]}, {"node": None}, {"mode": 5}, {"inputs": [1]}, {"inputs": [{"files": 3}]}, {"undoes": {"a": 1}},
        {"targets": [{"node": "n", "url": ["u"], "format": "delta", "before": None}]},
        {"targets": [{"node": "n", "url": "u", "format": "delta", "before": "1"}]},
    ],
)  # fmt: skip
def test_a_mark_with_something_else_in_it_is_none(part: dict[str, Any]) -> None:
    sound = json.loads(RunMark("r", "p", "n", "append", "f", (), ()).to_json())
    assert read_mark(json.dumps(sound)) is not None
    assert read_mark(json.dumps({**sound, **part})) is None


def test_nesting_without_an_end_is_no_mark() -> None:
    assert read_mark('{"odibi": 1, "inputs": ' + "[" * 100_000) is None


def test_a_mark_is_one_line_of_json_that_says_its_format() -> None:
    text = RunMark("r", "p", "n", "append", "f", (), ()).to_json()
    assert "\n" not in text
    assert json.loads(text)["odibi"] == 1
