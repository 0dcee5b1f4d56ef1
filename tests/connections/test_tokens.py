"""One token for many threads."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo

from odibi_magics.connections.once import once
from odibi_magics.connections.parallel import at_once
from odibi_magics.connections.tokens import SharedTokens


class Counting:
    """A credential that takes its time, and counts."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.asked: list[Any] = []
        self.lifetime = lifetime
        self.failing: Exception | None = None

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        self.asked.append((scopes, dict(options or {})))
        time.sleep(0.05)
        if self.failing:
            raise self.failing
        return AccessTokenInfo(f"token-{len(self.asked)}", int(time.time()) + self.lifetime)


def shared(credential: Counting) -> SharedTokens:
    made: Any = credential
    return SharedTokens(lambda: made)


def at_same_time(tokens: SharedTokens, count: int = 20) -> list[Any]:
    barrier = threading.Barrier(count)

    def ask() -> str:
        barrier.wait()
        return tokens.get_token_info("scope").token

    return list(at_once(dict.fromkeys(range(count), ask), time.monotonic() + 30).values())


def test_threads_that_ask_at_once_share_one_request() -> None:
    credential = Counting()
    tokens = shared(credential)
    assert at_same_time(tokens) == ["token-1"] * 20
    assert tokens.get_token("scope").token == "token-1" and len(credential.asked) == 1


def test_each_scope_and_tenant_has_its_own_token() -> None:
    credential = Counting()
    tokens = shared(credential)
    tokens.get_token_info("a")
    tokens.get_token_info("b")
    tokens.get_token_info("a", options={"tenant_id": "other"})
    tokens.get_token("a", tenant_id="other", claims=None)
    assert len(credential.asked) == 3


def test_a_token_near_its_end_is_asked_for_anew() -> None:
    credential = Counting(lifetime=200)
    tokens = shared(credential)
    assert [tokens.get_token_info("scope").token for _ in range(2)] == ["token-1", "token-2"]


def test_a_failure_is_for_those_who_wait_and_not_kept() -> None:
    credential = Counting()
    credential.failing = ValueError("refused")
    tokens = shared(credential)
    outcomes = at_same_time(tokens)
    assert all(isinstance(outcome, ValueError) for outcome in outcomes) and len(credential.asked) < 20
    credential.failing = None
    assert tokens.get_token_info("scope").token == f"token-{len(credential.asked)}"


def test_a_token_is_known_to_the_redactor() -> None:
    from odibi_magics.secret import redact

    credential = Counting()
    token = shared(credential).get_token_info("scope").token
    assert token not in redact(f"asked with {token}")


def test_threads_that_make_one_thing_at_once_get_the_same() -> None:
    made: list[str] = []

    def make(name: str) -> object:
        made.append(name)
        time.sleep(0.05)
        return object()

    thing = once(make)
    found = at_once({i: lambda: thing("a") for i in range(10)}, time.monotonic() + 30)
    assert len(set(map(id, found.values()))) == 1 and made == ["a"]
    thing.forget()
    assert thing("a") is not found[0] and thing("b") is not thing("a") and made == ["a", "a", "b"]


def test_a_credential_that_cannot_be_made_is_tried_again() -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        if len(made) == 1:
            raise ImportError("no azure.identity")
        return Counting()

    tokens = SharedTokens(make)
    with pytest.raises(ImportError):
        tokens.get_token_info("scope")
    assert tokens.get_token_info("scope").token == "token-1"
