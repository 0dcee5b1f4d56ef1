"""Functions of text whose DuckDB form hangs on a pattern or on types."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from odibi_magics.sql.literals import text_literal
from odibi_magics.sql.lookup import Arguments, refused
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.patterns import fits_nothing, groups, in_re2, regex_problem, takes_the_end
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import VOID, kind


def _concat(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if any(kind(a.type) in ("array", "binary", "map", "struct") for a in arguments):
        return self.refuse(node, "concat of anything but plain values is not proved equal on both engines")
    texts = [self.text(argument) for argument in arguments]
    return Typed(" || ".join(f"{text:p}" for text in texts), "string", node, tight=len(texts) == 1)


def _regex(self: Operators, node: exp.Expr, arguments: Arguments, at: int = 1) -> str | None:
    """The regular expression of a call, or None with the refusal noted."""
    if arguments[0].type not in ("string", VOID):
        self.refuse(node, f"a regular expression needs a string, and this is {arguments[0].type}")
        return None
    pattern = arguments[at].literal
    if pattern is None:
        self.refuse(node, "a regular expression must be a string literal")
        return None
    if why := regex_problem(pattern):
        self.refuse(node, why)
        return None
    return pattern


def _whole(self: Operators, node: exp.Expr, pattern: str, *, group: int = 0) -> str | None:
    """The pattern where what it matches counts, in which $ would take a last newline along; None: refused."""
    if takes_the_end(pattern, inside=group > 0):
        self.refuse(node, r"$ also stands before a last newline in Spark: write \\z for the very end")
        return None
    return in_re2(pattern)


def regexp_like(self: Operators, node: exp.Expr, arguments: Arguments) -> Typed:
    """x RLIKE 'pattern'."""
    pattern = _regex(self, node, arguments)
    if pattern is None:
        return refused(node)
    return Typed(f"regexp_matches({arguments[0]}, {text_literal(in_re2(pattern))})", "boolean", node)


def _regexp_replace(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    pattern = _regex(self, node, arguments)
    replacement = arguments[2].literal
    if pattern is None:
        return refused(node)
    if replacement is None:
        return self.refuse(node, "the replacement must be a string literal")
    if re.search(r"[*?{]", pattern) and fits_nothing(pattern):
        return self.refuse(
            node, "replacing what may be nothing, as x* may, is not proved equal on both engines"
        )
    ours = _replacement(replacement, groups(pattern))
    if ours is None:
        return self.refuse(
            node, "the replacement may hold $1 to $9 for groups that are there, and no backslash"
        )
    whole = _whole(self, node, pattern)
    return Typed(
        f"regexp_replace({arguments[0]}, {text_literal(whole or '')}, {text_literal(ours)}, 'g')",
        "string",
        node,
    )


def _replacement(text: str, groups: int) -> str | None:
    r"""Java's $1 as RE2's \1; None where it is another thing."""
    if "\\" in text or re.sub(r"\$[1-9](?!\d)", "", text).count("$"):
        return None
    if any(int(number) > groups for number in re.findall(r"\$(\d)", text)):
        return None
    return re.sub(r"\$([1-9])", r"\\\1", text)


def _regexp_extract(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    pattern = _regex(self, node, arguments)
    if pattern is None:
        return refused(node)
    group = arguments[2].number if len(arguments) > 2 else 1
    if group is None or not 0 <= group <= min(9, groups(pattern)):
        return self.refuse(
            node, f"the group must be a literal from 0 to {groups(pattern)}, the groups of the pattern"
        )
    whole = _whole(self, node, pattern, group=group)
    return Typed(f"regexp_extract({arguments[0]}, {text_literal(whole or '')}, {group})", "string", node)


def _split(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    pattern = _regex(self, node, arguments)
    if pattern is None:
        return refused(node)
    if len(arguments) > 2:
        return self.refuse(node, "split with a limit is not proved equal on both engines")
    if not re.sub(r"\\.", "x", pattern) or fits_nothing(pattern):
        return self.refuse(
            node, "split by a pattern that matches nothing is not proved equal on both engines"
        )
    whole = _whole(self, node, pattern)
    return Typed(f"string_split_regex({arguments[0]}, {text_literal(whole or '')})", "array<string>", node)


def _sha2(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if arguments[1].number not in (0, 256) or arguments[0].type not in ("string", "binary"):
        return self.refuse(node, "sha2 is accepted for strings with 256 bits: sha2(x, 256)")
    return Typed(f"sha256({arguments[0]})", "string", node)


TEXTS: dict[str, Callable[[Operators, exp.Anonymous, Arguments], Typed]] = {
    "concat": _concat,
    "regexp_like": regexp_like,
    "regexp": regexp_like,
    "rlike": regexp_like,
    "regexp_replace": _regexp_replace,
    "regexp_extract": _regexp_extract,
    "split": _split,
    "sha2": _sha2,
}
