"""The lines that the magics take, in one place: for the magics themselves, and for completion."""

from __future__ import annotations

from collections.abc import Callable

from odibi_magics import options
from odibi_magics.option_values import rows
from odibi_magics.options import Parser

_RUN = (
    options.add_plan, options.add_preview, options.add_choice, options.add_texts, options.add_save_as,
    options.add_repeat, options.add_run_id,
)  # fmt: skip


def parser(magic: str) -> Parser:
    """Of a magic as its user types it: "%odibi_run", "%%odibi_connections"."""
    description, *groups = _LINES[magic]
    return Parser(magic, description, *groups)


def magics() -> frozenset[str]:
    """All of them, as their users type them."""
    return frozenset(_LINES)


def _add_forget(parser: Parser) -> None:
    parser.add_argument("--forget", nargs="+", default=[], metavar="NODE", help="drop these nodes")


def _add_target(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the file; functions of cells go beside it")
    parser.add_argument(
        "--force", action="store_true",
        help="over files that were not saved from a notebook, or were edited since",
    )  # fmt: skip


def _add_optional_file(parser: Parser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="without it the notebook's own")


def _add_cell(parser: Parser) -> None:
    parser.add_argument(
        "--cell", action="store_true", help="put what the wizard made into the next cell; before that, show the wizard",
    )  # fmt: skip


def _add_rows(parser: Parser) -> None:
    parser.add_argument(
        "--rows", type=rows, metavar="ROWS",
        help="how many rows to show; without it OdibiMagics.keep_rows, and none where that is 0",
    )  # fmt: skip


_LINES: dict[str, tuple[str, *tuple[Callable[[Parser], object], ...]]] = {
    "%odibi": ("What this notebook knows, and what the magics do.", _add_forget),
    "%%odibi_pipeline": ("Check the cell's YAML, run its nodes, report.", *_RUN),
    "%odibi_run": ("Check, run and report a project's file.", options.add_file, *_RUN),
    "%odibi_save": ("The notebook's project as one checked file.", _add_target),
    "%odibi_graph": ("The pipeline as a picture.", _add_optional_file, options.add_texts),
    "%%odibi_connections": ("Define connections by name.",),
    "%odibi_connections": ("List the connections and check that they answer.", options.add_refresh),
    "%odibi_setup": ("Set connections up with a wizard, and check them.", _add_cell),
    "%odibi_doctor": ("Look at connections layer by layer.", options.add_doctor),
    "%odibi_preview": ("Show the first rows of a table.", options.add_table, _add_rows),
    "%odibi_history": ("Show what a Delta table went through.", options.add_table_up_to, options.add_limit),
    "%odibi_diff": ("Show what differs between two versions, or two tables.", options.add_diff),
    "%odibi_restore": ("Show, or do, what makes a Delta table as it was.", options.add_table, options.add_at),
    "%odibi_vacuum": (
        "Show, or delete, files that no version of a Delta table needs.",
        options.add_table_now,
        options.add_retention,
        options.add_yes,
    ),
    "%odibi_optimize": (
        "Show, or join, small files of a Delta table.",
        options.add_table_now,
        options.add_yes,
    ),
    "%odibi_undo": ("Undo a run in every table it wrote.", options.add_undo),
}
