"""The problems of a text that is too wrong to be planned, all that can be told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odibi_magics.connections.base import Connection
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import ConfigErrors
from odibi_magics.pipeline.build import Builder
from odibi_magics.pipeline.definitions import Definitions, definitions
from odibi_magics.sql.modules import load_functions


def with_sql_problems(error: ConfigErrors, earlier: Definitions) -> ConfigErrors:
    """The problems of a text, with those of SQL, functions and columns in what is left of it: all come in one go."""
    if error.left is None:
        return error
    config, known = error.left
    new = definitions(config)
    unknown = known.nodes - new.nodes.keys() - earlier.nodes.keys()
    builder = Builder(earlier.add(new), list(new.nodes), choose_engine("pandas"), unopened, unknown=unknown)
    functions = load_functions(config)
    try:
        builder.build()
    except Exception:  # what is left of a wrong text may be too little to look further; its problems are told
        return error
    return ConfigErrors([*error.problems, *functions, *builder.problems], error.what)


def unopened(connections: Sequence[Connection]) -> Mapping[str, None]:
    """The connections that cannot be opened without fetching anything: of a wrong text no vault is asked."""
    return {connection.name: None for connection in connections if connection.needs()}
