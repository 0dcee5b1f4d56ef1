"""The wizard as a page shows it, in JSON: sections with fields and buttons, rows, and the text it ends with.

All text is redacted and shows what is invisible; what a button does is a question to the wizard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from odibi_magics.display.connections import advice, layers_table, milliseconds, state_words
from odibi_magics.display.document import Advice, Block, Line, Table, Texts
from odibi_magics.display.units import plural
from odibi_magics.display.values import block, line
from odibi_magics.doctor.diagnosis import Diagnosis, Layer
from odibi_magics.setup.drafts import NAME, TYPE, Draft
from odibi_magics.setup.fields import Field, Step, types
from odibi_magics.setup.lookups import environment_names
from odibi_magics.setup.rows import Row, Rows
from odibi_magics.setup.wizard import STEPS, StepName, Wizard
from odibi_magics.widgets.blocks import blocks_json

Json = dict[str, Any]

# Of each step its title, what is done in it, and what the button says that leads there.
_TITLES: Final[dict[StepName, tuple[str, str, str]]] = {
    "connections": (
        "Connections", "Which places is it about? A connection is a name that points at one.", "Connections",
    ),
    "identity": (
        "Identity and vault",
        "How each account is opened. Secrets stay where they are: only their names are asked for.",
        "Next: identity and vault",
    ),
    "place": ("Account and container", "Where each connection points.", "Next: account and container"),
    "check": ("Check", "Each connection is looked at layer by layer, all at once.", "Check the connections"),
    "result": ("Result", "The connections as YAML, for a cell or a file.", "Next: the YAML"),
}  # fmt: skip

COMMAND: Final = "%odibi_setup --cell"


class Page:
    """A wizard as its widget knows it."""

    def __init__(self, wizard: Wizard) -> None:
        self._wizard = wizard

    def view(self) -> Json:
        """All that is on the page now; from any thread."""
        return view(self._wizard)

    def answer(self, question: Mapping[str, Any]) -> None:
        """Does what a question asks for. Raises OdibiError."""
        with self._wizard.lock:
            _DOES[question["ask"]](self._wizard, question)


_DOES: Final[Mapping[str, Callable[[Wizard, Mapping[str, Any]], None]]] = {
    "view": lambda wizard, asked: None,
    "add": lambda wizard, asked: wizard.add(),
    "remove": lambda wizard, asked: wizard.remove(str(asked["of"])),
    "choose": lambda wizard, asked: wizard.choose(str(asked["of"]), bool(asked["chosen"])),
    "set": lambda wizard, asked: wizard.set(str(asked["of"]), str(asked["key"]), str(asked["text"])),
    "go": lambda wizard, asked: wizard.go(str(asked["to"])),
    "look_again": lambda wizard, asked: wizard.look_again(),
    "check": lambda wizard, asked: wizard.check(str(asked["name"])),
    "use": lambda wizard, asked: wizard.use(),
    "write": lambda wizard, asked: wizard.write(str(asked["name"])),
}


def view(wizard: Wizard) -> Json:
    """The whole of what the page shows now."""
    with wizard.lock:
        at = STEPS.index(wizard.step)
        title, lead, _ = _TITLES[wizard.step]
        return {
            "step": wizard.step,
            "title": title,
            "lead": lead,
            "steps": [_step(wizard, each) for each in STEPS],
            "said": line(wizard.said),
            "sections": list(_SECTIONS[wizard.step](wizard)),
            "back": {"label": "Back", "ask": _go(STEPS[at - 1])} if at else None,
            "next": _next(STEPS[at + 1]) if at + 1 < len(STEPS) else None,
        }


def _step(wizard: Wizard, step: StepName) -> Json:
    state = (
        "now" if step == wizard.step else "done" if STEPS.index(step) < STEPS.index(wizard.step) else "ahead"
    )
    return {"title": _TITLES[step][0], "state": state, "ask": _go(step)}


def _go(step: StepName) -> Json:
    return {"ask": "go", "to": step}


def _next(step: StepName) -> Json:
    return {"label": _TITLES[step][2], "ask": _go(step)}


# Forms ----------------------------------------------------------------------------------------------------------------


def _connections(wizard: Wizard) -> Iterator[Json]:
    if wizard.note:
        yield _told("note", "warned", "⚠", wizard.note)
    for draft in wizard.drafts:
        fields = [
            _field(wizard, draft, NAME, draft.name, "Name", "What nodes call it.", needed=True),
            _field(wizard, draft, TYPE, draft.type, "Type", "The kind of place.", kind="choice", choices=types()),
        ]  # fmt: skip
        yield _form(wizard, draft, fields if draft.chosen else [], _first_actions(draft))
    if wizard.wrong.get(("", "")):
        yield _told("none", "failed", "✗", wizard.wrong[("", "")])
    yield {"kind": "actions", "id": "add", "actions": [{"label": "Add a connection", "ask": {"ask": "add"}}]}


def _first_actions(draft: Draft) -> list[Json]:
    if not draft.origin:
        label = f"Remove {draft.name or 'this connection'}"
        return [{"label": "Remove", "about": line(label), "ask": {"ask": "remove", "of": draft.id}}]
    label = "Leave out" if draft.chosen else "Take in"
    ask = {"ask": "choose", "of": draft.id, "chosen": not draft.chosen}
    return [{"label": label, "about": line(f"{label} {draft.name}"), "ask": ask}]


def _identity(wizard: Wizard) -> Iterator[Json]:
    forms = list(_forms(wizard, "identity"))
    yield (
        _caller(wizard) if forms else _told("none", "done", "✓", "Nothing here takes an identity or a secret")
    )
    yield from forms


def _place(wizard: Wizard) -> Iterator[Json]:
    return _forms(wizard, "place")


def _forms(wizard: Wizard, step: Step) -> Iterator[Json]:
    for draft in wizard.chosen:
        if fields := [_asked(wizard, draft, field) for field in draft.asked(step)]:
            yield _form(wizard, draft, fields, [])


def _form(wizard: Wizard, draft: Draft, fields: list[Json], actions: list[Json]) -> Json:
    origin = f"from {draft.origin}" if draft.origin else ""
    wrong = wizard.wrong.get((draft.id, ""), "") if wizard.step == "place" else ""
    return {
        "kind": "form",
        "id": draft.id,
        "legend": line(draft.name or "a connection"),
        "origin": line(origin if draft.chosen else f"{origin}, left out"),
        "notes": [line(note) for note in draft.notes],
        "wrong": line(wrong),
        "fields": fields,
        "actions": actions,
    }


def _asked(wizard: Wizard, draft: Draft, field: Field) -> Json:
    return _field(
        wizard, draft, field.key, draft.value(field), field.label, field.help,
        kind="choice" if field.kind == "choice" else "text", choices=field.choices, needed=field.needed,
        about=_names(wizard, draft, field),
    )  # fmt: skip


def _field(
    wizard: Wizard, draft: Draft, key: str, value: str, label: str, help_: str, *,
    kind: str = "text", choices: tuple[tuple[str, str], ...] = (), needed: bool = False,
    about: tuple[list[str], str] = ([], ""),
) -> Json:  # fmt: skip
    names, said = about
    return {
        "key": key,
        "label": label,
        "help": help_,
        "kind": kind,
        "value": line(value),
        "choices": choices,
        "names": [line(name) for name in names],
        "said": line(said),
        "needed": needed,
        "wrong": line(draft.errors.get(key) or wizard.wrong.get((draft.id, key), "")),
    }


# What the names are of that a field offers.
_OF: Final = {"secret_name": "secret", "secret_scope": "scope", "secret_key": "key", "container": "container"}


def _names(wizard: Wizard, draft: Draft, field: Field) -> tuple[list[str], str]:
    """Names to choose from, and a word on them."""
    if field.kind == "variable":
        return environment_names(), ""
    if field.key == "key_vault_name":
        return wizard.vaults(), ""
    found, looking = wizard.found(draft, field.key)
    what = _OF.get(field.key, "")
    if looking:
        return [], f"… looking for {what}s"
    if found is None:
        return [], ""
    if found.said:
        return list(found.names), f"No {what}s to choose from: {found.said}. Type the name"
    return list(found.names), f"{plural(len(found.names), what)} to choose from"


def _caller(wizard: Wizard) -> Json:
    """Who we are, or what mends it that we are nobody."""
    found: Layer | None = wizard.lookups.get(wizard.CALLER)
    ask = {"ask": "look_again"}
    again = [{"label": "Look again", "about": "Look again who you are", "ask": ask, "resting": found is None}]
    if found is None:
        return _told("caller", "running", "…", "looking who you are to Azure", actions=again)
    sign, _, look = state_words(found.state)
    if found.state == "ok":
        return _told("caller", look, sign, f"You are {found.said}", actions=again)
    blocks = [Advice("What mends it", found.remedy, found.command, kind=look)]
    return _told("caller", look, sign, f"You are not signed in: {found.said}", blocks, again)


def _told(
    id_: str, look: str, sign: str, text: str, blocks: list[Advice] | None = None, actions: list[Json] | None = None
) -> Json:  # fmt: skip
    return {
        "kind": "told", "id": id_, "look": look, "sign": sign, "text": line(text),
        "blocks": blocks_json(blocks or ()), "actions": actions or [],
    }  # fmt: skip


# The check and the result ---------------------------------------------------------------------------------------------


def _check(wizard: Wizard) -> Iterator[Json]:
    yield from map(_row, wizard.rows.rows)
    again = {"label": "Check all again", "ask": {"ask": "check", "name": ""}, "resting": not wizard.rows.over}
    yield {"kind": "actions", "id": "again", "actions": [again]}


def _row(row: Row) -> Json:
    sign, word, look = state_words(row.state)
    found = row.found
    again = {
        "label": "Check again",
        "about": line(f"Check {row.name} again"),
        "ask": {"ask": "check", "name": row.name},
        "resting": not row.over,
    }
    return {
        "kind": "row",
        "id": row.name,
        "name": line(row.name),
        "sign": sign,
        "word": word,
        "look": look,
        "time": milliseconds(found.seconds) if found and row.over else "",
        "place": line(found.place) if found else "",
        "said": line(_said_of(found) if found else ""),
        "blocks": blocks_json(list(advice(found))) if found and row.over else [],
        "layers": blocks_json(list(layers_table(found))) if found and row.over else [],
        "actions": [again],
    }  # fmt: skip


def _said_of(found: Diagnosis) -> str:
    """What is to be known of a check without its layers."""
    if found.failure:
        return f"failed at {found.failure.name}: {found.failure.said}"
    now = next((layer.name for layer in found.layers if layer.state == "running"), "")
    if now:
        return f"looking at {now}"
    skipped = [layer.said for layer in found.layers if layer.state == "skipped"]
    return skipped[0] if len(skipped) == len(found.layers) > 0 else ""


def _result(wizard: Wizard) -> Iterator[Json]:
    yield from _outcome(wizard.rows)
    yield {"kind": "yaml", "id": "yaml", "label": "The connections as YAML", "text": block(wizard.text())}
    yield {
        "kind": "use", "id": "use",
        "done": "✓ This session knows them" if wizard.used else "",
        "actions": [{"label": "Use in this session", "ask": {"ask": "use"}}],
        "cell": COMMAND,
    }  # fmt: skip
    yield {
        "kind": "file", "id": "file", "value": line(wizard.file), "said": line(wizard.file_said),
        "failed": wizard.file_failed,
    }  # fmt: skip


def _outcome(rows: Rows) -> Iterator[Json]:
    """What the check says of the text; nothing where there was none."""
    running, failed, skipped = (
        ", ".join(row.name for row in rows.rows if row.state in states)
        for states in (("waiting", "running"), ("failed",), ("skipped",))
    )
    if running:
        yield _told("state", "running", "…", f"The check is not over yet: {running}")
    elif failed:
        said = f"These do not work yet: {failed}. The check says what mends them"
        yield _told("state", "failed", "✗", said)
    elif skipped:
        yield _told("state", "skipped", "–", f"None fails; not looked at: {skipped}")
    elif rows.over:
        yield _told("state", "done", "✓", "All of them work")


_SECTIONS: Final[dict[StepName, Callable[[Wizard], Iterator[Json]]]] = {
    "connections": _connections, "identity": _identity, "place": _place, "check": _check, "result": _result,
}  # fmt: skip


# What stays -----------------------------------------------------------------------------------------------------------

_INTRODUCTION: Final = (
    "answers in a notebook whose front end shows widgets, as long as its kernel runs: run the cell again. "
    "Without it, %%odibi_connections defines connections, and %odibi_doctor says where one breaks and what mends it."
)


def still(wizard: Wizard) -> list[Block]:
    """What a saved notebook shows of it, and a front end without widgets."""
    with wizard.lock:
        blocks: list[Block] = [Line("The setup wizard", _INTRODUCTION)]
        rows = [row for row in wizard.rows.rows if row.found]
        if not wizard.rows.over:
            return blocks
        cells = [(row.name, " ".join(state_words(row.state)[:2]), _still_words(row)) for row in rows]
        blocks.append(Table(("connection", "state", "found"), tuple(cells)))
        blocks.append(Texts((("The connections", wizard.text()),)))
        return blocks


def _still_words(row: Row) -> str:
    failure = row.found.failure if row.found else None
    if failure is None:
        return row.found.place if row.found else ""
    return f"{failure.name}: {failure.said}. {failure.remedy}"
