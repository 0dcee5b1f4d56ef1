"""yaml-language-server, which VS Code's YAML extension is made of: installed once into the cache, spoken to over pipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from odibi_magics.caches import cache_folder
from odibi_magics.sandbox.azurite import node

PARTS = Path(__file__).parent / "node"
TEXT_SIZE = "Content-Length: "


def install(cache: Path) -> Path:
    """The server's own script, as package-lock.json pins it."""
    folder = cache / "yaml-language-server"
    main = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    wanted = (PARTS / "package-lock.json").read_bytes()
    there = folder / "package-lock.json"
    if not main.exists() or there.read_bytes() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PARTS / name, folder)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(cache / "npm")],
            cwd=folder, check=True, env=_with_node(),
        )  # fmt: skip
    return main


def _with_node() -> dict[str, str]:
    """The Node that the practice cloud's blob server runs on."""
    return {**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"}


class Server:
    """A running server whose workspace is one folder."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, settings: dict[str, Any]) -> None:
        self._process, self._folder, self._settings = process, folder, settings
        self._asked = self._opened = 0
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.ask("initialize", {
            "processId": os.getpid(), "rootUri": folder.as_uri(),
            "workspaceFolders": [{"uri": folder.as_uri(), "name": "workspace"}],
            "capabilities": {"workspace": {"configuration": True}, "textDocument": {"completion": {
                "completionItem": {"snippetSupport": False}}}},
        })  # fmt: skip
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": {}})  # it asks for them

    def ask(self, method: str, params: Any) -> Any:
        self._asked += 1
        asked = self._asked
        self._send({"id": asked, "method": method, "params": params})
        while (heard := self._hear()).get("id") != asked or "method" in heard:
            pass
        assert "error" not in heard, heard
        return heard["result"]

    def open(self, name: str, text: str) -> str:
        """A new file that need not be there, as an editor has it. Returns its address."""
        self._opened += 1
        uri = (self._folder / f"{self._opened}-{name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def problems(self, name: str, text: str) -> list[tuple[int, str]]:
        """What it says of a text: lines from 1, with the words."""
        uri = self.open(name, text)
        while uri not in self._diagnostics:
            self._hear()
        return [(one["range"]["start"]["line"] + 1, one["message"]) for one in self._diagnostics.pop(uri)]

    def at(self, method: str, name: str, text: str) -> Any:
        """What it answers at the mark `¦` of a text."""
        before, _, after = text.partition("¦")
        uri = self.open(name, before + after)
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position})

    def completions(self, name: str, text: str) -> dict[str, str]:
        """What may come at the mark, with what is said of it."""
        return {
            item["label"]: str(item.get("documentation", ""))
            for item in self.at("completion", name, text)["items"]
        }

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{TEXT_SIZE}{len(body)}\r\n\r\n".encode() + body)
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        """The next message; what the server asks for itself is answered."""
        assert self._process.stdout is not None
        size = 0
        while (line := self._process.stdout.readline()) != b"\r\n":
            assert line, "the server ended"
            if line.decode().startswith(TEXT_SIZE):
                size = int(line.decode()[len(TEXT_SIZE) :])
        heard: dict[str, Any] = json.loads(self._process.stdout.read(size))
        if heard.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[heard["params"]["uri"]] = heard["params"]["diagnostics"]
        elif "method" in heard and "id" in heard:
            self._send({"id": heard["id"], "result": self._answer(heard)})
        return heard

    def _answer(self, asked: dict[str, Any]) -> Any:
        if asked["method"] != "workspace/configuration":
            return None
        return [self._settings.get(item.get("section"), {}) for item in asked["params"]["items"]]


@contextmanager
def serve(cache: Path, folder: Path, settings: dict[str, Any]) -> Iterator[Server]:
    """settings: by section, as `yaml`."""
    main = install(cache)
    process = subprocess.Popen(
        ["node", str(main), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_with_node()
    )
    try:
        yield Server(process, folder, settings)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    install(cache_folder())
