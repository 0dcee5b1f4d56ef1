"""A file that rows come from is not overwritten with them: the next run would read what this one left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import PurePosixPath

from odibi_magics.engines.base import Call, Sink, Source
from odibi_magics.pipeline.plan import Edge
from odibi_magics.pipeline.steps import CheckedNode


def overwritten(
    name: str,
    sink: Sink,
    sources: Mapping[str, Source],
    edges: Mapping[str, Iterable[Edge]],
    checked: Mapping[str, CheckedNode],
) -> Iterator[str]:
    """The nodes whose files a node's write replaces with rows that come from them."""
    if sink.place.format == "delta" or sink.mode != "overwrite":
        return
    target = sink.place.url.rstrip("/")
    for giver in sorted(_givers(name, edges, checked)):
        source = sources.get(giver)
        if source and (reads_file(source, target) or _lies_in(source, target)):
            yield giver


def _givers(name: str, edges: Mapping[str, Iterable[Edge]], checked: Mapping[str, CheckedNode]) -> set[str]:
    """The node and those that its rows come from, through tables too."""
    seen: set[str] = set()
    left = [name]
    while left:
        if (one := left.pop()) not in seen:
            seen.add(one)
            left.extend(edge.source for edge in edges.get(one, ()) if _gives(edge, checked.get(one)))
    return seen


def _gives(edge: Edge, taker: CheckedNode | None) -> bool:
    """Whether rows come that way. What a node that reads depends on may only come before it."""
    if not edge.carries:
        return edge.why == "reads what it writes"
    if edge.why != "depends_on" or taker is None or taker.defined.node.read is None:
        return True
    return edge.source in taker.tables or any(isinstance(step.step, Call) for step in taker.steps)


def reads_file(source: Source, file: str) -> bool:
    """Whether a file is one of those that a source reads: of a table's folder, itself, in a folder, or of a glob."""
    files, path = source.place.url.rstrip("/"), PurePosixPath(file)
    if source.place.format == "delta":
        return path.is_relative_to(files)
    folders = () if path.name.startswith(("_", ".")) else (path.parent,)
    if not has_magic(files):
        return str(path) == files or files in map(str, folders)
    deep = "**" in files and any(
        fnmatchcase(file, files.replace("**/", more).replace("**", "*")) for more in ("", "*/")
    )
    return deep or any(one.match(files) for one in (path, *folders))


def _lies_in(source: Source, folder: str) -> bool:
    """Whether a folder that is replaced holds what a source reads."""
    parts = source.place.url.split("/")
    fixed = "/".join(parts[: next((i for i, part in enumerate(parts) if has_magic(part)), len(parts))])
    return source.place.format != "delta" and PurePosixPath(fixed).is_relative_to(folder)
