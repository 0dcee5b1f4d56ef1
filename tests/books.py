"""The example notebooks, run cell by cell in a kernel that a test has started in its own way."""

from __future__ import annotations

import json
import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

ROOT = Path(__file__).parents[1]
BOOKS = ROOT / "notebooks"


def cells(book: Path) -> list[dict[str, Any]]:
    """The cells with code, as they are saved."""
    read: dict[str, Any] = json.loads(book.read_text(encoding="utf-8"))
    return [cell for cell in read["cells"] if cell["cell_type"] == "code"]


def run(client: BlockingKernelClient, book: Path) -> list[list[dict[str, Any]]]:
    """Runs each cell, and those that are to fail do; the caller stops the channels. Returns what each one put out, by type and content of message."""
    client.start_channels(hb=False)  # on a busy machine a heart misses beats
    client.wait_for_ready()
    return [_ran(client, cell) for cell in cells(book)]


def _ran(client: BlockingKernelClient, cell: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    reply = client.execute_interactive("".join(cell["source"]), output_hook=said.append)["content"]
    wanted = "error" if "raises-exception" in cell["metadata"].get("tags", []) else "ok"
    assert reply["status"] == wanted, said
    return [{"output_type": one["msg_type"], **one["content"]} for one in said]


def text(outputs: list[dict[str, Any]]) -> str:
    """What a reader of a cell is shown, live or as saved, as nbval compares it: without what differs from run to run."""
    return _sanitized("".join(_text(one) for one in outputs if one.get("name") != "stderr"))


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        return str(output["evalue"])
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)


def _sanitized(text: str) -> str:
    rules = ConfigParser(interpolation=None)
    rules.read(BOOKS / "sanitize.cfg")
    for name in rules.sections():
        text = re.sub(rules[name]["regex"], rules[name]["replace"], text)
    return text
