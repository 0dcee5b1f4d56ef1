"""Texts that know which parts of them are data."""

from __future__ import annotations

import pickle

from odibi_magics.errors import ConfigErrors, EngineError, NodeFailed, Problem, Unexpected
from odibi_magics.quoting import Data, Quoting, each_part, without_data

SAID = Quoting("row ", Data("id=7"), " fails")


def test_a_text_is_whole_and_knows_its_data() -> None:
    assert SAID == "row id=7 fails"
    assert without_data(SAID) == "row [data] fails"
    assert without_data("plain") == "plain"


def test_a_text_in_a_text_keeps_its_parts() -> None:
    outer = Quoting("checked: ", SAID, Data("!"))
    assert without_data(outer) == "checked: row [data] fails[data]"
    assert without_data(each_part(outer, str.upper)) == "CHECKED: ROW [data] FAILS[data]"
    assert without_data(pickle.loads(pickle.dumps(outer))) == without_data(outer)


def test_an_error_without_its_data_is_the_same_error() -> None:
    failed = NodeFailed(SAID, result := object())
    assert str(failed) == "row id=7 fails"
    kept = failed.without_data()
    assert (str(kept), type(kept), kept.result) == ("row [data] fails", NodeFailed, result)
    assert str(EngineError(SAID).without_data()) == "row [data] fails"
    assert "row [data] fails" in str(ConfigErrors([Problem(SAID)]).without_data())


def test_of_an_unforeseen_error_only_the_type_is_no_data() -> None:
    unforeseen = Unexpected(ValueError("id=7"))
    assert "ValueError: id=7" in str(unforeseen)
    assert str(unforeseen.without_data()).endswith("please report it: ValueError[data]")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_whose_text_fails_is_told_all_the_same() -> None:
    assert "please report it: Mute: its text cannot be told, __str__ raised RuntimeError" in str(
        Unexpected(Mute())
    )
