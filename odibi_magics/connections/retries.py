"""Retries of azure-core that keep to a deadline."""

from __future__ import annotations

from time import monotonic
from typing import Any

from azure.core.pipeline.policies import RetryPolicy


class WithinDeadline(RetryPolicy[Any, Any]):
    """Retries what may pass, unless the wait that the service asks for ends after the request's `timeout`.

    The SDK's own policy sleeps for as long as Retry-After says, and only then looks at the time.
    """

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        settings = super().configure_retries(options)
        return {**settings, "until": monotonic() + settings["timeout"]}

    def increment(self, settings: dict[str, Any], response: Any = None, error: Any = None) -> bool:
        wait = (self.get_retry_after(response) if error is None else None) or 0
        again: bool = super().increment(settings, response, error)
        return again and monotonic() + wait < settings["until"]


def within_deadline() -> WithinDeadline:
    """Two retries at once and shortly after; one of a host that cannot be reached."""
    return WithinDeadline(retry_total=3, retry_connect=1, retry_backoff_factor=0.2)
