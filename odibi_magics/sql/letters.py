"""upper() and lower() as Java has them: a letter may have several for its other case, and DuckDB knows one for each."""

from __future__ import annotations

_SEVERAL = {
    "ß": "SS", "\u0149": "\u02bcN", "\u01f0": "J\u030c", "\u0390": "\u0399\u0308\u0301", "\u03b0": "\u03a5\u0308\u0301",
    "\u0587": "\u0535\u0552", "\ufb00": "FF", "\ufb01": "FI", "\ufb02": "FL", "\ufb03": "FFI", "\ufb04": "FFL",
}  # fmt: skip

# Letters of old scripts that have several, and some that are newer than DuckDB's Unicode.
_SELDOM = "".join(
    rf"\x{{{{{first:x}}}}}" + (rf"-\x{{{{{last:x}}}}}" if last > first else "")
    for first, last in (
        (0x19B, 0x19B), (0x264, 0x264), (0x1E96, 0x1E9A), (0x1F50, 0x1F50), (0x1F52, 0x1F52), (0x1F54, 0x1F54),
        (0x1F56, 0x1F56), (0x1F80, 0x1FAF), (0x1FB2, 0x1FB4), (0x1FB6, 0x1FB7), (0x1FBC, 0x1FBC), (0x1FC2, 0x1FC4),
        (0x1FC6, 0x1FC7), (0x1FCC, 0x1FCC), (0x1FD2, 0x1FD3), (0x1FD6, 0x1FD7), (0x1FE2, 0x1FE4), (0x1FE6, 0x1FE7),
        (0x1FF2, 0x1FF4), (0x1FF6, 0x1FF7), (0x1FFC, 0x1FFC), (0xA7D3, 0xA7D3), (0xA7D5, 0xA7D5), (0xFB05, 0xFB06),
        (0xFB13, 0xFB17),
    )
)  # fmt: skip


def _replaced(text: str) -> str:
    for one, several in _SEVERAL.items():
        text = f"replace({text}, '{one}', '{several}')"
    return text


# Letters and marks that stand beside a Greek letter, as ranges: \p{L} takes DuckDB 4 ms to compile, again and again.
_LETTERS = r"A-Za-zÀ-ɏͰ-ԯἀ-῿"
_BETWEEN = r"\x{{300}}-\x{{36f}}0-9''’_."
_ENDS = rf"[{_LETTERS}][{_BETWEEN}]*)Σ([{_BETWEEN}]*(?:[^{_LETTERS}{_BETWEEN}]|$)"
_FINAL = r"regexp_replace({0}, '(" + _ENDS + r")', '\1ς\2', 'g')"  # Σ is ς at the end of a word

LOWER = (
    "string -> string: CASE WHEN strlen({0}) = length({0}) THEN lower({0}) ELSE "
    f"lower(replace(CASE WHEN contains({{0}}, 'Σ') THEN {_FINAL} ELSE {{0}} END, 'İ', 'i̇')) END",
)
UPPER = (
    "string -> string: CASE WHEN strlen({0}) = length({0}) THEN upper({0}) "
    f"WHEN regexp_matches({{0}}, '[{_SELDOM}]') "
    "THEN error('upper: the engines write a letter differently that is in ' || {0:p}) "
    f"ELSE upper({_replaced('{0}')}) END",
)
