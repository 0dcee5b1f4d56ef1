"""Java's date patterns and regular expressions, as far as DuckDB reads and writes them alike."""

from __future__ import annotations

import re

# Java's letters: strftime's, and the text that is read for them (Spark insists on the digits that the pattern shows).
_LETTERS = {
    "yyyy": ("%Y", r"\d{4}"), "MM": ("%m", r"\d{2}"), "dd": ("%d", r"\d{2}"), "HH": ("%H", r"\d{2}"),
    "mm": ("%M", r"\d{2}"), "ss": ("%S", r"\d{2}"), "SSS": ("%g", r"\d{1,3}"), "SSSSSS": ("%f", r"\d{1,6}"),
    "M": ("%-m", r"\d{1,2}"), "d": ("%-d", r"\d{1,2}"), "H": ("%-H", r"\d{1,2}"), "m": ("%-M", r"\d{1,2}"),
    "s": ("%-S", r"\d{1,2}"),
}  # fmt: skip
_WRITTEN = {
    "yy": "%y", "MMM": "%b", "MMMM": "%B", "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A", "DDD": "%j", "D": "%-j",
    "hh": "%I", "h": "%-I", "a": "%p",
}  # fmt: skip
_PIECE = re.compile(r"''|'(?P<quoted>(?:[^']|'')+)'|(?P<letters>([A-Za-z])\3*)|(?P<plain>[^A-Za-z'#{}\[\]])")


def written(pattern: str) -> str | None:
    """A date pattern in strftime's letters; None where a letter has no equal."""
    pieces = _pieces(pattern)
    letters = {**{java: ours for java, (ours, _) in _LETTERS.items()}, **_WRITTEN}
    if pieces is None or any(is_letters and piece not in letters for piece, is_letters in pieces):
        return None
    return "".join(letters[piece] if is_letters else piece.replace("%", "%%") for piece, is_letters in pieces)


def read(pattern: str) -> tuple[str, str] | None:
    """strptime's letters, and a regular expression of the text Spark reads; None where a letter has no equal."""
    pieces = _pieces(pattern)
    if pieces is None or any(is_letters and piece not in _LETTERS for piece, is_letters in pieces):
        return None
    letters = [piece for piece, is_letters in pieces if is_letters]
    if len({_field(piece) for piece in letters}) != len(letters) or "yyyy" not in letters:
        return None
    format_ = "".join(
        _LETTERS[p][0].replace("-", "") if is_letters else p.replace("%", "%%") for p, is_letters in pieces
    )
    regex = "".join(_LETTERS[p][1] if is_letters else re.escape(p) for p, is_letters in pieces)
    return format_, f"^{regex}$"


def _field(letters: str) -> str:
    return letters[0]


def _pieces(pattern: str) -> list[tuple[str, bool]] | None:
    found: list[tuple[str, bool]] = []
    at = 0
    for match in _PIECE.finditer(pattern):
        if match.start() != at:
            return None
        at = match.end()
        if match["letters"]:
            found.append((match["letters"], True))
        else:
            quoted = match["quoted"]
            found.append(
                (quoted.replace("''", "'") if quoted else "'" if match[0] == "''" else match[0], False)
            )
    return found if at == len(pattern) and found else None


# Regular expressions: what Java's and RE2's engines read alike, written down as what is allowed.
_SAFE = re.compile(
    r"""(?:
        [^\\\[\](){}*+?|^$.]                    # plain characters
      | \.                                      # any character
      | \\[dDwWsSz.\\\[\](){}*+?|^$/\-tn"'&,:;=!<>@%~#]  # classes and escaped characters
      | \[\^?(?:[^\\\[\]&^]|\\[dws.\\\[\](){}*+?|^$/\-tn])+\]      # a set without nested sets or &&
      | \((?:\?:)?  | \)                        # groups, not look-around
      | \| | \^ | \$
      | (?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![+*?{])    # repetitions, greedy or lazy, not possessive
    )*""",
    re.VERBOSE,
)


def regex_problem(pattern: str) -> str | None:
    """Why a regular expression is not accepted, None where both engines read it alike."""
    if "(?=" in pattern or "(?!" in pattern or "(?<" in pattern:
        return "look-around and named groups are not accepted in a regular expression"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern):
        return "back-references are not accepted in a regular expression"
    if not _SAFE.fullmatch(pattern):
        return "this regular expression has a part that is not proved equal on both engines"
    try:
        _compiled(pattern)
    except re.error as error:
        return f"this regular expression is wrong: {error}"
    return None


_ENDS = r"\n\r\x{85}\x{2028}\x{2029}"
_BLANKS = r"\t\n\x0B\f\r "
_PART = re.compile(r"\\.|\[\^?(?:[^\\\]]|\\.)+\]|.", re.DOTALL)
_IN_RE2 = {".": f"[^{_ENDS}]", r"\s": f"[{_BLANKS}]", r"\S": f"[^{_BLANKS}]", "$": rf"(?:\r\n|[{_ENDS}])?\z"}


def in_re2(pattern: str) -> str:
    """An accepted regular expression with Java's meaning of dot, blanks and $ (which also stands before a last newline,
    and takes it into the match here)."""
    return "".join(_part_in_re2(part) for part in _PART.findall(pattern))


def _part_in_re2(part: str) -> str:
    return part.replace(r"\s", _BLANKS) if part.startswith("[") else _IN_RE2.get(part, part)


def takes_the_end(pattern: str, *, inside: bool = False) -> bool:
    """Whether `$` stands in a pattern, outside sets. inside: in one of its groups."""
    depth = 0
    for part in _PART.findall(pattern):
        depth += (part == "(") - (part == ")")
        if part == "$" and (depth or not inside):
            return True
    return False


def fits_nothing(pattern: str) -> bool:
    """Whether a regular expression matches the empty text."""
    return _compiled(pattern).match("") is not None


def groups(pattern: str) -> int:
    """How many groups a regular expression has."""
    return _compiled(pattern).groups


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\z", r"\Z"))
