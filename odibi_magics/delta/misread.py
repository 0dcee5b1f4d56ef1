"""Paths of Delta tables that not every library reads alike."""

from __future__ import annotations

import re

# delta-rs decodes its paths once too often, takes a backslash for a slash, and knows no control characters.
MISREAD = re.compile(r"[\x00-\x1f\x7f\\]|%[0-9A-Fa-f]{2}")
