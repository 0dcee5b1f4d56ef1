"""A blob that is opened for its beginning, and perhaps for all of it."""

from __future__ import annotations

from typing import Any

from odibi_magics.engines.pandas.blobs import BlobReader

# A header's line, nearly always: of a hundred files that is all that is looked at.
START_BYTES = 64 << 10


class StartReader(BlobReader):
    """The first request asks for little, those behind it for as much as they are asked for."""

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        return super().readinto(view if self.tell() else view[:START_BYTES])
