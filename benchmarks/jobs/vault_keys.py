"""Seconds that `prepare` takes for 1, 5 and 50 connections of one vault in each round, as JSON by number and by state.

Runs in a practice cloud. cold: with no token and no open connection; warm: with both, the secrets to be fetched;
one_by_one: as warm, but each connection after the one before; cold_by_hand, warm_by_hand: the vault's library and
threads alone. first: of one number, in a process that has imported none of Azure's libraries yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

from odibi_magics.config.models import AdlsConnection as AdlsConfig
from odibi_magics.connections import keyvault
from odibi_magics.connections.prepare import forget, prepare
from odibi_magics.connections.registry import connect
from odibi_magics.sandbox import Cloud

NUMBERS = (1, 5, 50)
STATES = ("cold", "warm", "one_by_one", "cold_by_hand", "warm_by_hand")


def connections(count: int) -> list[Any]:
    keys = {"type": "azure_adls", "account": "account1", "key_vault_name": "company-kv"}
    models = [AdlsConfig.model_validate({**keys, "secret_name": f"key-{i}"}) for i in range(count)]
    return [connect(f"c{i}", model, Path()) for i, model in enumerate(models)]


def timed(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def one_by_one(made: list[Any]) -> None:
    for connection in made:
        prepare([connection])


def by_hand(client: Any, count: int) -> set[str]:
    """The secrets, as many at once as there are."""
    with ThreadPoolExecutor(count) as pool:
        return set(pool.map(lambda i: client.get_secret(f"key-{i}").value, range(count)))


def by_hand_timed(count: int) -> tuple[float, float]:
    """Cold, and warm with the client and credential of it."""
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    with SecretClient("https://company-kv.vault.azure.net", DefaultAzureCredential()) as client:
        took = [timed(lambda: by_hand(client, count)) for _ in range(2)]
    return took[0], took[1]


def round_of(made: list[Any], cloud: Cloud) -> tuple[float, ...]:
    """By state. Raises RuntimeError where the token endpoint was asked more than once by ours."""
    forget()
    asked = len(cloud.requests("identity"))
    cold = timed(lambda: prepare(made))
    if len(cloud.requests("identity")) != asked + 1:
        raise RuntimeError("the token endpoint was asked more than once")
    keyvault.forget()
    warm = timed(lambda: prepare(made))
    keyvault.forget()
    return cold, warm, timed(lambda: one_by_one(made)), *by_hand_timed(len(made))


def main(rounds: int) -> None:
    cloud, found = Cloud.attach(), {}
    for count in NUMBERS:
        made = connections(count)
        times = [round_of(made, cloud) for _ in range(rounds + 1)][1:]
        found[count] = dict(zip(STATES, zip(*times, strict=True), strict=True))
    print(json.dumps(found))


def first(count: int) -> None:
    print(timed(lambda: prepare(connections(count))))


if __name__ == "__main__":
    {"rounds": main, "first": first}[sys.argv[1]](int(sys.argv[2]))
