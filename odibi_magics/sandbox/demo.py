"""What lies in the practice cloud at its start: what the roadmap's YAML names."""

from __future__ import annotations

import io
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from odibi_magics.sandbox.world import World

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

SEED, ROWS = 20261101, 5000
FIRST_DAY, DAYS = date(2025, 1, 1), 650
REGIONS, PRODUCTS = ("EU", "US", "APAC"), ("anvil", "rope", "rocket", "magnet")
ACCOUNTS, VAULT = ("account1", "account2"), "company-kv"


def furnish(world: World) -> None:
    """Two accounts, and a vault with the keys of both."""
    for name in ACCOUNTS:
        world.add_account(name)
    world.add_vault(VAULT)
    for secret, account in (("bronze-key", "account1"), ("silver-key", "account2")):
        world.set_secret(VAULT, secret, world.keys[account])
    world.settle()


def fill(source: BlobServiceClient, target: BlobServiceClient) -> None:
    """`raw/sales.csv` in the first account, an empty `clean` in the second."""
    raw = source.create_container("raw")
    raw.upload_blob("sales.csv", sales())
    target.create_container("clean")


def sales() -> bytes:
    """The same rows at each start."""
    random, out = Random(SEED), io.StringIO()
    out.write("id,date,region,product,quantity,amount,year,month\n")
    for number in range(1, ROWS + 1):
        day = FIRST_DAY + timedelta(days=random.randrange(DAYS))
        quantity = random.randint(1, 20)
        amount = quantity * random.randint(99, 9999) / 100
        row = (
            number,
            day,
            random.choice(REGIONS),
            random.choice(PRODUCTS),
            quantity,
            f"{amount:.2f}",
            day.year,
            day.month,
        )
        out.write(",".join(map(str, row)) + "\n")
    return out.getvalue().encode()
