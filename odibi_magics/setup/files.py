"""Connections as a text of the language: checked as a cell would be, and written to a file that is not there yet."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Final

from odibi_magics.config.load import Config, load
from odibi_magics.config.source import Source
from odibi_magics.display.units import plural
from odibi_magics.errors import ConfigErrors, UsageError
from odibi_magics.pipeline.definitions import definitions
from odibi_magics.project import read_text
from odibi_magics.save import to_yaml
from odibi_magics.secret import redact
from odibi_magics.setup.drafts import Draft, draft_of

_ENDING: Final = ".odibi.yaml"


def only_file(folder: Path) -> Path | None:
    """The project's file, where a folder has one and no more."""
    files = sorted([*folder.glob(f"*{_ENDING}"), *folder.glob(_ENDING[1:])])
    return files[0] if len(files) == 1 else None


def free_name(folder: Path, stem: str = "connections") -> str:
    """A file's name that is not taken."""
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{_ENDING}" for n in count(1))
    return next(name for name in names if not (folder / name).exists())


def write_new(config: Config, name: str) -> Path:
    """Writes a text's connections to a file of its own. Raises UsageError: a file that is there is left as it is."""
    path = Path(name).expanduser()
    folder = path.resolve().parent
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"a project's file ends in {_ENDING}: {path.name}{_ENDING}")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    text = to_yaml(definitions(config), folder=folder)
    _check_alone(text, path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        stem = path.name.removesuffix(path.suffix).removesuffix(".odibi")
        free = path.with_name(free_name(folder, stem))
        raise Taken(
            f"'{path}' is there already, and was left as it is. '{free}' is free", str(free)
        ) from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written: {error.strerror}") from None
    return path


class Taken(UsageError):
    """A file that is there already. free: the name of one that is not."""

    def __init__(self, message: str, free: str) -> None:
        self.free = free
        super().__init__(message)


def _check_alone(text: str, path: Path) -> None:
    if redact(text) != text:
        raise UsageError("the file would hold a secret: name an environment variable in its place")
    try:
        load(Source(text, str(path), path.resolve().parent))
    except ConfigErrors as error:
        raise UsageError(f"in a file of their own the connections do not check: {error}") from None


def drafts_of_file(path: Path, ids: Iterable[str]) -> tuple[list[Draft], str]:
    """The connections of a project's file, none of whose code runs; and why there are none where it does not check."""
    try:
        found = definitions(load(read_text(path)), path.name).connections
    except (ConfigErrors, UsageError) as error:
        problems = plural(len(error.problems), "problem") if isinstance(error, ConfigErrors) else str(error)
        return [], f"{path.name} is left out: {problems}"
    return [draft_of(id_, each) for id_, each in zip(ids, found.values(), strict=False)], ""
