"""Connections: how they answer, and where they break."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from odibi_magics.connections.info import ConnectionInfo
from odibi_magics.connections.status import ConnectionStatus
from odibi_magics.display.document import Advice, Block, Cell, Line, Table, Texts, without_empty
from odibi_magics.display.html import Displayed, blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import duration, plural
from odibi_magics.display.values import line
from odibi_magics.doctor.diagnosis import Diagnosis, Layer

# Of each state the sign, the word and the colour, which is only a third.
_STATES = {
    "ok": ("✓", "ok", "done"),
    "will be made": ("✓", "will be made", "done"),
    "warning": ("⚠", "warning", "warned"),
    "failed": ("✗", "failed", "failed"),
    "skipped": ("–", "skipped", "skipped"),
    "queued": ("·", "queued", "queued"),
    "running": ("…", "looking", "running"),
    "checking": ("…", "checking", "running"),
    "waiting": ("·", "waiting", "queued"),
    "stopped": ("■", "stopped", "stopped"),
}


def state_words(state: str) -> tuple[str, str, str]:
    """A state's sign, word and look."""
    return _STATES[state]


def _state(state: str) -> Cell:
    sign, word, kind = _STATES[state]
    return Cell(f"{sign} {word}", kind=kind)


# Columns of what a connection is.
INFO = ("place", "kind", "auth", "secret", "defined")


def info_cells(info: ConnectionInfo) -> tuple[Cell | str, ...]:
    """A connection in the columns of `INFO`."""
    return _name(info.place), info.kind, info.auth, _name(info.secret), info.defined


def _name(text: str) -> Cell | str:
    """What is read, and copied, in one piece: it breaks at no hyphen."""
    return Cell(line(text), kind="name") if text else ""


# How they answer ------------------------------------------------------------------------------------------------------


def statuses_shown(statuses: Sequence[ConnectionStatus], stopped: str = "") -> Displayed:
    """A list of connections, as far as it is known. stopped: the word for those not known, where nobody waits now."""
    return _shown(_statuses(statuses, stopped))


def _statuses(statuses: Sequence[ConnectionStatus], stopped: str) -> list[Block]:
    columns = ("connection", "state", "time", *INFO)
    rows = [
        (_name(each.name), _state(_now(each.state, stopped)), milliseconds(each.seconds), *info_cells(each.info))
        for each in statuses
    ]  # fmt: skip
    kept, cells = without_empty(columns, rows)
    errors = tuple((f"{each.name} failed", each.error) for each in statuses if each.error)
    return [Table(kept, cells, right=("time",)), *([Texts(errors, "failed")] if errors else [])]


# Where they break -----------------------------------------------------------------------------------------------------


def diagnoses_shown(diagnoses: Sequence[Diagnosis], stopped: str = "") -> Displayed:
    """Each connection's layers, and what mends its first failure. stopped: as of `statuses_shown`."""
    return _shown(list(_diagnoses(diagnoses, stopped)))


# Connections that are shown with all their layers.
_WHOLE = 10


def _diagnoses(diagnoses: Sequence[Diagnosis], stopped: str) -> Iterator[Block]:
    """Of many connections a list, and the layers of the first that do not hold."""
    shown = diagnoses
    if len(diagnoses) > _WHOLE:
        rows = tuple((each.connection, _state(_now(each.state, stopped)), _at(each)) for each in diagnoses)
        yield Table(("connection", "state", "at"), rows, weight=4)
        shown = [each for each in diagnoses if each.state in ("failed", "warning")][:_WHOLE]
    for each in shown:
        yield _heading(each, stopped)
        yield from layers_table(each, stopped)
        yield from advice(each)
    if len(shown) < len(diagnoses):
        yield Line("", "With the name of a connection the doctor shows its layers")


def _at(found: Diagnosis) -> str:
    return found.failure.name if found.failure else ""


