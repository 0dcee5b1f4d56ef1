"""Versions and columns of the tables that a magic's line names, by the pandas engine: a Spark job is not cheap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.completion.columns import Describes, load_engine
from odibi_magics.completion.facts import Facts
from odibi_magics.completion.offers import Offer
from odibi_magics.completion.places import connection_named
from odibi_magics.connections.address import parse_address
from odibi_magics.connections.listing import at_hand
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import UsageError
from odibi_magics.tables import local_place


def versions(table: Sequence[str], describes: Describes) -> Iterator[Offer]:
    """The newest twenty of a TABLE, the newest first, each with when and how it came to be."""
    place = _place(table, describes.facts)
    if place is None:
        return
    load_engine()
    found = describes.answers.get(
        ("versions", place), lambda: choose_engine("pandas").history(place, limit=20), describes.patience
    )
    for each in found.entries if found else ():
        yield Offer(str(each.version), f"{each.time:%Y-%m-%d %H:%M} UTC, {each.operation}")


def columns(words: Sequence[str], describes: Describes) -> Iterator[Offer]:
    """Those of the first TABLE among words that may be two of them, and each of these one word or two."""
    place = _place(
        words[: 2 if words[:1] and words[0] in describes.facts.connections() else 1], describes.facts
    )
    if place is None:
        return
    load_engine()
    found = describes.answers.get(
        ("columns", place),
        lambda: choose_engine("pandas").open([place]).read(Source(place)).columns,
        describes.patience,
    )
    yield from (Offer(column.name, column.type) for column in found or ())


def _place(table: Sequence[str], facts: Facts) -> Place | None:
    """A Delta table that can be opened with what is at hand: no vault is asked, and no node run, as one types."""
    if not table:
        return None
    try:
        address = parse_address(*table)
        if address.connection is None and address.path not in facts.definitions.nodes:
            return local_place(address.path, iter(()))
    except UsageError:  # half of one
        return None
    name, path = address.connection, address.path
    if name is None:
        write = facts.definitions.nodes[path].node.write
        name, path = (write.connection, write.path or "") if write else ("", "")
    connection = connection_named(name, None, facts)
    return Place(connection, path, "delta") if connection and path and at_hand(connection) else None
