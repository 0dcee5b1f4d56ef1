"""In a real Jupyter kernel: what front ends get, and Stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.magics.conftest import ORDERS, ORDERS_SQL, orders_cell

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Kernel:
    manager: KernelManager
    client: BlockingKernelClient

    def run(self, code: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The reply, and the messages of the cell in their order."""
        seen: list[dict[str, Any]] = []
        reply = self.client.execute_interactive(code, output_hook=seen.append)
        return reply["content"], seen

    def value(self, expression: str) -> str:
        reply = self.client.execute_interactive(
            "", user_expressions={"x": expression}, output_hook=lambda _: None
        )
        return str(reply["content"]["user_expressions"]["x"]["data"]["text/plain"])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "orders.csv").write_text(ORDERS)
    manager = KernelManager(kernel_name="python3")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython")}
    manager.start_kernel(cwd=str(folder), env=environment)
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready()
    kernel = Kernel(manager, client)
    assert kernel.run("%load_ext odibi_magics")[0]["status"] == "ok"
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def displays(messages: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What each display showed, one after the other, by its id."""
    shown: dict[str, list[dict[str, Any]]] = {}
    for message in messages:
        if message["msg_type"] in ("display_data", "update_display_data"):
            content = message["content"]
            shown.setdefault(content["transient"].get("display_id", ""), []).append(content["data"])
    return shown


def test_one_display_is_live_and_ends_as_the_report(kernel: Kernel) -> None:
    reply, messages = kernel.run(orders_cell("--run-id live"))

    assert reply["status"] == "ok"
    [shown] = displays(messages).values()
    assert len(shown) > 1, "it was live"
    assert all({"text/html", "text/plain"} <= data.keys() for data in shown)
    assert kernel.value("odibi_result.run_id") == "'live'"
    assert shown[-1]["text/plain"] == eval(kernel.value("str(odibi_result)"))
    assert not [message for message in messages if message["msg_type"] == "stream"]


def test_a_failed_cell_stops_run_all(kernel: Kernel) -> None:
    cell = orders_cell().replace("write:", "validation: {row_count: {min: 9}}\n        write:")
    reply, messages = kernel.run(cell)

    assert (reply["status"], reply["ename"]) == ("error", "NodeFailed")
    [error] = [message["content"] for message in messages if message["msg_type"] == "error"]
    assert error["traceback"] == [error["evalue"]]
    assert "Traceback" not in error["evalue"]


def test_stop(kernel: Kernel) -> None:
    kernel.run(
        "import time\n"
        "from pathlib import Path\n"
        "from odibi_magics import transform\n"
        "@transform\n"
        "def slow(df):\n"
        "    Path('started').touch()\n"
        "    while not Path('release').exists():\n"
        "        time.sleep(0.01)\n"
        "    return df\n"
    )
    folder = Path(kernel.value("str(Path.cwd())").strip("'"))
    seen: list[dict[str, Any]] = []
    stopped: list[bool] = []

    def watch(message: dict[str, Any]) -> None:
        seen.append(message)
        if (folder / "started").exists() and not stopped:
            stopped.append(True)
            kernel.manager.interrupt_kernel()
        elif stopped and "stop" in str(message["content"]).lower():
            (folder / "release").touch()

    cell = orders_cell().replace(f'{{sql: "{ORDERS_SQL}"}}', "{function: slow}")
    cell = cell.replace("clean/orders", "slow/orders")
    reply = kernel.client.execute_interactive(cell, output_hook=watch)["content"]

    assert (reply["status"], reply["ename"]) == ("error", "Cancelled")
    assert kernel.value("odibi_result.state") == "'stopped'"
    assert not (folder / "slow").exists()
    [shown] = displays(seen).values()
    assert "stopped" in shown[-1]["text/plain"]


def test_completion_and_help(kernel: Kernel) -> None:
    cell = "%%odibi_pipeline\nnodes:\n  - name: orders\n    read: {conn"
    message = kernel.client.complete(cell, len(cell), reply=True, timeout=60)["content"]
    assert message["matches"] == ["connection: "]
    assert cell[message["cursor_start"] : message["cursor_end"]] == "conn"
    [offered] = message["metadata"]["_jupyter_types_experimental"]
    assert offered["type"] == "The connection's name"

    told = kernel.client.inspect(cell, cell.index("read") + 1, reply=True, timeout=60)["content"]
    assert told["found"] and told["data"]["text/plain"].startswith("read: mapping\n\nWhat it reads.")
    python = kernel.client.inspect("print", 3, reply=True, timeout=60)["content"]
    assert "Prints the values" in python["data"]["text/plain"]
