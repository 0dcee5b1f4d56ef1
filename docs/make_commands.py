"""Makes docs/reference/magics.md and cli.md from the help that magics and commands give themselves.

Run `python docs/make_commands.py`. argparse words its help a little differently from one Python to the next, so the
tests ask that every magic, command and option stands in the pages, not that the pages are the same to the letter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"

MAGICS = """# Magics

`%load_ext odibi_magics` adds these; `%unload_ext odibi_magics` takes them away again. A cell magic must be the first
line of its cell: above it, not even a comment.

`%config OdibiMagics.keep_rows = 0` keeps no data in the saved notebook: no rows (20 are kept without it), and `[data]`
in place of values that errors and checks quote; `print(odibi_result.node("clean").error)` has the whole text.
`ODIBI_PROGRESS=off` switches the moving display off, for machines. The last result is always in `odibi_result`.

A TABLE is `conn:path`, a node's name, `catalog.schema.table`, a local path or a URL, with `@5` or `@2026-11-20T18:00Z`
for a version where a verb takes one: `%odibi_history` shows the versions up to `@5`, and `%odibi_vacuum` and
`%odibi_optimize` are about the table as it is now. Where one TABLE is expected, two words `CONN PATH@5` work too; one
with a space in it stands in quotes, as `'lake:t@2026-11-20 18:00Z'`.
"""

CLI = """# Command line

The same verbs without a notebook. Data goes to stdout, everything else to stderr; `--json` gives data as JSON.

| exit code | meaning |
|---|---|
| 0 | it worked |
| 1 | it failed |
| 2 | the text or the call is wrong |
| 130 | it was stopped, by Ctrl-C or SIGTERM |

A stop awaits what is being written, since no report may say "not written" of a commit that lands; it does not wait for
Python functions, and drops what they return.

Verbs on tables know the project of `--file`, without it that of the only `*.odibi.yaml` in the folder. A TABLE that can
only be a path, as `./orders` or `data/orders`, needs none: it is looked at also where several projects are there, or
one that is wrong.

What `--json` gives:

- `validate`: `file`, `valid`, `problems`, `warnings`, and how many `connections`, `pipelines` and `nodes` there are;
  the same where the text is wrong, but that these three are null.
- `run`: the run's report, its `state` done, failed or stopped, and a `preview` where one was asked for.
- `plan`: the plan. `preview`: `columns` and `rows`.
- `diff`: `before` and `after` (`address`, `url`, `version`, `rows`, `files`, `bytes`), `identical`, `keys`, `rows` (how
  many are `added`, `removed`, `changed` and `unchanged`; `changed` is null without keys), `schema_changes`, `columns`,
  each with its type `before` and `after` and whether it was `compared`, and a `sample`: `kind`, the values `before` and
  `after` of the columns that were compared, the names of those that `changed`, and how many (`count`) such rows there
  are. `read` and `skipped`: how many `files` and `bytes`; `keys_read` and `unchecked`: of how many of those skipped the
  keys were read, and in how many more a key may stand twice. Tables that differ are no failure: the exit code is 0.
- `history`: `address`, `url`, the `newest` and the `oldest` version, how many `more` are older than those shown,
  `warnings`, and the `entries`, the newest first: `version`, `time`, `operation`, `user`, `engine`, `run`, `pipeline`,
  `node`, `undoes` (the run that an undo took back), `rows_inserted`, `rows_changed`, `rows_deleted`, `files_added`,
  `files_removed`, `bytes_added`, `bytes_removed`, `changes_data` and `parameters`.
- `restore`: the `version` it goes to and its `time`, the newest version `at` which it was seen, the one `committed`
  (null: only shown), what comes `back`, is `gone`, was there `before` and `after`, each as `files`, `rows` and `bytes`,
  `changes` of all else, and `changes_nothing`.
- `vacuum`: `files` and `bytes` that would go, `orphans` and `orphan_bytes` among them, versions that are `lost` and
  `kept`, each as pairs of the first and the last of a run of them, how many were `deleted` and `freed` (null: only
  shown).
- `optimize`: the small `files` and their `bytes`, how many they go `into`, the `parts`, how many versions the log is
  `behind` its last `checkpoint`, whether it was `done`, the version `committed`, and `changes_nothing`.
- `undo`: the `run`, the id `undo` of the undo's own commits, its `state` (`preview`, `done`, `nothing` or `failed`),
  what is `left` as it is, and the `tables`, each with its `state`, the version `at` which it was seen, the version it
  goes `back_to` (null: it is emptied), the one it has `now`, what is `restored`, what came `later`, and `why`.
  A preview exits with 0, also where a table is `refused`, and so does a run that is undone already; where there is no
  run to undo, the call is wrong: 2.
- `connections`: a list, each with its `state`: `ok`, `will be made` (by the first run that writes there), `skipped`
  (only Spark's session opens it) or `failed`, the `seconds` that its answer took, and its `error`.
- `doctor`: a list, each with its `state` (`ok`, `warning` or `failed`), the layer that it `failed_at`, the
  `command` that mends that, and all `layers`: `name`, `state`, `said`, `seconds`, `remedy`, `command` and `may_pass`.
- `init`: the `folder`, the files that were `made` and those `kept` as they were, and the commands that come `next`.
- `schema`: the schema, also without `--json`.
- `sandbox`: nothing; stdout and the exit code are the wrapped command's.
- What fails before that: `error` with `kind` and `message`, of a wrong text `problems` too.

A problem is `message`, `where` (the key's path), `hint`, `file`, `line` and `column`; a warning is `message`, `remedy`
and `code`.
"""


def magics_page() -> str:
    """Every magic with its own help."""
    return "\n".join([MAGICS, *(line for name, text in magic_helps() for line in _part(name, text))]) + "\n"


def cli_page() -> str:
    """Every command with its own help."""
    return "\n".join([CLI, *(line for name, text in command_helps() for line in _part(name, text))]) + "\n"


def magic_helps() -> Iterator[tuple[str, str]]:
    """Each magic and what `--help` behind it prints."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "odibi_magics")
    for kind, mark in (("cell", "%%"), ("line", "%")):
        for name in sorted(shell.magics_manager.magics[kind]):
            if name.startswith("odibi"):
                yield f"{mark}{name}", _help_of(shell, kind, name)


def _help_of(shell: object, kind: str, name: str) -> str:
    said = StringIO()
    with redirect_stdout(said):
        if kind == "cell":
            shell.run_cell_magic(name, "--help", "x")  # type: ignore[attr-defined]
        else:
            shell.run_line_magic(name, "--help")  # type: ignore[attr-defined]
    return said.getvalue()


def command_helps() -> Iterator[tuple[str, str]]:
    """Each command and its help."""
    from odibi_magics.cli.verbs import VERBS

    for verb in VERBS.values():
        yield f"odibi-magics {verb.name}", verb.parser().format_help()


def _part(name: str, text: str) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield f"```text\n{text.strip()}\n```\n"


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    (REFERENCE / "magics.md").write_text(magics_page(), encoding="utf-8")
    (REFERENCE / "cli.md").write_text(cli_page(), encoding="utf-8")
