"""The magics as IPython sees them: names and help. What they do is imported when they are first called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Integer

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from odibi_magics.magics.completion import Completion
    from odibi_magics.magics.namespace import NotebookVariables
    from odibi_magics.session import Session
    from odibi_magics.setup.wizard import Wizard

RESULT = "odibi_result"


def _magic(kind: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A magic of this kind whose line is taken literally: `$name` and `{name}` in it are not Python's."""

    def register(magic: Callable[..., None]) -> Callable[..., None]:
        @wraps(magic)
        def call(magics: OdibiMagics, *args: Any) -> None:
            with magics.telling():
                magic(magics, *args)

        return kind(no_var_expand(call))  # type: ignore[no-any-return]

    return register


@magics_class
class OdibiMagics(Magics):
    """The magics' settings and what they remember between cells."""

    keep_rows = Integer(
        20, min=0, help="Rows of data shown under a cell and so kept in the saved notebook; 0 keeps none."
    ).tag(config=True)

    shell: InteractiveShell
    replaced: dict[str, dict[str, Any]]
    completion: Completion
    wizard: Wizard | None = None

    @cached_property
    def session(self) -> Session:
        """The notebook's project, which grows cell by cell."""
        from odibi_magics.engines.spark.session import offer
        from odibi_magics.session import Session

        offer(self.shell.user_ns)
        return Session()

    @property
    def variables(self) -> NotebookVariables:
        """What `{{ name }}` may take from the notebook."""
        from odibi_magics.magics.namespace import NotebookVariables

        return NotebookVariables(self.shell.user_ns, self.shell.user_ns_hidden)

    @property
    def here(self) -> str:
        """The cell that runs now, as people find it: by the number of its prompt."""
        return f"cell [{self.shell.displayhook.prompt_count}]"

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Errors of ours leave as they are, any other one as text that passed the redactor: IPython would print the
        messages of libraries as they come, and they may hold secrets. Where no data may be kept, none is in the text.
        """
        try:
            yield
        except KeyboardInterrupt as stop:
            from odibi_magics.errors import Cancelled

            if isinstance(stop, Cancelled):
                raise
            raise Cancelled("stopped") from None
        except Exception as error:
            from odibi_magics.errors import OdibiError, Unexpected

            told = error if isinstance(error, OdibiError) else Unexpected(error)
            if self.keep_rows == 0:
                told = told.without_data()
            if told is error:
                raise
            raise told from None

    @classmethod
    def enter(cls, shell: InteractiveShell) -> None:
        """Makes itself known to a shell."""
        manager = shell.magics_manager
        magics = cls(shell=shell)
        magics.replaced = {
            kind: {name: manager.magics[kind].get(name) for name in names}
            for kind, names in magics.magics.items()
        }
        manager.register(magics)
        from odibi_magics.magics.completion import Completion
        from odibi_magics.magics.formatters import add_formatters

        add_formatters(magics)
        magics.completion = Completion(magics)
        magics.completion.enter()

    def leave(self) -> None:
        """Undoes `enter`."""
        from odibi_magics.magics.formatters import remove_formatters

        manager = self.shell.magics_manager
        remove_formatters(self)
        self.completion.leave()
        for kind, names in self.replaced.items():
            for name, before in names.items():
                _put_back(manager.magics[kind], name, before)
        manager.registry.pop(type(self).__name__)
        configurables: list[Any] = self.shell.configurables
        configurables.remove(self)
        session = self.__dict__.get("session")
        if session is not None and self.shell.user_ns.get(RESULT) is session.last is not None:
            del self.shell.user_ns[RESULT]

    @_magic(line_magic)
    def odibi(self, line: str) -> None:
        """%odibi: what this notebook knows (connections, nodes, the last run) and what the magics do.

        --forget NODE ...   drop nodes that are not needed any more
        """
        from odibi_magics.magics import session

        session.overview(self, line)

    @_magic(cell_magic)
    def odibi_pipeline(self, line: str, cell: str) -> None:
        """%%odibi_pipeline: check the YAML below, run its nodes, report.

        --plan [--sql]      show what a run would do; run nothing
        --preview [NODE]    run up to NODE, validate it, show its rows; write nothing
        --sample ROWS       the same on a few rows of each source
        --only NODE (may be repeated), --from-node NODE, --engine ENGINE, --env NAME, --set NAME=VALUE
        --as NAME[=NODE]    put a node's data into a notebook variable
        --run-id ID         the run's id
        --again             append once more what a table holds already
        --replace           undo the runs that appended the same rows, then run; with --plan: show them
        --resume            go on with the last run that failed, or that of --run-id
        --help              all of this at length

        It must be the cell's first line: above it, not even a comment.
        """
        from odibi_magics.magics import pipeline

        pipeline.run_cell(self, line, cell)

    @_magic(line_magic)
    def odibi_run(self, line: str) -> None:
        """%odibi_run FILE: check, run and report a project's file; takes the options of %%odibi_pipeline."""
        from odibi_magics.magics import pipeline

        pipeline.run_file(self, line)

    @_magic(line_magic)
    def odibi_save(self, line: str) -> None:
        """%odibi_save FILE: the notebook's project as one checked file, its functions as source beside it.

        --force             over a file that was not saved from a notebook, or was edited since
        """
        from odibi_magics.magics import session

        session.save(self, line)

    @_magic(line_cell_magic)
    def odibi_connections(self, line: str, cell: str | None = None) -> None:
        """%%odibi_connections: define connections by name. %odibi_connections: list and check them.

        --refresh           fetch secrets and tokens anew
        """
        from odibi_magics.magics import connections

        connections.check(self, line) if cell is None else connections.define(self, line, cell)

    @_magic(line_magic)
    def odibi_setup(self, line: str) -> None:
        """%odibi_setup: a wizard that sets connections up, checks them, and ends with their YAML.

        --cell              what it made, in the next cell
        """
        from odibi_magics.magics import setup

        setup.setup(self, line)

    @_magic(line_magic)
    def odibi_doctor(self, line: str) -> None:
        """%odibi_doctor [NAME ...]: look at connections layer by layer, and say what mends each failure.

        --wait [MINUTES]    look again while a role is missing: it may have been granted just now
        """
        from odibi_magics.magics import connections

        connections.diagnose(self, line)

    @_magic(line_magic)
    def odibi_preview(self, line: str) -> None:
        """%odibi_preview TABLE: the first rows of conn:path, a node, a local path or a URL.

        With @5 or @2026-11-20T18:00Z behind it, as it was then.
        --rows ROWS         how many
        """
        from odibi_magics.magics import tables

        tables.preview(self, line)

    @_magic(line_magic)
    def odibi_history(self, line: str) -> None:
        """%odibi_history TABLE: what a Delta table went through, version by version; TABLE@5 up to version 5.

        --limit N           how many versions (20), or all
        """
        from odibi_magics.magics import delta

        delta.history(self, line)

    @_magic(line_magic)
    def odibi_diff(self, line: str) -> None:
        """%odibi_diff TABLE@5 [TABLE@9]: what differs between two versions or tables; of one, what has changed since.

        --keys COLUMN[,COLUMN]   what tells rows apart
        """
        from odibi_magics.magics import diff

        diff.diff(self, line)

    @_magic(line_magic)
    def odibi_restore(self, line: str) -> None:
        """%odibi_restore TABLE@5: what it would change to have a Delta table as it was, and the command that does it.

        With @2026-11-20T18:00Z behind it, as it was then.
        --at VERSION        do it, if nothing was committed after this version
        """
        from odibi_magics.magics import upkeep

        upkeep.restore(self, line)

    @_magic(line_magic)
    def odibi_vacuum(self, line: str) -> None:
        """%odibi_vacuum TABLE: files of a Delta table that no version of the last week needs, and what they take along.

        --yes               delete them
        --retention-hours HOURS
                            a week (168), or longer; less takes --force
        """
        from odibi_magics.magics import upkeep

        upkeep.vacuum(self, line)

    @_magic(line_magic)
    def odibi_optimize(self, line: str) -> None:
        """%odibi_optimize TABLE: which small files of a Delta table would become how many.

        --yes               join them, and write a checkpoint where one is due
        """
        from odibi_magics.magics import upkeep

        upkeep.optimize(self, line)

    @_magic(line_magic)
    def odibi_undo(self, line: str) -> None:
        """%odibi_undo [RUN] [TABLE ...]: what it takes to undo RUN, or the newest of TABLE, or the last; in all tables.

        RUN TABLE           of a run that this notebook does not know, with a table that it wrote
        --at TABLE=VERSION  undo it, if each table has this version still, as shown without it
        --force             take away what others committed behind the run, too
        """
        from odibi_magics.magics import undo

        undo.undo(self, line)

    @_magic(line_magic)
    def odibi_graph(self, line: str) -> None:
        """%odibi_graph [FILE]: the pipeline as a picture."""
        from odibi_magics.magics import session

        session.graph(self, line)


def _put_back(table: dict[str, Any], name: str, before: Any) -> None:
    if before is None:
        table.pop(name, None)
    else:
        table[name] = before