def _heading(found: Diagnosis, stopped: str) -> Line:
    sign, word, kind = _STATES[_now(found.state, stopped)]
    said = f"failed at {found.failure.name}" if found.failure else word
    parts = filter(None, (found.place, said, milliseconds(found.seconds)))
    return Line(f"{sign} {found.connection}", "".join(f"· {part} " for part in parts).rstrip(), kind)


def layers_table(found: Diagnosis, stopped: str = "") -> Iterator[Block]:
    """A connection's layers as a table; nothing before any is known."""
    rows = tuple(_row(list(same), stopped) for _, same in groupby(found.layers, _alike))
    if rows:
        yield Table(("layer", "state", "time", "found"), rows, right=("time",), weight=4)


def _alike(layer: Layer) -> tuple[str, str]:
    """Layers that were skipped for one reason stand on one line."""
    return (layer.state, layer.said) if layer.state == "skipped" else (layer.name, "")


def _row(same: list[Layer], stopped: str) -> tuple[str, Cell, str, str]:
    state = _now(same[0].state, stopped)
    time = milliseconds(same[0].seconds) if state in ("ok", "warning", "failed") else ""
    return ", ".join(layer.name for layer in same), _state(state), time, same[0].said


def advice(found: Diagnosis) -> Iterator[Advice]:
    """What mends the failure, then each warning; layers that one thing mends stand together."""
    warnings = [layer for layer in found.layers if layer.state == "warning"]
    told = [found.failure, *warnings] if found.failure else warnings
    alike: dict[tuple[str, str, str], list[str]] = {}
    for layer in told:
        alike.setdefault((layer.state, layer.remedy, layer.command), []).append(layer.name)
    for (state, remedy, command), names in alike.items():
        title = f"What mends {', '.join(names)}" if state == "failed" else _only_if(names)
        yield _mended(title, remedy, command, _STATES[state][2])


def _only_if(names: Sequence[str]) -> str:
    """A warning is about something that the connection may not be for."""
    if all(name.startswith("write") for name in names):
        return f"Only if it is to {', '.join(names)}:"
    return f"Only if {', '.join(names)} {'is' if len(names) == 1 else 'are'} needed:"


def _mended(title: str, remedy: str, command: str, kind: str) -> Advice:
    before, _, after = remedy.partition(command) if command else (remedy, "", "")
    text = before.rstrip(" ,;")
    if command and text and text[-1] not in ".:?!":
        text += ":"
    return Advice(title, text, command, after.lstrip(".,; "), kind, weight=4)


# Both -----------------------------------------------------------------------------------------------------------------


def _now(state: str, stopped: str) -> str:
    return stopped if stopped and state in ("checking", "running", "queued") else state


def milliseconds(seconds: float) -> str:
    """`12 ms`, and from a second on `1.2 s`; "" for none."""
    if not seconds:
        return ""
    return f"{max(1, round(seconds * 1000))} ms" if seconds < 0.9995 else duration(seconds)


def _shown(blocks: list[Block]) -> Displayed:
    return Displayed(blocks_html(blocks), blocks_text(blocks))


def failed_words(diagnoses: Sequence[Diagnosis]) -> str:
    """Of each connection that breaks, where and what mends it, in a line or two; "" where none does."""
    broken = [(each, each.failure) for each in diagnoses if each.failure]
    if not broken:
        return ""
    lines = [
        f"  {each.connection}: {failure.name}: {failure.said}\n    → {failure.command or failure.remedy}"
        for each, failure in broken
    ]
    return "\n".join([_broken(len(broken), len(diagnoses)), *lines])


def broken_names(names: Sequence[str], count: int) -> str:
    """The same in one line, for where the display above tells the rest. names: what breaks, of `count` connections."""
    return f"{broken_words(names, count)} (see above)"


def broken_words(names: Sequence[str], count: int) -> str:
    """How many do not work, and which."""
    return f"{_broken(len(names), count)}: {', '.join(names)}"


def _broken(broken: int, count: int) -> str:
    return f"{plural(broken, 'connection')} of {count} {'does' if broken == 1 else 'do'} not work"
