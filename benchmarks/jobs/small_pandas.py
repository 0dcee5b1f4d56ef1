"""The same job by hand in pandas. Arguments: csv, target folder."""

import sys

import pandas as pd
from deltalake import write_deltalake

CSV, TARGET = sys.argv[1:3]

frame = pd.read_csv(CSV, parse_dates=["ts"])
clean = frame[frame["qty"] > 0].reset_index(drop=True)
clean["ts"] = clean["ts"].dt.tz_localize("UTC")
clean["amount"] = clean["qty"] * clean["price"]
clean["year"] = clean["ts"].dt.year.astype("int32")
write_deltalake(f"{TARGET}/clean", clean, mode="overwrite")
yearly = clean.groupby("year", as_index=False).agg(amount=("amount", "sum"))
write_deltalake(f"{TARGET}/yearly", yearly, mode="overwrite")
