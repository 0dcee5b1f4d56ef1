"""What may stand at the cursor on a magic's line: options and their values, TABLE addresses, files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile

from odibi_magics.completion.cell import Asker
from odibi_magics.completion.facts import environments, known_variables, used_variables
from odibi_magics.completion.layout import Typed, typed
from odibi_magics.completion.offers import NOTHING, Offer, Offers, brief, fitting
from odibi_magics.completion.places import connection_named, files, paths
from odibi_magics.completion.tables import columns, versions
from odibi_magics.errors import UsageError
from odibi_magics.option_values import ENGINES
from odibi_magics.options import WITHOUT_VERSION, Parser
from odibi_magics.project import read_text

_FILES = (".yaml", ".yml")
_CONNECTION = re.compile(r"([A-Za-z_][\w-]*):(?!//)(.*)", re.DOTALL)


def complete_line(parser: Parser, line: str, text: str | None, asker: Asker) -> Offers:
    """What may replace the end of a line. line: what stands behind the magic, up to the cursor. text: the cell's."""
    parts = line.split()
    word = parts.pop() if parts and not line[-1:].isspace() else ""
    actions = parser._option_string_actions
    cell = typed(text, len(text)) if text is not None else _of_file(parts, parser)
    option = actions.get(parts[-1]) if parts else None
    if option is not None and option.nargs != 0:
        found = fitting(word, _values(option, word, cell, asker, parts[:-1]))
        if found.offers or option.nargs != "?":
            return found
    if word.startswith("-") or (not word and not _positional(parser)):
        return fitting(word, _options(parser, parts))
    several = [one for one in parts if one.startswith("--")]
    last = actions.get(several[-1]) if several else None
    action = last if last is not None and last.nargs == "+" else _positional(parser)
    if action is None:
        return NOTHING
    return fitting(word, _values(action, word, cell, asker, parts))


def _options(parser: Parser, parts: Sequence[str]) -> Iterator[Offer]:
    """The options that are not there yet, or may be repeated."""
    for action in dict.fromkeys(parser._option_string_actions.values()):
        name = action.option_strings[-1]
        repeated = isinstance(action, argparse._AppendAction)
        if repeated or not set(action.option_strings) & set(parts):
            yield Offer(name, brief(action.help or ""))


def _positional(parser: Parser) -> argparse.Action | None:
    return next((action for action in parser._actions if not action.option_strings), None)


def _values(
    action: argparse.Action, word: str, cell: Typed | None, asker: Asker, before: Sequence[str] = ()
) -> Iterator[Offer]:
    """Of an option or argument, by what its metavar says it takes."""
    metavar = str(action.metavar)
    name = "ENV" if "--env" in action.option_strings else metavar
    finds = _FINDERS.get(name)
    versionless = WITHOUT_VERSION in (action.help or "") and "@" in word
    if finds is not None and not versionless:
        yield from finds(word, cell, asker, before)


Before = Sequence[str]


def _engines(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    yield from (Offer(name, "engine") for name in ENGINES)


def _nodes(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """Of the text that will run, else all that the notebook knows."""
    from odibi_magics.completion.facts import nodes_of

    if cell is not None:
        names = [str(node["name"]) for _, node in nodes_of(cell.project) if node.get("name")]
        yield from (Offer(name, "node") for name in names)
    else:
        yield from (Offer(name, about) for name, about in asker.facts.nodes().items())


def _environments(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    yield from (Offer(name, "environment") for name in (environments(cell) if cell else ()))


def _settings(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    if cell is not None and "=" not in word:
        named = known_variables(cell, asker.facts)
        used = used_variables(cell.written)
        yield from (
            Offer(f"{name}=", named.get(name, "used in the text")) for name in sorted({*named, *used})
        )


def _saved(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """`NAME=NODE`: the node."""
    variable, equals, _ = word.partition("=")
    if equals:
        nodes = _nodes(word, cell, asker, before)
        yield from (Offer(f"{variable}={node.text}", node.about) for node in nodes)


def _files(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    if not before:
        yield from files(asker.facts.folder, word, _FILES)


def _connections(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    named = asker.facts.connections().items()
    yield from (Offer(name, about) for name, about in named if name not in before)


def _tables(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """A node's name, `conn:path`, the PATH of `CONN PATH`, or a path of this machine."""
    connections = asker.facts.connections()
    describes = asker.describes()
    place, at, _ = word.rpartition("@")
    if at and "://" not in word:
        named = (before[-1], place) if before and before[-1] in connections else (place,)
        yield from (Offer(f"{place}@{one.text}", one.about) for one in versions(named, describes))
        return
    if before and before[-1] in connections:
        found = connection_named(before[-1], None, asker.facts)
        yield from paths(found, word, describes.answers, describes.patience)
        return
    if (match := _CONNECTION.fullmatch(word)) and match[1] in connections:
        found = connection_named(match[1], None, asker.facts)
        for one in paths(found, match[2], describes.answers, describes.patience):
            yield Offer(f"{match[1]}:{one.text}", one.about)
        return
    yield from (Offer(name, about) for name, about in asker.facts.nodes().items())
    yield from (Offer(f"{name}:", about) for name, about in connections.items())
    if "/" in word:
        yield from files(asker.facts.folder, word, (".csv", ".parquet", ".json", ".jsonl", ".delta"))


def _at_tables(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """`TABLE=VERSION`: the table, then its newest version."""
    table, equals, _ = word.partition("=")
    if not equals:
        yield from (one for one in _tables(word, cell, asker, ()))
    else:
        newest = islice(versions((table,), asker.describes()), 1)
        yield from (Offer(f"{table}={one.text}", one.about) for one in newest)


def _newest(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """The VERSION of `TABLE --at VERSION`, which is the newest."""
    yield from islice(versions(_plain(before), asker.describes()), 1)


def _columns(word: str, cell: Typed | None, asker: Asker, before: Before) -> Iterator[Offer]:
    """`COLUMN,COLUMN`: those that are not there yet."""
    there = word.split(",")[:-1]
    typed = "".join(f"{one}," for one in there)
    for one in columns(_plain(before), asker.describes()):
        if one.text not in there:
            yield Offer(f"{typed}{one.text}", one.about)


def _plain(before: Before) -> Before:
    """The words that stand before the first option."""
    return list(takewhile(lambda one: not one.startswith("-"), before))


_FINDERS: dict[str, Callable[[str, Typed | None, Asker, Before], Iterator[Offer]]] = {
    "ENGINE": _engines, "NODE": _nodes, "ENV": _environments, "NAME=VALUE": _settings, "NAME[=NODE]": _saved,
    "FILE": _files, "NAME": _connections, "TABLE": _tables, "RUN | TABLE": _tables, "TABLE=VERSION": _at_tables,
    "VERSION": _newest, "COLUMN[,COLUMN]": _columns,
}  # fmt: skip


def _of_file(parts: Sequence[str], parser: Parser) -> Typed | None:
    """The text of the FILE that stands on the line, where it takes one."""
    action = _positional(parser)
    if action is None or action.metavar != "FILE" or not parts:
        return None
    try:
        text = read_text(parts[0]).text
    except UsageError:
        return None
    return typed(text, len(text))
