"""Stories: each run's report kept at a place, as a page for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from odibi_magics.config.models import Story
from odibi_magics.connections.base import Connection
from odibi_magics.engines.base import Warned
from odibi_magics.errors import ConnectionFailed
from odibi_magics.pipeline.result import RunResult


def with_story(result: RunResult, connect: Callable[[str], Connection], story: Story) -> RunResult:
    """The result, its report kept; that it cannot be is a warning, for the run is over."""
    try:
        keep_story(result, connect(story.connection), story.path)
    except ConnectionFailed as error:
        said = f"the run's report was not kept: {error}"
        warned = Warned(said, "mend story: its connection or its path", "story-not-kept")
        return replace(result, warnings=(*result.warnings, warned))
    return result


def keep_story(result: RunResult, connection: Connection, folder: str) -> str:
    """Writes `<folder>/<run id>.html` and `.json`; returns the page's URL. Raises ConnectionFailed."""
    path = f"{folder.rstrip('/')}/{result.run_id}"
    assert result.render is not None
    connection.put(f"{path}.json", result.to_json().encode())
    connection.put(f"{path}.html", result.render.report_page(result).encode())
    return connection.url(f"{path}.html")
