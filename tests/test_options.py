"""The grammar that the magics and the command line share."""

from __future__ import annotations

import pytest

from odibi_magics.errors import UsageError
from odibi_magics.magics.words import words
from odibi_magics.option_values import SaveAs
from odibi_magics.options import (
    Parser,
    RunOptions,
    add_choice,
    add_diff,
    add_file,
    add_plan,
    add_preview,
    add_repeat,
    add_run_id,
    add_save_as,
    add_texts,
    run_options,
    two_tables,
)

ALL = (add_file, add_plan, add_preview, add_choice, add_texts, add_save_as, add_repeat, add_run_id)


def read(line: str) -> RunOptions:
    return run_options(Parser("%odibi_run", "Run.", *ALL), words("%odibi_run", line))


def test_a_run_without_options() -> None:
    assert read("etl.yaml") == RunOptions(does="run", file="etl.yaml")


def test_every_option() -> None:
    line = "etl.yaml --only a --only=b --engine pandas --env prod --set n=5 --set s='two words' --as x=a --run-id r1"
    assert read(line) == RunOptions(
        does="run",
        file="etl.yaml",
        only=("a", "b"),
        engine="pandas",
        env="prod",
        variables={"n": 5, "s": "two words"},
        save_as=SaveAs("x", "a"),
        run_id="r1",
    )


@pytest.mark.parametrize(
    "option", ["--run-id x --run-id y", "--env=a --env b", "--plan --plan", "--as x --as y"]
)
def test_an_option_given_twice_is_refused_not_the_last_one_taken(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option.split()[0].partition('=')[0]} is given twice"):
        read(f"f {option}")


@pytest.mark.parametrize(
    ("line", "does", "node", "sample"),
    [
        ("f --plan", "plan", None, None),
        ("f --plan --sql", "plan", None, None),
        ("f --preview", "preview", None, None),
        ("f --preview clean", "preview", "clean", None),
        ("f --preview=clean --sample 100", "preview", "clean", 100),
        ("f --sample 100", "preview", None, 100),
    ],
)
def test_what_is_asked(line: str, does: str, node: str | None, sample: int | None) -> None:
    options = read(line)
    assert (options.does, options.node, options.sample) == (does, node, sample)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("n=5", 5), ("n=1.5", 1.5), ("n=true", True), ("n=null", None), ("n=no", "no"),
        ("n=2026-11-20", "2026-11-20"), ("n=007", "007"), ("n=a=b", "a=b"),
        ("n='5'", 5), ("\"n='5'\"", "5"), ("'n=\"\"'", ""), (r"n=C:\data\new", r"C:\data\new"),
    ],
)  # fmt: skip
def test_values_are_yaml_scalars(setting: str, value: object) -> None:
    assert read(f"f --set {setting}").variables == {"n": value}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("f --plam", "unknown option '--plam' (did you mean '--plan'?)"),
        ("f --prev", "unknown option '--prev' (did you mean '--preview'?)"),
        ("f --qqqqq", "allowed: --again, --as, --engine, --env, --from-node"),
        ("f -x", "unknown option '-x'"),
        ("f --sample -3", "a number of rows, at least 1, is wanted, not '-3'"),
        ("f --plan -3", "unknown option '-3'"),
        ("f g", "unexpected 'g'"),
        ("", "required: FILE"),
        ("f --only", "--only: expected one argument"),
        ("f --engine sparc", "unknown engine 'sparc' (did you mean 'spark'?)"),
        ("f --sample 0", "at least 1, is wanted, not '0'"),
        ("f --sample ²", "not '²'"),
        ("f --set region", "--set takes NAME=VALUE"),
        ("f --set 1a=2", "not '1a=2'"),
        ("f --set n=", "--set n= is empty: n=null is for no value, 'n=\"\"' for an empty text"),
        ("f --set n=''", "--set n= is empty"),
        ("f --as 2x", "--as takes NAME or NAME=NODE"),
        ("f --as class", "not 'class'"),
        ("f --as x=", "not 'x='"),
        ("f --sql", "--sql shows the SQL of a plan: --plan --sql"),
        ("f --plan --preview", "--preview or --sample does not go with --plan"),
        ("f --plan --as x", "--as does not go with --plan"),
        ("f --plan --run-id r", "--run-id does not go with --plan"),
        ("f --preview --only a", "--only does not go with a preview"),
        ("f --preview --from-node a", "--from-node does not go with a preview"),
        ("f --sample 5 --run-id r", "--run-id does not go with a preview"),
        ("f --set a='b", "%odibi_run: a quote is not closed in: f --set a='b"),
    ],
)
def test_mistakes(line: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(line)
    assert words in str(caught.value)


# Two tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "tables"), [
    ("a@5", [("a@5",)]),
    ("a@5 b@9", [("a@5",), ("b@9",)]),
    ("lake a@5", [("lake", "a@5")]),
    ("lake a@5 b", [("lake", "a@5"), ("b",)]),
    ("a lake b@5", [("a",), ("lake", "b@5")]),
    ("lake a lake b", [("lake", "a"), ("lake", "b")]),
    ("a lake", [("a",), ("lake",)]),
])  # fmt: skip
def test_one_table_or_two(line: str, tables: list[tuple[str, ...]]) -> None:
    found = Parser("%odibi_diff", "Compare.", add_diff).read(words("%odibi_diff", line))
    assert two_tables(found.tables, {"lake": 1}) == tables


def test_names_of_keys() -> None:
    found = Parser("%odibi_diff", "Compare.", add_diff).read(
        words("%odibi_diff", "a --keys id,'my day' --keys=x")
    )
    assert found.keys == ["id", "my day", "x"]


@pytest.mark.parametrize("line", ["a b c", "lake a b c", "lake a lake b c"])
def test_no_more_than_two_tables(line: str) -> None:
    with pytest.raises(UsageError, match="two TABLEs are compared, not 3"):
        two_tables(line.split(), ["lake"])


@pytest.mark.parametrize(
    ("line", "resume", "undo"),
    [
        ("etl.yaml", "%odibi_run etl.yaml --resume --run-id r", "%odibi_undo r"),
        (
            "'my etl.yaml' --again --set s='a b' --only=x --run-id old --env prod",
            "%odibi_run 'my etl.yaml' --set 's=a b' --only=x --env prod --resume --run-id r",
            "%odibi_undo r",
        ),
    ],
)
def test_the_commands_that_go_on_repeat_what_was_asked(line: str, resume: str, undo: str) -> None:
    ways = read(line).ways
    assert (ways.resume("r"), ways.undo("r", {})) == (resume, undo)
    assert ways.resume("r", only=["a", "b"]) == resume.replace(" --only=x", "").replace(
        " --resume", " --only a --only b --resume"
    )
    again = read(ways.resume("r").partition(" ")[2])
    assert (again.resume, again.run_id) == (True, "r")


def test_the_shell_names_the_project_of_an_undo() -> None:
    given = ["etl.yaml", "--env", "prod", "--set", "s=a b", "--resume", "--json"]
    parser = Parser("odibi-magics run", "Run.", *ALL)
    parser.add_argument("--json", action="store_true")
    ways = run_options(parser, given).ways
    assert ways.resume("r") == "odibi-magics run etl.yaml --env prod --set 's=a b' --resume --run-id r"
    assert ways.undo("r", {"lake:t": 3}) == (
        "odibi-magics undo r --at lake:t=3 --file etl.yaml --env prod --set 's=a b'"
    )
