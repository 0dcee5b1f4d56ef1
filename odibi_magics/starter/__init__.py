"""What a project starts with: its files lie beside this module, and `lay_out` puts them where they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from odibi_magics.errors import UsageError

_HERE = Path(__file__).parent

# Where each file goes, with what it is for. Names without their dot are packed like any others.
_PROJECT = {
    "orders.odibi.yaml": ("orders.odibi.yaml", "the pipeline"),
    "orders.ipynb": ("orders.ipynb", "the same in a notebook"),
    "input/orders/2026-11-01.csv": ("input/orders/2026-11-01.csv", "what it reads"),
    "input/orders/2026-11-02.csv": ("input/orders/2026-11-02.csv", "what it reads"),
    "env.example": (".env.example", "copy it to .env for names and secrets"),
    "gitignore": (".gitignore", "keeps .env and data/ out of git"),
    "vscode/settings.json": (".vscode/settings.json", "VS Code checks the pipeline"),
}
_SCHEMA = (".vscode/odibi.schema.json", "by this schema")
_DATABRICKS = {
    "databricks.yml": ("databricks.yml", "lays the project out in a workspace, once its names are yours"),
    "resources/orders.job.yml": ("resources/orders.job.yml", "its daily job"),
}


@dataclass(frozen=True)
class Laid:
    """What a call laid out. made: files with what each is for. kept: those that were there, and are as they were."""

    folder: Path
    made: dict[str, str]
    kept: tuple[str, ...]


def lay_out(folder: Path, *, databricks: bool = False) -> Laid:
    """Makes the files of a project in a folder, which need not be there. Never changes a file.

    databricks: the bundle of a job, too. Raises UsageError where a file cannot be made.
    """
    made: dict[str, str] = {}
    kept: list[str] = []
    for name, about, data in _files(databricks):
        if _make(folder / name, data):
            made[name] = about
        else:
            kept.append(name)
    return Laid(folder, made, tuple(kept))


def _files(databricks: bool) -> Iterator[tuple[str, str, bytes]]:
    from odibi_magics.config.schema import schema_text

    for source, (name, about) in _PROJECT.items():
        yield name, about, (_HERE / "project" / source).read_bytes()
    yield *_SCHEMA, f"{schema_text()}\n".encode()
    for source, (name, about) in _DATABRICKS.items() if databricks else ():
        yield name, about, (_HERE / "databricks" / source).read_bytes()


def _make(path: Path, data: bytes) -> bool:
    """False where something is there already. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        if error.filename == str(path):
            return False
        raise UsageError(f"'{error.filename}' is a file, and a folder is needed there") from None
    except OSError as error:
        raise UsageError(f"'{error.filename or path}' cannot be made: {error.strerror}") from None
    return True
