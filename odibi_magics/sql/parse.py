"""SQL text into the tree of its one statement, or syntax errors with places."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from odibi_magics.sql.dialect import dialect
from odibi_magics.sql.problems import SqlErrors, SqlProblem


@lru_cache(maxsize=2048)  # a plan and its run read the same texts
def parse(text: str, written: str = "spark") -> exp.Expr:
    """The one statement of a text in the dialect `written`. Raises SqlErrors."""
    spoken = dialect(written)
    try:
        statements = spoken.parse(text)
    except ParseError as error:
        raise SqlErrors([_several(text, written) or _syntax(text, error)]) from None
    except (TokenError, ValueError) as error:
        raise SqlErrors([_unreadable(text, error)]) from None
    except RecursionError:
        raise SqlErrors([SqlProblem("the SQL is nested too deeply to be checked")]) from None
    except (TypeError, AttributeError, KeyError, IndexError, AssertionError):
        # sqlglot meets some malformed texts with errors of its own making.
        raise SqlErrors([SqlProblem("this cannot be read as SQL")]) from None
    found = [statement for statement in statements if statement is not None]
    if not found:
        raise SqlErrors([SqlProblem("the SQL is empty")])
    if len(found) > 1 and (problem := _several(text, written)):
        raise SqlErrors([problem])
    return found[0]


def _several(text: str, written: str) -> SqlProblem | None:
    """The problem of a text in which something follows a semicolon."""
    tokens = dialect(written).tokenize(text)
    for token in tokens[:-1]:
        if token.token_type == TokenType.SEMICOLON and tokens[-1].token_type != TokenType.SEMICOLON:
            return SqlProblem("a step is one query, and here are several", token.start, token.end + 1)
    return None


_PLAIN_WORDS = {
    "Invalid expression / Unexpected token": "this was not expected here",
    "Expected table name but got": "a table's name was expected",
    "Expecting )": "a closing bracket ) is missing",
    "Expected AS after CAST": "CAST is written CAST(x AS type)",
}


def _syntax(text: str, error: ParseError) -> SqlProblem:
    details = error.errors[0] if error.errors else {}
    word = str(details.get("highlight") or "")
    start = _offset(text, details.get("line"), details.get("col"), word)
    said = str(details.get("description") or "it cannot be read")
    words = next((plain for theirs, plain in _PLAIN_WORDS.items() if said.startswith(theirs)), _lowered(said))
    near = f" (at '{word}')" if word else ""
    return SqlProblem(f"SQL syntax: {words}{near}", start, start + len(word) if start >= 0 else -1)


def _lowered(words: str) -> str:
    """sqlglot's words without its class names and token lists."""
    words = re.sub(r"<[^>]*>|Token token_type.*", "", words).strip().rstrip(".")
    return words[:1].lower() + words[1:]


def _offset(text: str, line: int | None, column: int | None, word: str) -> int:
    """The word's offset: sqlglot gives its line, and the column of its last character."""
    if not (line and column and word):
        return -1
    before = sum(len(row) + 1 for row in text.split("\n")[: line - 1])
    start = before + column - len(word)
    return start if start >= 0 and text.startswith(word, start) else text.find(word, before)


_OPENINGS = (
    ("'", "a quote ' is not closed"),
    ('"', 'a quote " is not closed'),
    ("`", "a quote ` is not closed"),
)


def _unreadable(text: str, error: Exception) -> SqlProblem:
    quote = next(((text.rfind(mark), words) for mark, words in _OPENINGS if text.count(mark) % 2), None)
    if quote is not None:
        return SqlProblem(f"SQL syntax: {quote[1]}", quote[0], quote[0] + 1)
    return SqlProblem("SQL syntax: this cannot be read as SQL")
