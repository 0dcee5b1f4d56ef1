"""`functions:` of a project: files and modules imported so that their @transform functions are registered."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path

from odibi_magics.config.load import Config
from odibi_magics.errors import Problem


def load_functions(config: Config) -> list[Problem]:
    """Imports what `functions:` names; a file is relative to the text and read anew each time.

    Returns the problems of those that cannot be imported, each with its line.
    """
    problems = []
    for i, name in enumerate(config.model.functions):
        if not config.sure(("functions", i)):
            continue
        try:
            _load(name, config.source.folder)
        except (Exception, SystemExit) as error:  # user code may raise anything while it is imported
            message = f"'{name}' cannot be imported: {_last_words(error)}"
            problems.append(config.problem(("functions", i), message))
    return problems


def _load(name: str, folder: Path) -> None:
    if not name.endswith(".py"):
        importlib.import_module(name)
        return
    file = (folder / name).resolve()
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(f"odibi_functions_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


def _last_words(error: BaseException) -> str:
    """The error with the line of user code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = (
        f" ({Path(last.filename).name}, line {last.lineno})" if last and last.filename.endswith(".py") else ""
    )
    return f"{type(error).__name__}: {error}{where if not isinstance(error, FileNotFoundError) else ''}"
