"""YAML as we write it: keys in their order, what is short on one line."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

import yaml


def as_yaml(value: Any) -> str:
    """A mapping as a text of the language."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def in_one_line(value: Any) -> str:
    """A mapping as a text of the language that can stand behind its key."""
    text = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=sys.maxsize
    )
    return text.rstrip("\n")


class _Dumper(yaml.SafeDumper):
    """SQL of several lines as a block, what is short on one line, everything else as PyYAML writes it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, flow_style or _fits(mapping))

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style or _is_short(sequence))


def _fits(mapping: Any) -> bool:
    """Whether a mapping is read at a glance on one line."""
    return _is_short(mapping.values()) and sum(map(len, map(str, [*mapping, *mapping.values()]))) <= 90


def _is_short(values: Collection[Any]) -> bool:
    """Whether they are few scalars."""
    texts = [str(value) for value in values if not isinstance(value, (dict, list))]
    return len(texts) == len(values) and "\n" not in "".join(texts) and sum(map(len, texts)) <= 60


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
