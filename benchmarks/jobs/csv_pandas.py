"""The same by hand in pandas with the Arrow reader."""

import sys

import pandas as pd
from deltalake import write_deltalake

CSV, TARGET = sys.argv[1:3]

frame = pd.read_csv(CSV, engine="pyarrow", dtype_backend="pyarrow")
frame = frame[frame["qty"] > 0].reset_index(drop=True)
frame["ts"] = frame["ts"].astype("datetime64[us]").dt.tz_localize("UTC")
frame["city"] = frame["city"].str.upper()
frame["amount"] = frame["qty"] * frame["price"]
frame["year"] = frame["ts"].dt.year.astype("int32")
frame["month"] = frame["ts"].dt.month.astype("int32")
write_deltalake(f"{TARGET}/clean", frame, mode="overwrite", partition_by=["year", "month"])
monthly = frame.groupby(["year", "month"], as_index=False).agg(
    sales=("id", "count"), amount=("amount", "sum"), dearest=("price", "max")
)
write_deltalake(f"{TARGET}/monthly", monthly, mode="overwrite")
