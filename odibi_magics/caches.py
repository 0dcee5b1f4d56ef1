"""Where downloads are kept that are made once."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """ODIBI_CACHE, else where this system keeps a user's caches."""
    if given := os.environ.get("ODIBI_CACHE"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_cache_dir("odibi_magics"))
