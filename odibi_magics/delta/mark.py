"""The run mark: what each commit says of its run, as JSON in Delta's `userMetadata`.

Any one table of a run leads to the others from it, in a fresh session too, and an append can see that its text and
inputs were written before. Delta's own `txn` ids do not serve: they survive a restore, so that undo and run again
would write nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Target:
    """A table a run writes. before: its version when the run was planned, None where it was not there."""

    node: str
    url: str
    format: str
    before: int | None


@dataclass(frozen=True)
class RunMark:
    """What a commit says of its run.

    fingerprint: of the node's text with all it evaluates, sha256 in hex. inputs: what was read: for Delta tables
    `{url, version, id}`, for files `{url, files: [[name, bytes, mtime_ns], ...]}`; `made` beside them where one commit
    of ours wrote all rows of that table, as a hash of its text and inputs; `{clock: day}` where the text asks for the
    day.
    undoes: the run that an undo takes back; its mode is "undo".
    """

    run: str
    pipeline: str
    node: str
    mode: str
    fingerprint: str
    inputs: tuple[dict[str, Any], ...]
    targets: tuple[Target, ...]
    undoes: str | None = None

    def to_json(self) -> str:
        """One line, keys in a fixed order; `odibi` holds the format's number."""
        said = asdict(self) if self.undoes else {k: v for k, v in asdict(self).items() if k != "undoes"}
        return json.dumps({"odibi": FORMAT, **said}, separators=(",", ":"), ensure_ascii=False)


def verb_mark(verb: str) -> str:
    """What a commit says of itself that a verb on the table made, and no run: so its history tells whose it is."""
    return json.dumps({"odibi": FORMAT, "verb": verb}, separators=(",", ":"))


def read_mark(text: str | None) -> RunMark | None:
    """The mark in a commit's userMetadata; None where there is none of ours."""
    try:
        found = json.loads(text or "")
        if found.pop("odibi", None) != FORMAT:
            return None
        targets = tuple(Target(**target) for target in found.pop("targets"))
        mark = RunMark(targets=targets, inputs=tuple(found.pop("inputs")), **found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return mark if _is_sound(mark) else None


def _is_sound(mark: RunMark) -> bool:
    """Whether all is of the kind it should be: anyone may write a mark."""
    texts = [mark.run, mark.pipeline, mark.node, mark.mode, mark.fingerprint]
    texts += [text for one in mark.targets for text in (one.node, one.url, one.format)]
    inputs: tuple[Any, ...] = mark.inputs
    numbers = [one.before for one in mark.targets if one.before is not None]
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and all(isinstance(one, dict) and isinstance(one.get("files", []), list) for one in inputs)
        and (mark.undoes is None or isinstance(mark.undoes, str))
    )
