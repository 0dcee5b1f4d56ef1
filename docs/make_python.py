"""Makes docs/reference/python.md from the docstrings of what Python code may use.

Run `python docs/make_python.py`; a test fails where the file differs from what this makes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from odibi_magics import errors
from odibi_magics.connections.info import ConnectionInfo
from odibi_magics.connections.status import ConnectionStatus
from odibi_magics.delta.detail import Detail
from odibi_magics.delta.diff import Diff, DiffColumn, DiffSide, RowDiff
from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.delta.optimize import Joined, Optimized
from odibi_magics.delta.restore import Files, Restored, TableChange
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.delta.undo import Later, Undone, UndoneTable
from odibi_magics.delta.vacuum import Vacuumed
from odibi_magics.doctor.diagnosis import Diagnosis, Layer
from odibi_magics.engines.base import Preview
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.result import NodeData, NodeResult, RunResult
from odibi_magics.project import Project
from odibi_magics.sql.functions import transform
from odibi_magics.tables import Tables

TARGET = Path(__file__).parent / "reference" / "python.md"

HEAD = """# Python

The same verbs as the magics, for scripts and tests. `from odibi_magics import Project, transform` is all the import
there is; everything else comes out of these two. What can be raised stands in [errors](errors.md).

```python
from odibi_magics import NodeFailed, Project

project = Project.from_file("etl.odibi.yaml", variables={"region": "US"})
print(project.plan())
try:
    result = project.run()
except NodeFailed as failed:
    result = failed.result  # the same object; nodes that ran have their data
result["clean"].to_pandas()
result.save("report.html")
project.engine.read_delta(connection="lake", path="clean/orders", version=5).to_arrow()
project.engine.diff_delta(connection="lake", path="clean/orders", version=5, keys=["id"]).changed
```
"""

CLASSES: tuple[type, ...] = (
    Project, Tables, Plan, PlannedNode, RunResult, NodeResult, NodeData, Preview, ConnectionInfo,
    ConnectionStatus, Diagnosis, Layer, History, HistoryEntry, Detail, Restored, Files, TableChange,
    Vacuumed, Optimized, Joined, Diff, DiffSide, DiffColumn, RowDiff,
    SchemaChange, Undone, UndoneTable, Later,
)  # fmt: skip


def page() -> str:
    """The page's text."""
    parts = [HEAD, *_function(transform), *(line for found in CLASSES for line in _class(found)), *_errors()]
    return "\n".join(parts) + "\n"


def _function(function: Callable[..., object]) -> Iterator[str]:
    yield f"## `@{function.__name__}`\n"
    yield _described(function) + "\n"


def _class(found: type) -> Iterator[str]:
    yield f"## `{found.__name__}`\n"
    yield _described(found) + "\n"
    for name in members(found):
        yield f"### `{found.__name__}.{name}{_signature(found, name)}`\n"
        if said := _described(inspect.getattr_static(found, name)):
            yield said + "\n"


def error_types() -> list[type]:
    """Every error that is raised here, as they stand in their module."""
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type)
        and issubclass(value, BaseException)
        and value.__module__ == errors.__name__
    ]


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "What each holds; when it comes and what is written then stands in [errors and warnings](errors.md).\n"
    for found in error_types():
        base = next(one for one in found.__bases__ if issubclass(one, BaseException))
        yield f"### `{found.__name__}({base.__name__})`\n"
        yield _described(found) + "\n"
    yield "### `Problem`\n"
    yield _described(errors.Problem) + "\n"


def members(found: type) -> list[str]:
    """The public methods and properties that a class defines, as they stand in its text."""
    kinds = (property, cached_property, classmethod, staticmethod)
    fields = getattr(found, "__dataclass_fields__", {})
    return [
        name
        for name, value in vars(found).items()
        if not name.startswith("_") and name not in fields
        if inspect.isfunction(value) or isinstance(value, kinds)
    ]


def _signature(found: type, name: str) -> str:
    value = getattr(found, name)
    if not callable(value):
        return ""
    signature = inspect.signature(value)
    shown = [
        one.replace(annotation=_Unquoted(one.annotation))
        for key, one in signature.parameters.items()
        if key != "self"
    ]
    return str(signature.replace(parameters=shown, return_annotation=_Unquoted(signature.return_annotation)))


class _Unquoted(str):
    """An annotation as it stands in the text: postponed ones are strings, which signatures would quote."""

    __repr__ = str.__str__


def _described(value: object) -> str:
    return inspect.cleandoc(value.__doc__ or "")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
