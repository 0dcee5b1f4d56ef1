"""How much memory a run may take before it spills."""

from __future__ import annotations

import os
from pathlib import Path

# Arrow buffers, the Delta writer and the user's own frames live beside DuckDB's memory.
SHARE = 0.6
_LEAST = 256 * 1024**2

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def memory_limit() -> str | None:
    """DuckDB's limit: `ODIBI_MEMORY_LIMIT` ("4GB"), else 60 % of what this machine and its container leave.

    None where the machine does not tell: then DuckDB's own default holds, 80 % of the machine.
    """
    if asked := os.environ.get("ODIBI_MEMORY_LIMIT", "").strip():
        return asked
    left = [amount for amount in (_machine(), *map(_container, _CGROUPS)) if amount is not None]
    return f"{max(int(min(left) * SHARE), _LEAST) // 1024**2}MiB" if left else None


def _machine() -> int | None:
    """Bytes available on Linux; the whole memory elsewhere on POSIX."""
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _container(files: tuple[str, str]) -> int | None:
    limit, used = (_text(file).strip() for file in files)
    return int(limit) - int(used) if limit.isdigit() and used.isdigit() else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
