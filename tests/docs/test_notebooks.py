"""The example notebooks as people read them: how they begin, where their links lead, and the commands they show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.books import BOOKS

ALL = sorted(BOOKS.glob("*.ipynb"))

# A command that notes how it was called, and answers with something that stands for an id, a key or an address.
COMMAND = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    print(json.dumps(sys.argv), file=log)
print("answer")
"""


def markdown(book: Path) -> list[str]:
    read: dict[str, Any] = json.loads(book.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in read["cells"] if cell["cell_type"] == "markdown"]


@pytest.mark.parametrize("book", ALL, ids=lambda book: book.stem)
def test_it_begins_with_what_one_will_have_and_its_links_lead_somewhere(book: Path) -> None:
    title, _, opening = markdown(book)[0].partition("\n\n")
    assert title.startswith("# ") and opening.startswith("At the end of this notebook you will have")
    for link in re.findall(r"\]\(([^)#]+)", "\n".join(markdown(book))):
        assert (BOOKS / link).exists(), link


@pytest.mark.parametrize("book", ALL, ids=lambda book: book.stem)
def test_its_outputs_are_saved_without_a_widget_s_state(book: Path) -> None:
    read = json.loads(book.read_text(encoding="utf-8"))
    assert "widgets" not in read["metadata"]
    assert all(cell["execution_count"] for cell in read["cells"] if cell["cell_type"] == "code")


def test_the_commands_that_set_databricks_up_are_shell_and_their_json_is_json(tmp_path: Path) -> None:
    """They reach no Azure here: `az` and `databricks` are stand-ins."""
    log = tmp_path / "calls"
    for name in ("az", "databricks"):
        (tmp_path / name).write_text(COMMAND.format(python=sys.executable, log=str(log)))
        (tmp_path / name).chmod(0o755)
    text = "\n".join(markdown(BOOKS / "databricks_setup.ipynb"))
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
    )
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    given = [json.loads(call[call.index("--json") + 1]) for call in calls if "--json" in call]
    assert given == [
        {"name": "lake", "azure_managed_identity": {"access_connector_id": "answer"}},
        {
            "scope": "company-kv",
            "scope_backend_type": "AZURE_KEYVAULT",
            "backend_azure_keyvault": {
                "dns_name": "https://company-kv.vault.azure.net/", "resource_id": "answer",
            },
        },
    ]  # fmt: skip
    roles = [call[call.index("--role") + 1] for call in calls if "--role" in call]
    assert roles == ["Storage Blob Data Contributor", "Key Vault Secrets User"]
    assert (tmp_path / "sales.csv").read_text().count("\n") == 3
