"""YAML into values with lines: scalars of the core schema, and everything that is refused."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from odibi_magics.config.cover import cover
from odibi_magics.config.marks import parse
from odibi_magics.config.source import Place, Source
from odibi_magics.errors import ConfigErrors, Problem, render_problem


def parsed(text: str) -> object:
    document = parse(Source(text))
    assert not document.problems, document.problems
    return document.value


def refused(text: str) -> list[str]:
    return [render_problem(problem) for problem in parse(Source(text)).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("1:30", "1:30"), ("2026-11-20", "2026-11-20"),
        ("007", "007"), ("1_000", "1_000"), ("12", 12), ("-3", -3), ("0x1F", 31), ("0o17", 15), ("1e3", 1000.0),
        (".5", 0.5), ("-.inf", float("-inf")), ("~", None), ("null", None), ("", None), ("true", True),
        ("FALSE", False), ("'12'", "12"), ('"true"', "true"), ("v1.2.3", "v1.2.3"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_and_stay_text_where_yaml_1_1_surprises(
    text: str, value: object
) -> None:
    found = parsed(f"key: {text}")
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("path: {{ region }}", {"path": "{{ region }}"}),
        ("{path: raw/{{ day }}.csv, mode: {{mode}}}", {"path": "raw/{{ day }}.csv", "mode": "{{mode}}"}),
        ("{key: ${BRONZE_KEY}, b: 1}", {"key": "${BRONZE_KEY}", "b": 1}),
        ("sql: |\n  SELECT {{ x }}\n", {"sql": "SELECT {{ x }}\n"}),
        ("{a: {b: {}}}", {"a": {"b": {}}}),
    ],
)
def test_templates_work_unquoted_anywhere(text: str, value: object) -> None:
    assert parsed(text) == value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "duplicate key 'a', first on line 1"),
        ("a: 1\nb: !!python/object:os.system x", 2, "YAML tags are not allowed: !!python/object:os.system"),
        ("a: !!str 5", 1, "YAML tags are not allowed: !!str"),
        ("a: &x !mine {b: 1}", 1, "YAML tags are not allowed: !mine"),
        ("base: &b {a: 1}\nc:\n  <<: *b", 3, "merge keys ('<<') are not allowed"),
        ("a: {x: 1}\n- name: b\n", 2, "nodes that stand beside other keys are listed under nodes:"),
        ("a: b: c", 1, "malformed YAML: a ':' where none can stand"),
        ("a: [1, 2\nb: 3", 2, "malformed YAML: a '[' is not closed"),
        ("a:\n\t- b", 2, "malformed YAML: a tab"),
        ("a: *nowhere", 1, "an alias (*name) of an anchor that is not defined"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: &x 1\nb: &x 2", 2, "a second anchor (&name) of this name"),
        ("? [a]\n: b", 1, "a key must be a word"),
        ("a: &loop [*loop]", 1, "an alias holds itself"),
        ("a: \ue000", 1, "a character that cannot stand here: U+E000"),
        ("a: 1\nb: \ud800", 2, "half a character that cannot stand here: U+D800"),
        ("a: 1\nb: \x07", 2, "a character that cannot stand here: U+0007"),
        ('a: 1\nb: "\\ud800"', 2, "this escape is half a character: write the character itself"),
        ("a: 1\nb: 'x\nc: 2", 2, "a quote is not closed"),
        ("a: 1\nb 2\nc: 3", 2, "a key without ': ' behind it"),
        ("a: 1\nb: [1,\n  2\nc: 3", 4, "a '[' is not closed, or a ',' is missing; it opens on line 2"),
        ("a: 1\n b: 2", 2, "a ':' where none can stand: is a key indented wrongly"),
        ("a: 1\nb: @x", 2, "no text begins with this character: put quotes round it"),
        ("a:\n - b: 1\n\t c: 2", 3, "a tab: YAML is indented with spaces"),
        ("- {a: 1}}", 1, "a '}' that closes nothing"),
        ("a: *.csv", 1, "a text that begins with * is an alias"),
        ("{a: &x.csv}", 1, "a text that begins with & is an anchor"),
        ("{a: !x, b: 1}", 1, "tag"),
        ("{a: ?x}", 1, "no text begins with this character"),
        ("{a: | x}", 1, "'|' begins a text over several lines, which cannot stand inside { }"),
        ('{a: "x "y" z"}', 1, 'something follows a closed quote; inside "..." a quote is \\"'),
        ("{a: 'x 'y''}", 1, "something follows a closed quote; inside '...' a quote is ''"),
        ("- a b\n  c: d", 2, "is the line above without its ': '"),
        ("a:\n  \u00a0b: 1", 2, "an invisible character (U+00A0) in a key: type the space anew"),
        ('a: "C:\\data"', 1, "begins no escape of"),
    ],
)
def test_what_is_refused_names_its_line(text: str, line: int, words: str) -> None:
    [said] = refused(text)
    assert words in said
    assert f"line {line} " in said or line == 0


@pytest.mark.parametrize(
    "text", ["a: 1\r\nb: x\r\n", "a: 1\rb: x\r", "\ufeffa: 1\nb: x", "a: '\u2028\x85'\nb: x"]
)
def test_lines_and_columns_are_those_of_editors(text: str) -> None:
    source = Source(text)
    document = parse(source)
    assert not document.problems
    place = document.value_place(("b",))
    assert place is not None
    assert (place.line, place.column, place.end) == (2, 3, 4)
    assert place.excerpt().split("\n")[1] == "     2 | b: x"


@pytest.mark.parametrize(
    ("line", "word", "caret"),
    [
        ("d: '日本', w", "w", "           ^"),
        ("d: '🎉', w", "w", "         ^"),
        ("d: 'e\u0301', w", "w", "        ^"),
        ("d: '日本'", "日本", "    ^^^^"),
    ],
)
def test_a_caret_stands_under_its_word_behind_wide_characters(line: str, word: str, caret: str) -> None:
    at = line.rindex(word)
    place = Place(Source(line), 1, at, at + len(word))
    assert place.excerpt() == f"     1 | {line}\n       | {caret}"


def test_an_excerpt_shows_no_character_that_a_terminal_obeys() -> None:
    place = Place(Source("a\x07\x1b[31m\ud800\u202eb"), 1, 0, 1)
    assert place.excerpt().splitlines()[0] == "     1 | a\ufffd\ufffd[31m\ufffd\ufffdb"


def test_separators_of_lines_that_are_none_stay_in_their_text() -> None:
    assert parsed("a: 'x\u2028y\x85z'") == {"a": "x\u2028y\x85z"}


def test_a_line_of_another_text_is_told_with_its_name() -> None:
    cell = Source("a: 1\na: 2\n", first_line=2, later="cell [3]")
    problems = parse(cell).problems
    assert "  line 3  duplicate key" in str(ConfigErrors(problems, "this cell"))
    assert "  line 3 of cell [3]  duplicate key" in str(ConfigErrors(problems, "this notebook"))


def test_a_word_of_thousands_of_letters_is_not_repeated_whole() -> None:
    said = refused("? [" + "x" * 5000 + "]\n: 1")[0]
    told = str(ConfigErrors([Problem("unknown key '" + "x" * 5000 + "'")]))
    assert len(said) < 1000 and len(told) < 1200
    assert told.endswith("xxx'")


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    assert any("aliases repeat values" in said for said in refused(bomb))


def test_a_text_over_a_megabyte_is_refused_unparsed() -> None:
    assert refused("a: " + "x" * 1_000_001) == [
        "  the text is over 1 MB, too long for a pipeline; data belongs in files"
    ]


def test_deep_nesting_is_refused() -> None:
    assert "levels deep" in refused("[" * 500 + "]" * 500)[0]


def test_an_excerpt_shows_the_line_before_and_a_caret_under_the_word() -> None:
    document = parse(Source("write:\n  path: x\n  moode: append\n", first_line=16))
    place = document.key_place(("write", "moode"))
    assert place is not None
    assert place.line == 18
    assert place.excerpt("did you mean 'mode'?") == (
        "     17 |   path: x\n"
        "     18 |   moode: append\n"
        "        |   ^^^^^  did you mean 'mode'?"
    )  # fmt: skip


@pytest.mark.parametrize(
    "style",
    [
        "sql: |\n  SELECT a,\n    foo(b)\n  FROM t\n",
        "sql: >\n  SELECT a,\n  foo(b)\n",
        "sql: SELECT a,\n  foo(b)",
    ],
)
def test_a_word_inside_a_scalar_is_found_in_every_style(style: str) -> None:
    document = parse(Source(style))
    text = document.value["sql"]
    start = text.index("foo")
    place = document.place_in(("sql",), text, start, start + 3)
    assert place is not None
    assert document.source.lines[place.line - 1][place.column : place.end] == "foo"
    assert place.line > 1


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=6), plain, max_size=5))
def test_what_a_yaml_writer_quotes_comes_back_as_it_was(value: dict[str, object]) -> None:
    text = yaml.safe_dump(value, default_style='"', allow_unicode=True)
    stringly = _leaves_as_text(value)
    document = parse(Source(text.replace("!!int ", "").replace("!!bool ", "").replace("!!null ", "")))
    assert not document.problems
    assert (document.value or {}) == stringly


def _leaves_as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _leaves_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_leaves_as_text(item) for item in value]
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    document = parse(Source(text))
    assert all(problem.message for problem in document.problems)


def test_a_long_line_is_cut_round_the_words() -> None:
    document = parse(Source("{" + ", ".join(f"key{i}: {i}" for i in range(100)) + "}"))
    place = document.key_place(("key60",))
    assert place is not None
    line, caret = place.excerpt("here").splitlines()
    assert len(line) < 180
    start = caret.index("^")
    assert line[start : start + 5] == "key60"
    assert caret.endswith("^^^^^  here")


@pytest.mark.parametrize(
    "text",
    ["{a: " * 50_000, "[" * 200_000, "- " * 50_000 + "x", "? " * 200_000, "- ? " * 50_000, "? !a " * 50_000],
)
def test_nesting_that_would_end_the_process_is_refused_before_the_parser(text: str) -> None:
    assert "levels deep" in refused(text)[0]


@pytest.mark.parametrize(
    "line",
    [
        "b: {account_keyy: PrivateThing9, type: x}", "  account_key: PrivateThing9", "client_secret: [PrivateThing9]",
        "{sas_token: 'PrivateThing9'}", 'account_key: "Private''Thing9"', "connection_string: a;PrivateThing9",
    ],
)  # fmt: skip
def test_no_excerpt_shows_what_stands_behind_a_secrets_key(line: str) -> None:
    shown = cover(line)
    assert "Thing9" not in shown
    assert len(shown) == len(line)


@pytest.mark.parametrize("line", ["account_key: ${KEY}", "account_key: {{ key }}", "a: b, c: d"])
def test_names_of_secrets_stay_readable(line: str) -> None:
    assert cover(line) == line
