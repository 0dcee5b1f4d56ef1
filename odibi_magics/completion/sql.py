"""Inside half-typed SQL: tables behind FROM, columns of the tables that the query names, functions of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from odibi_magics.completion.offers import NOTHING, Offer, Offers, fitting
from odibi_magics.config.types import Column
from odibi_magics.sql.accepted import SPECIAL, accepted, ways

Tables = Mapping[str, Sequence[Column]]

_TOKEN = re.compile(
    r"""(?P<hidden>--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z))
      | `(?P<quoted>[^`\n]*)`? | (?P<word>[A-Za-z_]\w*) | (?P<other>\S)""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = (
    "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "JOIN", "LEFT JOIN", "RIGHT JOIN",
    "FULL JOIN", "CROSS JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "ON", "USING", "UNION ALL", "UNION", "EXCEPT",
    "INTERSECT", "WITH", "AS", "AND", "OR", "NOT", "IN", "IS NULL", "IS NOT NULL", "BETWEEN", "LIKE", "EXISTS", "CASE",
    "WHEN", "THEN", "ELSE", "END", "CAST", "OVER", "PARTITION BY", "ROWS BETWEEN", "QUALIFY", "NULL", "TRUE", "FALSE",
    "DATE", "TIMESTAMP", "INTERVAL", "ASC", "DESC", "FILTER",
)  # fmt: skip
_RESERVED = frozenset(word for keyword in _KEYWORDS for word in keyword.split()) | {
    "INNER",
    "LATERAL",
    "NATURAL",
}
_TABLE_WORDS = frozenset({"FROM", "JOIN"})
_PLAIN = re.compile(r"[A-Za-z_]\w*")


def in_query(before: str, behind: str, tables: Tables, about: Mapping[str, str], dialect: str) -> Offers:
    """What may stand between two halves of a query. tables: that it may name; about: what each is."""
    word, tokens = _halved(before)
    if tokens is None:
        return NOTHING
    everything = [*tokens, *_tokens(behind)]
    if _wants_table(tokens):
        named = {
            **about,
            **dict.fromkeys(_common(everything), "common table"),
            "df": "the step before, or the single input",
        }
        return fitting(word, (Offer(quoted(name), what) for name, what in named.items()))
    aliases = dict(_aliases(everything))
    if tokens[-1:] == ["."] and len(tokens) > 1:
        table = aliases.get(tokens[-2].lower(), tokens[-2])
        return fitting(word, _columns({table: _of(tables, table)}))
    wanted = {table: _of(tables, table) for table in aliases.values()} or tables
    return fitting(word, [*_columns(wanted), *_names(aliases), *_words(word, dialect)])


def in_condition(before: str, columns: Sequence[Column]) -> Offers:
    """What may stand at the end of a half-typed condition over these columns."""
    word, tokens = _halved(before)
    if tokens is None:
        return NOTHING
    return fitting(word, [*_columns({"": columns}), *_words(word, "spark")])


def quoted(name: str) -> str:
    """As it is written in SQL."""
    return name if _PLAIN.fullmatch(name) else f"`{name.replace('`', '``')}`"


def signature(name: str) -> str:
    """What a function takes and gives: `(string, int) -> string`."""
    rows = ways(name)
    if not rows:
        return "function"
    takes, _, rest = rows[0].partition("->")
    return f"({takes.strip()}) -> {rest.partition(':')[0].strip()}"


def _halved(before: str) -> tuple[str, list[str] | None]:
    """The word that is typed, and the tokens before it; None in a string or comment."""
    opened = re.search(r"`[^`\n]*\Z|(?:\b[A-Za-z_]\w*)?\Z", before)
    word = opened[0] if opened else ""
    start = len(before) - len(word)
    for match in _TOKEN.finditer(before):
        if match["hidden"] and match.end() == len(before) and _is_open(match["hidden"]):
            return "", None
    return word, _tokens(before[:start])


def _is_open(hidden: str) -> bool:
    """Whether a string or comment goes on."""
    if hidden.startswith("--"):
        return True
    if hidden.startswith("/*"):
        return not hidden.endswith("*/")
    return len(hidden) == 1 or hidden[-1] != hidden[0]


def _tokens(sql: str) -> list[str]:
    return [
        match["quoted"] if match["quoted"] is not None else match[0]
        for match in _TOKEN.finditer(sql)
        if not match["hidden"]
    ]


def _wants_table(tokens: Sequence[str]) -> bool:
    if not tokens:
        return False
    if tokens[-1].upper() in _TABLE_WORDS:
        return True
    last = next((word.upper() for word in reversed(tokens) if word.upper() in _RESERVED or word == ")"), "")
    return tokens[-1] == "," and last == "FROM"


def _common(tokens: Sequence[str]) -> Iterator[str]:
    """Names of common tables: `name AS (`."""
    for name, word, bracket in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (
            word.upper() == "AS"
            and bracket == "("
            and _PLAIN.fullmatch(name)
            and name.upper() not in _RESERVED
        ):
            yield name


def _aliases(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Tables behind FROM and JOIN by the names they have there, in lower case."""
    for i, token in enumerate(tokens[:-1]):
        if token.upper() not in _TABLE_WORDS or not re.match(r"\w", tokens[i + 1]):
            continue
        table, behind = tokens[i + 1], [*tokens[i + 2 : i + 4], "", ""]
        alias = behind[1] if behind[0].upper() == "AS" else behind[0]
        named = re.match(r"\w", alias) and alias.upper() not in _RESERVED
        yield (alias if named else table).lower(), table


def _of(tables: Tables, name: str) -> Sequence[Column]:
    return next((columns for table, columns in tables.items() if table.lower() == name.lower()), ())


def _columns(tables: Tables) -> Iterator[Offer]:
    for table, columns in tables.items():
        for column in columns:
            yield Offer(quoted(column.name), f"{column.type}, {table}" if table else column.type)


def _names(aliases: Mapping[str, str]) -> Iterator[Offer]:
    for alias, table in aliases.items():
        yield Offer(quoted(alias), "table" if alias == table.lower() else f"table {table}")


def _words(word: str, dialect: str) -> Iterator[Offer]:
    """Functions and keywords; there are so many that something must be typed first."""
    if not word or word.startswith("`"):
        return
    if dialect == "spark":
        for name in sorted(accepted()):
            bare = name in SPECIAL and SPECIAL[name] == (0, 0)
            yield Offer(name if bare else f"{name}(", signature(name))
    upper = word.isupper() or not word.islower()
    for keyword in _KEYWORDS:
        yield Offer(keyword if upper else keyword.lower(), "keyword")
