"""What is wrong with SQL before it is a tree: statements, slips that sqlglot reads over, and its own syntax errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token, TokenType

from odibi_magics.errors import nearest
from odibi_magics.sql.problems import SqlProblem

_BEGINS = ("SELECT", "WITH", "FROM", "(")
_STATEMENTS = frozenset({
    "ADD", "ALTER", "ANALYZE", "ATTACH", "CACHE", "CALL", "COMMENT", "COMMIT", "COPY", "CREATE", "DELETE",
    "DESC", "DESCRIBE", "DETACH", "DROP", "EXPLAIN", "EXPORT", "GRANT", "IMPORT", "INSERT", "INSTALL", "LIST",
    "LOAD", "MERGE", "MSCK", "OPTIMIZE", "PIVOT", "PRAGMA", "REFRESH", "REPLACE", "RESET", "RESTORE", "REVOKE",
    "SET", "SHOW", "SUMMARIZE", "TABLE", "TRUNCATE", "UNCACHE", "UPDATE", "USE", "VACUUM", "VALUES",
})  # fmt: skip
# What may stand behind no comma.
_ENDS = (
    TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING, TokenType.LIMIT,
    TokenType.R_PAREN, TokenType.UNION, TokenType.JOIN, TokenType.SELECT,
)  # fmt: skip
_CURLY = re.compile("[\u2018\u2019\u201a\u201c\u201d\u201e]")


def token_problems(text: str, tokens: Sequence[Token], dialect: str) -> list[SqlProblem]:
    """Of these there is one kind at a time: what follows from a wrong beginning is not worth telling."""
    if not tokens or tokens[0].token_type == TokenType.SEMICOLON:
        return [SqlProblem("the SQL is empty")]
    return (
        list(_several(tokens))
        or list(_beginning(tokens[0]))
        or [*_slips(tokens, dialect), *(_curly(tokens) if _CURLY.search(text) else ())]
    )


def _at(token: Token, message: str, suggestion: str | None = None) -> SqlProblem:
    return SqlProblem(message, token.start, token.end + 1, suggestion)


def _several(tokens: Sequence[Token]) -> Iterator[SqlProblem]:
    for token, following in zip(tokens, tokens[1:], strict=False):
        if token.token_type == TokenType.SEMICOLON and following.token_type != TokenType.SEMICOLON:
            yield _at(token, "a step is one query, and here are several")
            return


def _beginning(first: Token) -> Iterator[SqlProblem]:
    word = first.text.upper().split()[0]  # ADD JAR is one token
    if word in _STATEMENTS:
        yield _at(first, f"{word} is not allowed: a step is one query, which begins with SELECT or WITH")
    elif word not in _BEGINS:
        close = nearest(word, _BEGINS[:3])
        yield _at(
            first, f"a step is one query, which begins with SELECT or WITH, not with '{first.text}'", close
        )


def _slips(tokens: Sequence[Token], dialect: str) -> Iterator[SqlProblem]:
    """What sqlglot reads over, and Spark does not."""
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind = following.token_type if following else None
        if token.token_type == TokenType.COMMA and (kind in _ENDS or kind is None) and dialect == "spark":
            yield _at(token, "SQL syntax: nothing follows this comma")
        elif token.token_type == TokenType.SELECT and (kind == TokenType.FROM or kind is None):
            yield _at(token, "SQL syntax: SELECT lists no columns")
        elif token.token_type in (TokenType.GROUP_BY, TokenType.ORDER_BY) and (kind in _ENDS or kind is None):
            yield _at(token, f"SQL syntax: nothing follows {token.text.upper()}")
        elif token.token_type == TokenType.IN and following and kind != TokenType.L_PAREN:
            yield _at(token, "SQL syntax: IN takes brackets: IN (1, 2)")
        elif (
            token.token_type == TokenType.STAR
            and following
            and _is(following, "EXCLUDE")
            and dialect == "spark"
        ):
            yield _at(following, "* EXCLUDE is not Spark's", "EXCEPT")
        elif token.token_type == TokenType.BLOCK_START:
            yield _at(token, "SQL syntax: {% ... %} is no SQL: {{ name }} is all that is filled in")
            return
        elif token.token_type == TokenType.SELECT and following and _is(following, "TOP"):
            yield _at(following, "TOP is not Spark's: write LIMIT at the end")


def _is(token: Token, word: str) -> bool:
    return token.token_type == TokenType.VAR and token.text.upper() == word


def _curly(tokens: Sequence[Token]) -> Iterator[SqlProblem]:
    for token in tokens:
        if token.token_type == TokenType.VAR and _CURLY.search(token.text):
            yield _at(token, "SQL syntax: a typographic quote: write '...' round text, `...` round names")


# sqlglot's own errors -------------------------------------------------------------------------------------------------

_WORDS = (
    ("Invalid expression / Unexpected token", "{} was not expected here"),
    ("Expected table name but got", "a table's name was expected at {}"),
    ("Expecting )", "a closing bracket ) is missing at {}"),
    ("Expected AS after CAST", "CAST is written CAST(x AS type)"),
    ("Expected TYPE after CAST", "{} is no type"),
    ("Expected END after CASE", "the CASE before {} has no END"),
    ("Required keyword", "something is missing behind {}"),
)
_KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "UNION", "DISTINCT", "BETWEEN", "QUALIFY",
    "OFFSET", "INTERSECT", "EXCEPT", "WHEN", "THEN", "ELSE",
)  # fmt: skip
_TYPES = (
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp",
    "decimal",
)  # fmt: skip
_OPERANDS = (
    TokenType.VAR,
    TokenType.IDENTIFIER,
    TokenType.STAR,
    TokenType.R_PAREN,
    TokenType.NUMBER,
    TokenType.STRING,
)
_NEAR = 0.75  # FORM and FROM are; a column called `total` is near to no keyword


def syntax_problem(text: str, error: ParseError, tokens: Sequence[Token]) -> SqlProblem:
    """A syntax error at its word, or at a misspelt keyword right before it."""
    details = error.errors[0] if error.errors else {}
    word = str(details.get("highlight") or "")
    start = _offset(text, details.get("line"), details.get("col"), word)
    if misspelt := _misspelt(tokens, start):
        return misspelt
    said = str(details.get("description") or "it cannot be read")
    shown = word if word.startswith(("'", '"')) else f"'{word}'"
    words = next((ours.format(shown) for theirs, ours in _WORDS if said.startswith(theirs)), None)
    close = nearest(word, _TYPES) if said.startswith("Expected TYPE") else None
    told = words if words is not None and word else f"this cannot be read{f', at {shown}' if word else ''}"
    return SqlProblem(f"SQL syntax: {told}", start, start + len(word) if start >= 0 else -1, close)


def _misspelt(tokens: Sequence[Token], start: int) -> SqlProblem | None:
    """A name where an alias may stand, at the error or right before it, that is nearly a keyword: `id FORM orders`."""
    at = next((i for i, token in enumerate(tokens) if token.start == start), 0)
    for before, token in zip(tokens[max(0, at - 2) : at], tokens[max(1, at - 1) : at + 1], strict=False):
        close = nearest(token.text, _KEYWORDS, _NEAR) if token.token_type == TokenType.VAR else None
        if close is not None and before.token_type in _OPERANDS:
            return _at(token, f"SQL syntax: '{token.text}' was not expected here", close)
    return None


def _offset(text: str, line: int | None, column: int | None, word: str) -> int:
    """The word's offset: sqlglot gives its line, and the column of its last character."""
    if not (line and column and word):
        return -1
    before = sum(len(row) + 1 for row in text.split("\n")[: line - 1])
    start = before + column - len(word)
    return start if start >= 0 and text.startswith(word, start) else text.find(word, before)
