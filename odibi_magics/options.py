"""The options of the magics and of the command line: one grammar, and mistakes in it as UsageErrors."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from odibi_magics import option_values as values
from odibi_magics.connections.address import refuse_split_times
from odibi_magics.errors import Cancelled, NodeFailed, ResumeRefused, UndoRefused, UsageError, suggest
from odibi_magics.pipeline.ways import Ways
from odibi_magics.retyped import ways_of

if TYPE_CHECKING:
    from odibi_magics.pipeline.events import Observer
    from odibi_magics.pipeline.plan import Plan
    from odibi_magics.pipeline.result import RunResult
    from odibi_magics.project import Project

_NEGATIVE = re.compile(r"-\.?\d.*")

Does = Literal["plan", "preview", "run"]


@dataclass(frozen=True)
class RunOptions:
    """What is asked of a project.

    node: to preview; None for the last one. sample: rows to read of each source. file: "" in a cell.
    """

    does: Does = "run"
    file: str = ""
    sql: bool = False
    node: str | None = None
    sample: int | None = None
    only: tuple[str, ...] = ()
    from_node: str | None = None
    engine: str | None = None
    env: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    save_as: values.SaveAs | None = None
    run_id: str | None = None
    again: bool = False
    replace: bool = False
    resume: bool = False
    ways: Ways = field(default_factory=Ways, compare=False)

    def plan(self, project: Project) -> Plan:
        """The plan of what is asked. Raises as Project.plan."""
        return project.plan(
            only=self.only, from_node=self.from_node, engine=self.engine, replace=self.replace
        )

    def start(
        self,
        project: Project,
        observers: Sequence[Observer],
        rows: int,
        then: Callable[[str], Mapping[str, Any] | None] = lambda _: None,
    ) -> RunResult:
        """The preview, of so many rows, or the run that is asked. Raises as Project.preview and .run.

        then: the variables that an earlier run had; None where they are not known.
        """
        if self.does == "preview":
            return project.preview(
                self.node, sample=self.sample, rows=rows, engine=self.engine, observers=observers
            )
        try:
            result = project.run(
                engine=self.engine,
                only=self.only,
                from_node=self.from_node,
                run_id=self.run_id,
                again=self.again,
                replace=self.replace,
                resume=self.resume,
                observers=observers,
            )
        except (NodeFailed, Cancelled) as error:
            if error.result is not None:
                error.result = replace(error.result, ways=self.ways)
            raise
        except ResumeRefused as error:
            from odibi_magics.pipeline.resume import changed_words

            words = changed_words(error.result, self.ways, then(error.result.run))
            raise ResumeRefused(words, error.result) from None
        except UndoRefused as error:  # of --replace
            from odibi_magics.pipeline.undo_words import refused_words

            said = refused_words(error.result, self.ways, ", nothing was run")
            raise UndoRefused("\n".join([said, *error.put_back]), error.result) from None
        return replace(result, ways=self.ways)


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is a UsageError with the nearest spelling, and nothing may be abbreviated.

    prog: the magic or command as its user types it. groups: its options, `add_` functions as those below.
    """

    def __init__(self, prog: str, description: str, *groups: Callable[[Parser], object]) -> None:
        super().__init__(prog, description=description, allow_abbrev=False)
        for add in groups:
            add(self)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The words as options. Raises UsageError."""
        words = self._with_negatives(words)
        for word in words:
            self._refuse_unknown(word.partition("=")[0])
        self._refuse_twice(words)
        found, left = self.parse_known_args(list(words))
        if left:
            self.error(f"unexpected '{left[0]}'{self._split_list(words, left[0])}")
        return found

    def _with_negatives(self, words: Sequence[str]) -> list[str]:
        """`--rows -3` as `--rows=-3`, so that the option says what it wants."""
        joined: list[str] = []
        for word in words:
            action = self._option_string_actions.get(joined[-1]) if joined else None
            if action and action.nargs is None and _NEGATIVE.fullmatch(word):
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def _split_list(self, words: Sequence[str], word: str) -> str:
        """That an option takes names with commas between them, where a word too many stands behind its names."""
        before = list(words[: words.index(word)])[-2:]
        action = self._option_string_actions.get(before[0]) if len(before) == 2 else None
        if action is None or action.type is not values.names:
            return ""
        return f": {before[0]} takes names with commas between them, as {before[0]} {before[1]},{word}"

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}\n  {' '.join(self.format_usage().split())}")

    def _refuse_twice(self, words: Sequence[str]) -> None:
        """argparse would take the last one and say nothing."""
        given = [word.partition("=")[0] for word in words if word.startswith("--")]
        for option, action in self._option_string_actions.items():
            if given.count(option) > 1 and not isinstance(action, argparse._AppendAction):
                raise UsageError(f"{self.prog}: {option} is given twice")

    def _refuse_unknown(self, word: str) -> None:
        known = self._option_string_actions
        if word.startswith("-") and word not in known:
            hint = suggest(word, [option for option in known if option.startswith("--")])
            raise UsageError(f"{self.prog}: unknown option '{word}' ({hint})")


# Options, in groups that verbs share ----------------------------------------------------------------------


def add_file(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a project's YAML file")


def add_table(parser: Parser) -> None:
    """A TABLE, which may be two words, at any version."""
    _add_table(parser, "with @5 or @2026-11-20T18:00Z a version")


def add_table_up_to(parser: Parser) -> None:
    """A TABLE up to a version."""
    _add_table(parser, "with @5 the versions up to 5")


def add_table_now(parser: Parser) -> None:
    """A TABLE as it is now."""
    _add_table(parser, WITHOUT_VERSION)


WITHOUT_VERSION = "without @5: it is about the table as it is now"


def _add_table(parser: Parser, versions: str) -> None:
    parser.add_argument(
        "table", nargs="+", metavar="TABLE",
        help=f"conn:path, CONN PATH, a node's name, a path or a URL; {versions}",
    )  # fmt: skip


def add_at(parser: Parser) -> None:
    parser.add_argument(
        "--at", type=values.version, metavar="VERSION",
        help="do it, if nothing was committed after this version, the newest that the preview saw",
    )  # fmt: skip


def add_yes(parser: Parser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; without it nothing changes")


def add_retention(parser: Parser) -> None:
    parser.add_argument(
        "--retention-hours", type=values.hours, default=168.0, metavar="HOURS",
        help="only files that were removed, or left behind, longer ago (168, a week)",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="below 168 hours: nobody reads the table now, or writes to it"
    )


def add_limit(parser: Parser) -> None:
    parser.add_argument(
        "--limit", type=values.versions, default=20, metavar="N", help="how many versions (20), or all"
    )


def add_diff(parser: Parser) -> None:
    """Two TABLEs, each of which may be two words."""
    parser.add_argument(
        "tables", nargs="+", metavar="TABLE",
        help="two of them, as in conn:path@5 conn:path@9; of conn:path@5 alone, what has changed since then",
    )  # fmt: skip
    parser.add_argument(
        "--keys", action="extend", default=[], type=values.names, metavar="COLUMN[,COLUMN]",
        help="what tells rows apart, so that changed ones are told from removed and added ones; without it whole "
        "rows are compared, and one that stands there twice counts twice",
    )  # fmt: skip


def add_refresh(parser: Parser) -> None:
    parser.add_argument("--refresh", action="store_true", help="fetch secrets and tokens anew")


def add_doctor(parser: Parser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a connection; all without one")
    parser.add_argument(
        "--wait", nargs="?", type=values.minutes, const=10.0, default=0.0, metavar="MINUTES",
        help="look again while a role is missing, for it may have been granted just now; 10 minutes without a number",
    )  # fmt: skip


def add_plan(parser: Parser) -> None:
    parser.add_argument("--plan", action="store_true", help="show what a run would do; run nothing")
    add_sql(parser)


def add_sql(parser: Parser) -> None:
    parser.add_argument("--sql", action="store_true", help="with the plan: the SQL that the engine will get")


def add_preview(parser: Parser) -> None:
    parser.add_argument(
        "--preview", nargs="?", const="", metavar="NODE",
        help="run up to NODE (the last one), validate it, show its rows; write nothing",
    )  # fmt: skip
    parser.add_argument(
        "--sample",
        type=values.rows,
        metavar="ROWS",
        help="read only so many rows of each source; implies --preview",
    )


def add_choice(parser: Parser) -> None:
    """Which nodes, and on what."""
    parser.add_argument(
        "--only", action="append", default=[], metavar="NODE", help="this node alone; may be repeated"
    )
    parser.add_argument("--from-node", metavar="NODE", help="this node and all that come from it")
    add_engine(parser)


def add_engine(parser: Parser) -> None:
    parser.add_argument("--engine", type=values.engine, metavar="ENGINE", help=", ".join(values.ENGINES))


def add_texts(parser: Parser) -> None:
    """What overlays the text and fills its variables."""
    parser.add_argument("--env", metavar="NAME", help="lay this environment of the text over it")
    parser.add_argument(
        "--set", action="append", default=[], type=values.setting, metavar="NAME=VALUE",
        help="a variable's value, a YAML scalar; may be repeated",
    )  # fmt: skip


def add_run_id(parser: Parser) -> None:
    parser.add_argument("--run-id", metavar="ID", help="the run's id; made up without it")


def add_repeat(parser: Parser) -> None:
    """What becomes of rows that are there already, and of a run that failed."""
    parser.add_argument(
        "--again", action="store_true", help="append once more what a table holds already; refused without it"
    )
    add_replace(parser)
    parser.add_argument(
        "--resume", action="store_true",
        help="go on with the last run that failed, or that of --run-id: what it wrote is read back, not written again",
    )  # fmt: skip


def add_replace(parser: Parser) -> None:
    parser.add_argument(
        "--replace", action="store_true",
        help="undo every run that appended the same rows, in all its tables, then run; with the plan: show what that "
        "would undo",
    )  # fmt: skip


def add_undo(parser: Parser) -> None:
    parser.add_argument(
        "run", nargs="*", metavar="RUN | TABLE",
        help="a run's id, and behind it tables that it wrote, where nothing else leads to it; a table alone for its "
        "newest run that was not undone; nothing for the last run",
    )  # fmt: skip
    parser.add_argument(
        "--at", action="append", default=[], type=values.at, metavar="TABLE=VERSION",
        help="undo it, if the table has this version still: one for each table, as shown without it",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="take away what others committed behind the run, too"
    )


def add_save_as(parser: Parser) -> None:
    parser.add_argument(
        "--as", dest="save_as", type=values.save_as, metavar="NAME[=NODE]",
        help="put the data of NODE (the last one) into the notebook variable NAME",
    )  # fmt: skip


# What was asked -------------------------------------------------------------------------------------------


def run_options(parser: Parser, words: Sequence[str], does: Does | None = None) -> RunOptions:
    """The words as a RunOptions; `does` where the verb says it, not an option.

    Raises UsageError, also for options that do not go together.
    """
    found = vars(parser.read(words))
    preview, plan = found.pop("preview", None), found.pop("plan", False) or does == "plan"
    variables = dict(found.pop("set"))
    found.pop("json", None)
    found["only"] = tuple(found.pop("only", ()))
    previews = preview is not None or found.get("sample") is not None
    asked: Does = "plan" if plan else "preview" if previews else "run"
    ways = ways_of(parser.prog, words, found.get("file", ""))
    options = RunOptions(does=asked, node=preview or None, variables=variables, ways=ways, **found)
    _refuse_pairs(parser.prog, options, previews)
    return options


def _refuse_pairs(prog: str, options: RunOptions, previews: bool) -> None:
    chosen = {"--only": bool(options.only), "--from-node": options.from_node is not None}
    run_id = {"--run-id": options.run_id is not None}
    repeat = {f"--{name}": bool(getattr(options, name)) for name in ("again", "replace", "resume")}
    refused: dict[Does, dict[str, bool]] = {
        "plan": {
            "--preview or --sample": previews,
            "--as": options.save_as is not None,
            **run_id,
            **{option: given for option, given in repeat.items() if option != "--replace"},
        },
        "preview": {"--sql": options.sql, **chosen, **run_id, **repeat},
        "run": {"--sql": options.sql},
    }
    if options.does == "run" and sum(repeat.values()) > 1:
        raise UsageError(
            f"{prog}: {' and '.join(key for key, on in repeat.items() if on)} exclude each other"
        )
    for option, given in refused[options.does].items():
        if given:
            raise UsageError(f"{prog}: {option} {_WHY_NOT[options.does]}")


_WHY_NOT: dict[Does, str] = {
    "plan": "does not go with --plan, which runs nothing",
    "preview": "does not go with a preview, which runs up to one node and writes nothing: --preview NODE",
    "run": "shows the SQL of a plan: --plan --sql",
}


def two_tables(words: Sequence[str], connections: Collection[str]) -> list[tuple[str, ...]]:
    """The words of one or two TABLEs, each one word or CONN PATH. connections: names of which one may stand alone.

    Raises UsageError for more, and for a time that is two words.
    """
    refuse_split_times(words)
    found: list[tuple[str, ...]] = []
    left = list(words)
    while left:
        size = 2 if left[0] in connections and len(left) > 1 else 1
        found.append(tuple(left[:size]))
        del left[:size]
    if len(found) > 2:
        raise UsageError(
            f"two TABLEs are compared, not {len(found)}: {', '.join(' '.join(one) for one in found)}"
        )
    return found
