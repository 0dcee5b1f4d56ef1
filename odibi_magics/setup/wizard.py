"""The wizard as a model: which step it is at, what was filled in, what is found out and checked meanwhile.

Everything that somebody does is one method, called from one thread. Look-ups and checks go on in threads of their own,
and call `changed` when there is something new to see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any, Final, Literal

from odibi_magics.config.azure import AUTH_KEYS, is_name
from odibi_magics.config.dump import as_yaml
from odibi_magics.config.load import Config, load_connections
from odibi_magics.config.marks import render_path
from odibi_magics.config.source import Source
from odibi_magics.connections.address import parse_address
from odibi_magics.connections.prepare import forget
from odibi_magics.display.connections import broken_words
from odibi_magics.display.units import plural
from odibi_magics.engines.spark.session import active
from odibi_magics.errors import ConfigErrors, ConnectionFailed, OdibiError, UsageError
from odibi_magics.project import Project
from odibi_magics.session import Session
from odibi_magics.setup import lookups
from odibi_magics.setup.drafts import NAME, Draft, draft_of
from odibi_magics.setup.fields import AUTH_MODE
from odibi_magics.setup.files import Taken, drafts_of_file, free_name, only_file, write_new
from odibi_magics.setup.lookups import Found, Lookups
from odibi_magics.setup.refusal import refusal
from odibi_magics.setup.rows import Rows

StepName = Literal["connections", "identity", "place", "check", "result"]
STEPS: Final[tuple[StepName, ...]] = ("connections", "identity", "place", "check", "result")


class Wizard:
    """A wizard on its way.

    session: what the notebook knows; it is told of connections by `use` alone. variables: those of the notebook.
    defined: where people find what it defines. changed: called from any thread.
    """

    def __init__(
        self,
        session: Session,
        variables: Callable[[], Mapping[str, Any]] = dict,
        defined: str = "the setup wizard",
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._session, self._variables, self._defined = session, variables, defined
        self.changed = changed
        self.lock = RLock()
        self.step: StepName = "connections"
        self.said, self.wrong = "", dict[tuple[str, str], str]()
        self.file, self.file_said, self.file_failed = free_name(Path.cwd()), "", False
        self.lookups, self.rows = Lookups(lambda: self.changed()), Rows(self._row_changed)
        self._ids = (f"c{n}" for n in count(1))
        self._checked: dict[str, Any] = {}
        self._used = ""
        self.drafts, self.note = self._begin()

    def _begin(self) -> tuple[list[Draft], str]:
        """What the session and the folder's file know already, else one that is to be filled in."""
        known = self._session.definitions.connections
        drafts = [draft_of(next(self._ids), found) for found in known.values()]
        file, note = only_file(Path.cwd()), ""
        if file is not None:
            more, note = drafts_of_file(file, self._ids)
            drafts += [each for each in more if each.name not in known]
        return drafts or [Draft(next(self._ids), "lake")], note

    @property
    def chosen(self) -> list[Draft]:
        """The connections that it is about."""
        return [draft for draft in self.drafts if draft.chosen]

    # The form -----------------------------------------------------------------------------------------------------

    def add(self) -> None:
        """One more connection, with a name that is not taken."""
        taken = {draft.name for draft in self.drafts}
        name = next(name for n in count(len(taken) + 1) if (name := f"place{n}") not in taken)
        self.drafts.append(Draft(next(self._ids), name))

    def remove(self, id_: str) -> None:
        self.drafts = [draft for draft in self.drafts if draft.id != id_]

    def choose(self, id_: str, chosen: bool) -> None:
        """Whether it is about this one."""
        self._draft(id_).chosen = chosen

    def set(self, id_: str, key: str, text: str) -> None:
        """What somebody typed or chose in a field; what looks like a secret is refused there."""
        draft = self._draft(id_)
        draft.set(key, text)
        self.wrong = {at: said for at, said in self.wrong.items() if at[0] != id_ or at[1] not in ("", key)}
        self.said = "What was typed is not kept" if key in draft.errors else ""
        self._look_up()

    def _draft(self, id_: str) -> Draft:
        for draft in self.drafts:
            if draft.id == id_:
                return draft
        raise UsageError("this connection was removed")

    # The steps ----------------------------------------------------------------------------------------------------

    def go(self, to: str) -> None:
        """To a step; forward only past those that are filled in right, else to the first that is not."""
        target = STEPS.index(to)
        self.wrong = self._wrong() if target > STEPS.index(self.step) else {}
        for step in STEPS[STEPS.index(self.step) : target]:
            if self._count_wrong(step):
                self.step, self.said = (
                    step,
                    f"{plural(self._count_wrong(step), 'thing')} to mend in this step",
                )
                self._look_up()
                return
        self.step, self.said = STEPS[target], ""
        if target >= STEPS.index("check"):
            self._check_changed()
        self._look_up()

    def _count_wrong(self, step: StepName) -> int:
        return sum(self.step_of(id_, key) == step for id_, key in self.wrong)

    def step_of(self, id_: str, key: str) -> StepName:
        """Where something wrong is mended: a field's step; what is about a connection as a whole, in the last one."""
        if not id_ or key == NAME:
            return "connections"
        return next((each.step for each in self._draft(id_).fields if each.key == key), "place")

    def _wrong(self) -> dict[tuple[str, str], str]:
        """All that is wrong, by connection and field; "" for what has none."""
        if not self.chosen:
            return {("", ""): "Add a connection, or choose one"}
        wrong = {(draft.id, NAME): said for draft in self.chosen if (said := self._wrong_name(draft))}
        for draft in self.chosen:
            wrong |= {(draft.id, key): said for key, said in draft.missing().items()}
        return wrong or self._wrong_text()

    def _wrong_name(self, draft: Draft) -> str:
        if [each.name for each in self.chosen].count(draft.name) > 1:
            return "another connection has this name"
        try:
            fits = bool(draft.name) and parse_address(f"{draft.name}:x").connection == draft.name
        except UsageError:
            fits = False
        return "" if fits else "a name is letters, digits, _ and -, and begins with a letter"

    def _wrong_text(self) -> dict[tuple[str, str], str]:
        """What the language itself says of it."""
        try:
            self.config()
        except ConfigErrors as error:
            return dict(self._placed(each.where, each.message, each.hint) for each in error.problems)
        return {}

    def _placed(self, where: str, message: str, hint: str) -> tuple[tuple[str, str], str]:
        said = f"{message} ({hint})" if hint else message
        for draft in self.chosen:
            for key in (field.key for field in draft.fields):
                if where == render_path(("connections", draft.name, key)):
                    return (draft.id, key), said
            if where.startswith(render_path(("connections", draft.name))):
                return (draft.id, ""), said
        return (self.chosen[0].id, ""), said

    # What is found out --------------------------------------------------------------------------------------------

    CALLER: Final = "caller"

    def look_again(self) -> None:
        """Asks anew who we are, and all that follows from it."""
        forget()
        self.lookups.forget()
        self._look_up()

    def _look_up(self) -> None:
        if self.step == "identity":
            if any(draft.asked("identity") for draft in self.chosen):
                self.lookups.ask(self.CALLER, lambda: lookups.caller(active), lookups.CALLER_LATE)
            for draft in self.chosen:
                for question, look in self._questions(draft):
                    self.lookups.ask(question, look, lookups.LATE)
        elif self.step == "place":
            for draft in self.chosen:
                self._look_for_containers(draft)

    def _questions(self, draft: Draft) -> list[tuple[tuple[str, str], Callable[[], Found]]]:
        """What helps to fill in how a connection is opened."""
        keys = {each.key for each in draft.asked("identity")}
        vault, scope = self.vault_of(draft), draft.values.get("secret_scope", "")
        asked: list[tuple[tuple[str, str], Callable[[], Found]]] = []
        if "key_vault_name" in keys and is_name("key_vault_name", vault):
            asked.append((("secrets", vault), lambda: lookups.secret_names(vault)))
        if "secret_scope" in keys and lookups.on_databricks():
            asked.append((("scopes", ""), lookups.scope_names))
            if scope:
                asked.append((("keys", scope), lambda: lookups.key_names(scope)))
        return asked

    def _look_for_containers(self, draft: Draft) -> None:
        if draft.type != "azure_adls" or draft.missing() or draft.values.get(AUTH_MODE) == "session":
            return
        try:
            connection = self.project([draft]).connection(draft.name)
        except (ConfigErrors, ConnectionFailed):
            return
        self.lookups.ask(self.containers_of(draft), lambda: lookups.container_names(connection), lookups.LATE)

    @staticmethod
    def containers_of(draft: Draft) -> tuple[str, str]:
        """The question after an account's containers, opened as the connection says."""
        opened = {*AUTH_KEYS, AUTH_MODE, "account"}
        return "containers", str(
            sorted((key, str(value)) for key, value in draft.written().items() if key in opened)
        )

    def found(self, draft: Draft, key: str) -> tuple[Found | None, bool]:
        """What was found to choose from in a field, and whether somebody is looking for it."""
        question = {
            "secret_name": ("secrets", self.vault_of(draft)),
            "secret_scope": ("scopes", ""),
            "secret_key": ("keys", draft.values.get("secret_scope", "")),
            "container": self.containers_of(draft),
        }.get(key)
        if question is None:
            return None, False
        return self.lookups.get(question), self.lookups.looking(question)

    def vault_of(self, draft: Draft) -> str:
        """Its own, else the one that others name."""
        own, others = draft.values.get("key_vault_name", ""), self.vaults()
        return own or (others[0] if len(others) == 1 else "")

    def vaults(self) -> list[str]:
        """Vaults that are named anywhere."""
        own = {draft.values.get("key_vault_name", "") for draft in self.drafts}
        return sorted(filter(None, own | self._session.definitions.known.vaults))

    # The check ----------------------------------------------------------------------------------------------------

    def check(self, name: str = "") -> None:
        """Looks at one connection again, or at all that nobody looks at now."""
        project = self._arranged()
        again = [
            row.name for row in self.rows.rows if row.name == name or (not name and row.state != "running")
        ]
        self._start(project, again)

    def _check_changed(self) -> None:
        """Looks at those that are not what was looked at last."""
        project = self._arranged()
        self._start(project, [row.name for row in self.rows.rows if row.state == "waiting"])

    def _arranged(self) -> Project:
        project = self.project(self.chosen)
        now = {draft.name: draft.written() for draft in self.chosen}
        self.rows.arrange(now, {each for each, written in now.items() if self._checked.get(each) != written})
        self._checked = now
        return project

    def _start(self, project: Project, names: Sequence[str]) -> None:
        if names:
            self.said = f"Checking {', '.join(names)}"
            self.rows.start(project, names)

    def _row_changed(self) -> None:
        if self.rows.over:
            self.said = self._outcome()
        self.changed()

    def _outcome(self) -> str:
        rows = self.rows.rows
        broken = [row.name for row in rows if row.state == "failed"]
        if broken:
            return broken_words(broken, len(rows))
        skipped = [row.name for row in rows if row.state == "skipped"]
        works = len(rows) - len(skipped)
        said = f"Checked: {plural(works, 'connection')} {'works' if works == 1 else 'work'}"
        return f"{said}; not looked at: {', '.join(skipped)}" if skipped else said

    # The result ---------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The connections as YAML, for a cell."""
        return self._yaml(self.chosen)

    @staticmethod
    def _yaml(drafts: list[Draft]) -> str:
        return as_yaml({"connections": {draft.name: draft.written() for draft in drafts}})

    def config(self, drafts: list[Draft] | None = None) -> Config:
        """The text as the language takes it. Raises ConfigErrors."""
        text = self._yaml(self.chosen if drafts is None else drafts)
        source = Source(text, "the wizard's text", Path.cwd())
        return load_connections(source, notebook=self._variables(), known=self._session.definitions.known)

    def project(self, drafts: list[Draft]) -> Project:
        """The notebook's project with these in it. Raises ConfigErrors."""
        return Project.from_config(
            self.config(drafts), earlier=self._session.definitions, defined=self._defined
        )

    @property
    def ready(self) -> bool:
        """Whether there is a text that the language takes."""
        return bool(self.chosen) and not self._wrong()

    def write(self, name: str) -> None:
        """Writes a file that is not there yet; why not, `file_said` says."""
        try:
            if refused := refusal(name):
                self.file = ""
                raise UsageError(refused)
            path = write_new(self.config(), name.strip())
        except OdibiError as error:
            self.file_said, self.file_failed = str(error), True
            self.file = error.free if isinstance(error, Taken) else self.file
        else:
            self.file, self.file_said, self.file_failed = str(path), f"Written: {path}", False
        self.said = "No file was written" if self.file_failed else "The file was written"

    def use(self) -> None:
        """Makes the connections known to the notebook, as %%odibi_connections does. Raises ConfigErrors."""
        text = self.text()
        self._session.keep(
            self._session.define_connections(text, namespace=self._variables(), defined=self._defined)
        )
        self._used = text
        self.said = f"This session knows {', '.join(draft.name for draft in self.chosen)}"

    @property
    def used(self) -> bool:
        """Whether the session knows the connections as they are now."""
        return self._used == self.text()
