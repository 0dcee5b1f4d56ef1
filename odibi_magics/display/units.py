"""Numbers for people: counts, bytes, times."""

from __future__ import annotations


def count(number: int | None) -> str:
    """`336,776`; "" where nothing counted."""
    return "" if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 node`, `3 nodes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int | None) -> str:
    """Bytes in steps of 1,000, as storage is billed: `812 B`, `41.3 kB`, `8.4 MB`."""
    if number is None:
        return ""
    if number < 1000:
        return f"{number} B"
    amount = float(number)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        # 999.95 would round to "1000.0".
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} TB"


def duration(seconds: float) -> str:
    """`0.04 s`, `1.2 s`, `34 s`, `3 min 05 s`, `2 h 04 min`."""
    if seconds < 0.095:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60:02d} min"
