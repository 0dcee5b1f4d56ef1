"""A reader who does what a page says: cells in a shell, commands, files that it shows, in a folder of their own."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from odibi_magics import Project
from odibi_magics.cli import main
from odibi_magics.config.models import Node
from tests.docs.blocks import Block, Ids, differs

SAMPLE_FOLDER = "/home/you/etl"

# What is neither ours nor fast: it installs, starts servers, or is about a cloud. Nothing of it is run.
_OTHERS = ("az", "databricks", "jupyter", "make", "nbstripout", "pip")
_SMALL = ("cat", "cp", "echo", "ls", "mkdir", "mv", "printf", "rm")

_STRING = "AccountName=account1;AccountKey=a2V5a2V5;EndpointSuffix=core.windows.net"


@dataclass
class Reader:
    """One page's reader. failed: the block whose error has not been shown yet. told: what the last block said."""

    shell: InteractiveShell
    folder: Path
    compares: bool
    ids: Ids = field(default_factory=Ids)
    failed: str = ""
    said: str = ""

    def does(self, block: Block) -> None:
        """What the page wants with the block. An AssertionError names it."""
        if block.is_output:
            self._compare(block)
            return
        assert not self.failed, self.failed
        self.said = ""
        if block.reason:
            parses(block)
        elif block.file:
            self._write(block)
        elif block.language == "sh":
            for line in commands(block):
                self._command(line, block)
        elif block.language == "bash":
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
        elif block.language == "python" or block.text.startswith("%%"):
            self._fails_unless_shown(block)
        elif block.language == "yaml":
            checked(block)

    def _compare(self, block: Block) -> None:
        failed, self.failed = self.failed, ""
        if self.compares or failed:
            wrong = differs(block.text, self.said.replace(str(self.folder), SAMPLE_FOLDER), self.ids)
            assert not wrong, f"{block}: this line does not come: {wrong}\n\n{self.said}"

    def _write(self, block: Block) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.ids.fill(block.text))
        if block.file.endswith(".odibi.yaml"):
            self._command(f"odibi-magics validate {block.file}", block)
            self.said = ""

    def _fails_unless_shown(self, block: Block) -> None:
        if not self.cell(self.ids.fill(block.text)):
            self.failed = f"{block} failed, and the page does not show it: {self.said}"

    def cell(self, text: str) -> bool:
        """Whether it went well; what it shows is in `said`."""
        with capture_output() as captured:
            outcome = self.shell.run_cell(text, store_history=True)
        shown = "\n".join(saved(captured.outputs))
        error = outcome.error_before_exec or outcome.error_in_exec
        printed = re.sub(r"^Out\[\d+\]: ", "", captured.stdout + captured.stderr, flags=re.MULTILINE)
        self.said = f"{printed}\n{shown}"
        return error is None

    def _command(self, line: str, block: Block) -> None:
        first, *words = shlex.split(self.ids.fill(line), comments=True)
        if first in _SMALL:
            done = subprocess.run(
                self.ids.fill(line), shell=True, capture_output=True, text=True, cwd=self.folder
            )
            assert done.returncode == 0, f"{block}: {line}: {done.stderr}"
            self.said += done.stdout
        elif first == "pytest":
            alone = ["-p", "no:cacheprovider", f"--rootdir={self.folder}", "-c", os.devnull]
            assert pytest.main([*alone, *words]) == 0, f"{block}: {line}"
        elif first == "odibi-magics" and words[0] != "sandbox":
            self._ours(words, line, block)
        else:
            assert first in (*_OTHERS, "odibi-magics"), f"{block}: what is {first}?"

    def _ours(self, words: list[str], line: str, block: Block) -> None:
        out = io.StringIO()
        at = words.index(">") if ">" in words else len(words)
        try:
            with redirect_stdout(out), redirect_stderr(out):
                main(words[:at])
        except SystemExit as end:
            self.failed = f"{block}: {line}: exit code {end.code}: {out.getvalue()}"
        if words[at:]:
            (self.folder / words[at + 1]).write_text(out.getvalue())
        else:
            self.said += out.getvalue()


def saved(outputs: list[Any]) -> Iterator[str]:
    """Each display's text as it is when the cell is done."""
    places = {(one.transient or {}).get("display_id", number): one.data for number, one in enumerate(outputs)}
    return (data.get("text/plain", "") for data in places.values())


def commands(block: Block) -> Iterator[str]:
    """Its command lines, those that end with a backslash as one."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def parses(block: Block) -> None:
    """At least that, of what is not run."""
    if block.language == "yaml":
        list(yaml.safe_load_all(block.text))
    elif block.language == "python":
        compile(re.sub(r"^(\s*)[%!].*", r"\1pass", block.text, flags=re.MULTILINE), str(block), "exec")
    for line in block.text.splitlines():
        if found := re.search(r"(?<!/)odibi-magics (?!sandbox)([a-z]+(?: [\w.@/:={}$-]+)+)", line):
            understood(found[1], block)


def understood(line: str, block: Block) -> None:
    """That the words are a call of ours, whatever its values are."""
    from odibi_magics.cli.verbs import VERBS

    verb, *words = re.sub(r"\{\{ ?(\w+) ?\}\}", r"\1", line).split()
    assert verb in VERBS, f"{block}: there is no command {verb}"
    VERBS[verb].parser().parse_args(words)


def checked(block: Block) -> Project:
    """The project that a text of the language is or is a part of; what it takes from the environment is made up."""
    names = re.findall(r"\$\{(\w+)\}", block.text)
    made_up = {name: _STRING if "STRING" in name else "a2V5a2V5" for name in names}
    with patch.dict(os.environ, made_up):
        return Project.from_yaml(whole(block.text))


def whole(text: str) -> str:
    """A text of the language with what it takes to stand alone: parts of a node become one."""
    value = yaml.safe_load(re.sub(r"\{\{ (\w+) \}\}", r"\1", text))
    if isinstance(value, dict) and set(value) <= set(Node.model_fields) | {"schema"}:
        indented = "".join(f"  {line}" for line in text.splitlines(keepends=True))
        source = "" if "read" in value else "  read: {connection: lake, path: raw/orders.csv}\n"
        text = f"- name: node_of_the_page\n{source}{indented}"
        value = [value]
    known = isinstance(value, dict) and "connections" in value
    if known or "connection:" not in text:
        return text
    nodes = text if isinstance(value, list) else "".join(text.partition("nodes:")[2])
    head = "connections: {lake: {type: local, base_path: data}}\npipelines:\n  - pipeline: page\n    nodes:\n"
    if isinstance(value, list):
        return head + "".join(f"      {line}" for line in nodes.splitlines(keepends=True))
    return f"connections: {{lake: {{type: local, base_path: data}}}}\n{text}"
