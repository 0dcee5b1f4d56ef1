"""`%odibi_setup` in a kernel: until the page has all that it shows. Arguments: rounds.

Prints milliseconds as JSON, of the first wizard of a kernel and of later ones: from the request to run the cell until
the display is there, and until the widget has answered the page's first question. The browser's own work is not in it.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from jupyter_client.manager import start_new_kernel

PATIENCE = 60


def main(rounds: int) -> list[tuple[float, float]]:
    manager, client = start_new_kernel()
    try:
        client.execute_interactive("%load_ext odibi_magics", store_history=False, timeout=PATIENCE)
        return [_shown(client) for _ in range(rounds + 1)]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _shown(client: Any) -> tuple[float, float]:
    begun = time.perf_counter()
    client.execute("%odibi_setup")
    opened = _message(
        client, "comm_open", lambda content: "wizard" in str(content["data"]["state"].get("_esm"))
    )
    _message(client, "display_data", lambda content: "odibi-setup" in content["data"]["text/html"])
    displayed = time.perf_counter() - begun
    question = {"method": "custom", "content": {"id": 1, "ask": "view"}}
    message = client.session.msg("comm_msg", {"comm_id": opened["comm_id"], "data": question})
    client.shell_channel.send(message)
    _message(client, "comm_msg", lambda content: content["data"].get("content", {}).get("id") == 1)
    return displayed * 1000, (time.perf_counter() - begun) * 1000


def _message(client: Any, kind: str, is_it: Any) -> Any:
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == kind and is_it(message["content"]):
            return message["content"]


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
