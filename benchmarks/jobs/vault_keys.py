"""Seconds that `prepare` takes for 1, 5 and 50 connections of one vault, as JSON by number and by state.

Runs in a practice cloud. cold: with no token and no open connection; warm: with both, the secrets to be fetched;
one_by_one: as warm, but each connection after the one before. first: of one number, in a process that
has imported none of Azure's libraries yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from odibi_magics.config.models import AdlsConnection as AdlsConfig
from odibi_magics.connections import keyvault
from odibi_magics.connections.prepare import forget, prepare
from odibi_magics.connections.registry import connect
from odibi_magics.sandbox import Cloud

NUMBERS = (1, 5, 50)


def connections(count: int) -> list[Any]:
    keys = {"type": "azure_adls", "account": "account1", "key_vault_name": "company-kv"}
    models = [AdlsConfig.model_validate({**keys, "secret_name": f"key-{i}"}) for i in range(count)]
    return [connect(f"c{i}", model, Path()) for i, model in enumerate(models)]


def timed(call: Callable[[], None]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def one_by_one(made: list[Any]) -> None:
    for connection in made:
        prepare([connection])


def round_of(made: list[Any], cloud: Cloud) -> tuple[float, float, float]:
    """Cold, warm, one by one. Raises RuntimeError where the token endpoint was asked more than once."""
    forget()
    asked = len(cloud.requests("identity"))
    cold = timed(lambda: prepare(made))
    if len(cloud.requests("identity")) != asked + 1:
        raise RuntimeError("the token endpoint was asked more than once")
    keyvault.forget()
    warm = timed(lambda: prepare(made))
    keyvault.forget()
    return cold, warm, timed(lambda: one_by_one(made))


def main(rounds: int) -> None:
    cloud, found = Cloud.attach(), {}
    for count in NUMBERS:
        made = connections(count)
        times = [round_of(made, cloud) for _ in range(rounds + 1)][1:]
        cold, warm, slow = map(median, zip(*times, strict=True))
        found[count] = {"cold": cold, "warm": warm, "one_by_one": slow}
    print(json.dumps(found))


def first(count: int) -> None:
    print(timed(lambda: prepare(connections(count))))


if __name__ == "__main__":
    {"rounds": main, "first": first}[sys.argv[1]](int(sys.argv[2]))
