"""Stories: each run's report kept at a place, as a page for people and as JSON for machines."""

from __future__ import annotations

from odibi_magics.connections.base import Connection
from odibi_magics.pipeline.result import RunResult


def keep_story(result: RunResult, connection: Connection, folder: str) -> str:
    """Writes `<folder>/<run id>.html` and `.json`; returns the page's URL. Raises ConnectionFailed."""
    path = f"{folder.rstrip('/')}/{result.run_id}"
    assert result.render is not None
    connection.put(f"{path}.json", result.to_json().encode())
    connection.put(f"{path}.html", result.render.report_page(result).encode())
    return connection.url(f"{path}.html")
