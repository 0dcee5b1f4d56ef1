"""SQL text into the tree of its one statement, or syntax errors with places."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from odibi_magics.sql.dialect import dialect
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.syntax import syntax_problem, token_problems


@lru_cache(maxsize=2048)  # a plan and its run read the same texts
def parse(text: str, written: str = "spark") -> exp.Expr:
    """The one query of a text in the dialect `written`. Raises SqlErrors."""
    spoken = dialect(written)
    try:
        tokens = spoken.tokenize(text)
        if problems := token_problems(text, tokens, written):
            raise SqlErrors(problems)
        [tree] = spoken.parser().parse(tokens, text)
    except ParseError as error:
        raise SqlErrors([syntax_problem(text, error, tokens)]) from None
    except (TokenError, ValueError):
        raise SqlErrors([_unreadable(text)]) from None
    except RecursionError:
        raise SqlErrors([SqlProblem("the SQL is nested too deeply to be checked")]) from None
    except (TypeError, AttributeError, KeyError, IndexError, AssertionError):
        # sqlglot meets some malformed texts with errors of its own making.
        raise SqlErrors([SqlProblem("this cannot be read as SQL")]) from None
    if tree is None:
        raise SqlErrors([SqlProblem("the SQL is empty")])
    if '"' in text and written == "spark":
        _mark_double_quotes(tree, text)
    return tree


def _mark_double_quotes(tree: exp.Expr, text: str) -> None:
    """Text in "..." may have been meant as a name, as it is in other dialects."""
    for literal in tree.find_all(exp.Literal):
        start = literal.meta.get("start", -1)
        if literal.is_string and start >= 0 and text[start] == '"':
            literal.meta["double"] = True


_OPENINGS = (
    ("'", "a quote ' is not closed; inside '...' a quote is written ''"),
    ('"', 'a quote " is not closed'),
    ("`", "a quote ` is not closed"),
)


def _unreadable(text: str) -> SqlProblem:
    quote = next(((text.rfind(mark), words) for mark, words in _OPENINGS if text.count(mark) % 2), None)
    if quote is not None:
        return SqlProblem(f"SQL syntax: {quote[1]}", quote[0], quote[0] + 1)
    return SqlProblem("SQL syntax: this cannot be read as SQL")
