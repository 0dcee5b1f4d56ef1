"""What may stand at the cursor in a cell's YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import NoneType
from typing import get_origin

from odibi_magics.completion.columns import Describes
from odibi_magics.completion.facts import Facts, known_variables, node_at, used_variables
from odibi_magics.completion.keys import keys
from odibi_magics.completion.layout import Kind, Typed, typed
from odibi_magics.completion.offers import NOTHING, Offer, Offers, fitting
from odibi_magics.completion.sql import in_condition, in_query
from odibi_magics.completion.values import annotations_at, values
from odibi_magics.completion.waiting import Answers, Patience
from odibi_magics.config.explain import options, takes_texts
from odibi_magics.config.marks import scalar

_VARIABLE = re.compile(r"\{\{[ ]*(\w*)\Z")
_ENVIRONMENT = re.compile(r"\$\{(\w*)\Z")
_CONDITIONS = ("filter", "replace_where")
_PLAIN = re.compile(r"[\w.*/][\w.*/+ =-]*(?<! )")


@dataclass(frozen=True)
class Asker:
    """Who answers. facts: what the notebook knows. answers: kept from one completion to the next."""

    facts: Facts
    answers: Answers

    def describes(self) -> Describes:
        """Columns and paths, for one completion."""
        return Describes(self.facts, self.answers, Patience())


def complete_cell(text: str, at: int, kind: Kind, asker: Asker) -> Offers:
    """What may replace the characters right before offset `at` of a cell's text."""
    found = typed(text, at, kind)
    if match := _VARIABLE.search(text, 0, at):
        return _variables(found, match[1], text[at:], asker.facts)
    if match := _ENVIRONMENT.search(text, 0, at):
        closing = "" if text[at:].lstrip().startswith("}") else "}"
        offers = (Offer(f"{name}{closing}", "environment value") for name in sorted(os.environ))
        return fitting(match[1], offers)
    if found.spot is None:
        return NOTHING
    describes = asker.describes()
    if is_sql(found):
        return _sql(found, describes)
    if found.spot.role == "key":
        return fitting(found.spot.word, keys(found, found.path, asker.facts, describes))
    if found.spot.role == "either":
        return _either(found, asker.facts, describes)
    return _value(found, asker.facts, describes)


def _variables(found: Typed, word: str, behind: str, facts: Facts) -> Offers:
    closing = "" if behind.lstrip(" ").startswith("}") else " }}"
    used = used_variables(found.written) - {word}
    named = {**dict.fromkeys(sorted(used), "used in the text"), **known_variables(found, facts)}
    return fitting(word, (Offer(f"{name}{closing}", about) for name, about in named.items()))


# Keys and values ------------------------------------------------------------------------------------------------------


def _either(found: Typed, facts: Facts, describes: Describes) -> Offers:
    """A word that may become a key, or a value, or the first item of a list."""
    assert found.spot is not None
    if found.path == () and not isinstance(found.written, list):
        return fitting(found.spot.word, keys(found, (), facts, describes))
    if found.path and not isinstance(found.path[-1], int) and not found.spot.flow and _is_list(found):
        inner = replace(found, path=(*found.path, 0))
        return _with(_either(inner, facts, describes), lambda text: f"- {text}")
    offers = fitting(found.spot.word, keys(found, found.path, facts, describes))
    if not found.spot.flow and offers.offers:
        return offers
    if offers.offers:  # of a list between brackets the items are mappings
        return _with(offers, lambda text: f"{{{text}")
    return _value(found, facts, describes)


def _is_list(found: Typed) -> bool:
    """Whether nothing but a list will do; a check may be a mapping, too."""
    kinds = {
        get_origin(option)
        for one in annotations_at(found, found.path)
        for option in options(one)
        if option is not NoneType
    }
    return kinds == {list} and found.path[-2:-1] != ("validation",)


def _value(found: Typed, facts: Facts, describes: Describes) -> Offers:
    assert found.spot is not None
    spot = found.spot
    taken = found.there if isinstance(found.there, list) else []
    offered = values(found, found.path, facts, describes)
    free = (one for one in offered if one.text not in taken or one.text == spot.word + spot.rest)
    offers = _with(fitting(spot.word, free), lambda text: written(text, spot.style))
    if not spot.style and found.path and not isinstance(found.path[-1], int) and _takes_list(found):
        return _with(offers, lambda text: f"[{text}]")
    return offers


def _takes_list(found: Typed) -> bool:
    """Whether one text alone will not do, but a list of it."""
    annotations = annotations_at(found, found.path)
    return any(map(takes_texts, annotations)) and not any(str in options(one) for one in annotations)


def written(text: str, style: str) -> str:
    """A text as it stands in YAML in these quotes; in quotes of its own where it needs some."""
    if style == "'":
        return text.replace("'", "''")
    if style:
        return text.replace("\\", "\\\\").replace('"', '\\"') if style == '"' else text
    if text in ("true", "false") or text.startswith("${"):
        return text
    if _PLAIN.fullmatch(text) and isinstance(scalar(text, None), str):
        return text
    if re.fullmatch(r"[\w<>(),:]+", text) and re.match(r"(decimal|array|map|struct)\b", text):
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _with(offers: Offers, change: Callable[[str], str]) -> Offers:
    return replace(offers, offers=tuple(replace(one, text=change(one.text)) for one in offers.offers))


# SQL ------------------------------------------------------------------------------------------------------------------


def is_sql(found: Typed) -> bool:
    """Whether the spot is in SQL."""
    if found.spot is None or found.spot.role == "key" or node_at(found, found.path) is None:
        return False
    return "params" not in found.path and found.path[-1] in ("sql", *_CONDITIONS)


def _sql(found: Typed, describes: Describes) -> Offers:
    assert found.spot is not None
    spot, node = found.spot, node_at(found, found.path)
    assert node is not None
    if "steps" not in found.path:
        return in_condition(spot.word, describes.columns(found, found.path))
    step = found.path[found.path.index("steps") + 1]
    tables = describes.tables(found, node, step if isinstance(step, int) else None)
    own = found.at((*node, "name"))
    about = {name: what for name, what in describes.facts.nodes(found).items() if name != own}
    return in_query(spot.word, spot.rest, tables, about, _dialect(found, describes.facts))


def _dialect(found: Typed, facts: Facts) -> str:
    return str(found.project.get("sql_dialect", facts.definitions.settings.get("sql_dialect", "spark")))
