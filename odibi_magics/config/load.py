"""Text into a checked config, or all its problems at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from odibi_magics.config.marks import Document, Path, parse, render_path
from odibi_magics.config.source import Source
from odibi_magics.config.sqltext import TEMPLATE, VARIABLE
from odibi_magics.config.tree import NotAProject, Tree, connections_tree, overlay, project_tree
from odibi_magics.config.variables import SQL_KEYS, Missing, Values, fill, note
from odibi_magics.errors import ConfigErrors, Problem, nearest, suggest
from odibi_magics.secret import SECRET_KEYS, Secret, names_secret


@dataclass(frozen=True)
class Known:
    """What earlier cells of the notebook defined: names this text may refer to.

    settings: project-wide keys they set (engine, sql_dialect ...), which hold here too unless this text sets them.
    """

    connections: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    vaults: frozenset[str] = frozenset()
    vars: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """A checked text.

    model: the project as models. tree: the plain values, which find every path's line. values: its variables.
    literal_secrets: paths of secrets that stand in the text itself. guessed: paths of what is wrong in the text, and
    has something else in its place in `model`, so that the rest can be checked.
    """

    source: Source
    model: Any
    tree: Tree = field(repr=False)
    values: Values = field(repr=False)
    environment: str | None = None
    literal_secrets: tuple[Path, ...] = ()
    guessed: frozenset[Path] = frozenset()
    filled: Any = field(default=None, repr=False)
    problems: list[Problem] = field(default_factory=list, repr=False)

    @property
    def variables(self) -> dict[str, Any]:
        """Its `vars` as they were written, `${NAME}` not filled in."""
        return _mapping(self.tree.value.get("vars"))

    def sure(self, *paths: Path) -> bool:
        """Whether all at the paths, and below them, stands in the text as it is in `model`."""
        return not any(guess[: len(path)] == path[: len(guess)] for guess in self.guessed for path in paths)

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """A problem with the value at a path of the project."""
        return Problem(message, render_path(self.tree.written(path)), self.tree.value_place(path), hint)

    def key_problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """A problem with a key, or with one that is missing from the mapping at `path[:-1]`."""
        return Problem(message, render_path(self.tree.written(path)), self.tree.key_place(path), hint)


def load(
    source: Source,
    *,
    environment: str | None = None,
    variables: Mapping[str, Any] | None = None,
    notebook: Mapping[str, Any] | None = None,
    known: Known | None = None,
) -> Config:
    """Reads a project, pipelines, a pipeline's nodes or a bare list of nodes.

    variables: from --set, before all others. notebook: variables for names that nothing else defines.
    Raises ConfigErrors with every problem of the text.
    """
    return _load(source, project_tree, environment, variables or {}, notebook or {}, known or Known())


def load_connections(
    source: Source,
    *,
    variables: Mapping[str, Any] | None = None,
    notebook: Mapping[str, Any] | None = None,
    known: Known | None = None,
) -> Config:
    """Reads connections by name, under `connections:` or bare. Raises ConfigErrors."""
    return _load(source, connections_tree, None, variables or {}, notebook or {}, known or Known())


def _load(
    source: Source,
    shape: Callable[[Document], Tree],
    environment: str | None,
    variables: Mapping[str, Any],
    notebook: Mapping[str, Any],
    known: Known,
) -> Config:
    document = parse(source)
    _stop_at(document.problems if document.value is None else [], source)
    try:
        tree = shape(document)
    except NotAProject as error:
        raise ConfigErrors([*document.problems, Problem(str(error))], source.name) from None
    config = _validated(source, tree, environment, variables, notebook, known)
    from odibi_magics.config.azure import with_vaults
    from odibi_magics.config.check import check

    config.problems[:0] = document.problems
    checkable = _checkable(config, known)
    if checkable is not None:
        config.problems.extend(check(*checkable))
    if config.problems:
        raise ConfigErrors(config.problems, source.name, left=checkable)
    return with_vaults(config, known)


def _checkable(config: Config, known: Known) -> tuple[Config, Known] | None:
    """The config itself; where its models failed, one with guesses in place of what is wrong."""
    if config.model is not None:
        return config, known
    from odibi_magics.config.guess import guess

    guessed = guess(config, known)
    return guessed and (replace(guessed[0], model=_inheriting(guessed[0].model, known.settings)), guessed[1])


def _stop_at(problems: list[Problem], source: Source) -> None:
    if problems:
        raise ConfigErrors(problems, source.name)


def _validated(
    source: Source,
    tree: Tree,
    environment: str | None,
    variables: Mapping[str, Any],
    notebook: Mapping[str, Any],
    known: Known,
) -> Config:
    from pydantic import ValidationError

    from odibi_magics.config.explain import explain
    from odibi_magics.config.models import ProjectConfig

    problems: list[Problem] = []
    problems.extend(_misshapen(tree, environment))
    problems.extend(_unusable_vars(tree))
    problems.extend(_unknown_overlaid(tree, known))
    problems.extend(_unknown_keys(tree, environment))
    written = _mapping(tree.value.get("vars"))
    over = _chosen_environment(tree, environment, problems)
    overlaid = _mapping(over.get("vars"))
    values = Values(
        variables, overlaid, {**known.vars, **written}, notebook, environment or "", source.folder,
        here={*written, *overlaid},
    )  # fmt: skip
    secrets = tuple(_literal_secrets(tree.value, ()))
    filler = _Filler(tree, values, problems, known)
    filled = filler.fill(tree.value, ())
    _keep_secret(filled)
    if values.dotenv_fault:
        problems.append(Problem(values.dotenv_fault))
    for name in sorted(set(variables) - set(values.used)):
        hint = suggest(name, list(values.used))
        problems.append(Problem(f"--set {name}: the text uses no {{{{ {name} }}}}", hint=hint))
    try:
        model = _inheriting(ProjectConfig.model_validate(filled), known.settings)
    except ValidationError as error:
        problems.extend(explain(error, ProjectConfig, tree))
        model = None
    unfilled = frozenset(filler.unfilled)
    return Config(source, model, tree, values, environment, secrets, unfilled, filled, problems)


def _inheriting(model: Any, settings: Mapping[str, Any]) -> Any:
    left = {key: value for key, value in settings.items() if key not in model.model_fields_set}
    return model.model_copy(update=left) if left else model


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _chosen_environment(tree: Tree, environment: str | None, problems: list[Problem]) -> dict[str, Any]:
    if environment is None:
        return {}
    defined = _mapping(tree.value.get("environments"))
    if environment not in defined:
        place = tree.key_place(("environments",)) if defined else None
        hint = suggest(environment, list(defined)) or "no environments are defined"
        problems.append(Problem(f"unknown environment '{environment}'", "environments", place, hint))
        return {}
    over = defined[environment]
    if not isinstance(over, dict):
        problems.append(_no_mapping(tree, ("environments", environment)))
        return {}
    overlay(tree, environment)
    return dict(over)


def _misshapen(tree: Tree, chosen: str | None) -> Iterator[Problem]:
    """Environments that are no overlays; the chosen one is told where it is laid over the project."""
    given = tree.value.get("environments")
    if given is not None and not isinstance(given, dict):
        yield _no_mapping(tree, ("environments",))
    for environment, over in _mapping(given).items():
        if environment != chosen and not isinstance(over, dict):
            yield _no_mapping(tree, ("environments", environment))


def _no_mapping(tree: Tree, path: Path) -> Problem:
    hint = "environments: {prod: {vars: {name: value}}}"
    return Problem("expected a mapping", render_path(path), tree.value_place(path), hint)


def _unusable_vars(tree: Tree) -> Iterator[Problem]:
    """Names that no {{ name }} can have, and names with nothing behind them, which would be NULL."""
    overlays = _mapping(tree.value.get("environments"))
    for path in (("vars",), *(("environments", environment, "vars") for environment in overlays)):
        for name in _mapping(tree.at(path)):
            here = (*path, name)
            if not VARIABLE.fullmatch(f"{{{{{name}}}}}"):
                said = f"'{name}' is no variable's name: {{{{ name }}}} takes letters, digits and _"
                yield Problem(said, render_path(path), tree.key_place(here))
            elif tree.is_empty(here):
                yield Problem(
                    "expected a value",
                    render_path(here),
                    tree.key_place(here),
                    "null for none, '' for an empty text",
                )


def _unknown_keys(tree: Tree, chosen: str | None) -> Iterator[Problem]:
    """Of the environments that are not chosen, whose values may need variables that only their own runs have."""
    from odibi_magics.config.explain import explain_unknown
    from odibi_magics.config.models import ProjectConfig

    for environment, over in _mapping(tree.value.get("environments")).items():
        if environment != chosen and isinstance(over, dict):
            laid = Tree(tree.document, tree.value, dict(tree.origin))
            overlay(laid, environment)
            yield from explain_unknown(ProjectConfig, laid, ("environments", environment))


def _unknown_overlaid(tree: Tree, known: Known) -> Iterator[Problem]:
    """Variables that an environment sets and nothing else knows: a misspelt one would leave the other as it is."""
    there = {*known.vars, *_mapping(tree.value.get("vars")), *_used(tree.value)}
    for environment, over in _mapping(tree.value.get("environments")).items():
        for name in _mapping(_mapping(over).get("vars")):
            if name not in there:
                path = ("environments", environment, "vars", name)
                said = f"unknown variable '{name}': no vars: has it, and the text does not use it"
                yield Problem(said, render_path(path[:-1]), tree.key_place(path), suggest(name, [*there]))


def _used(value: Any) -> set[str]:
    """The names of all variables in a text's values."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return set().union(*map(_used, inner))
    return {match[1] for match in VARIABLE.finditer(value)} if isinstance(value, str) else set()


def _keep_secret(filled: Any) -> None:
    """Makes the redactor know what goes to a storage library as a secret, wherever its value came from."""
    for connection in _mapping(_mapping(filled).get("connections")).values():
        for key, value in _mapping(_mapping(connection).get("storage_options")).items():
            if isinstance(value, str) and names_secret(key):
                Secret(value)


def _literal_secrets(value: Any, path: Path) -> list[Path]:
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in _literal_secrets(item, (*path, i))]
    if not isinstance(value, dict):
        return []
    found = [hit for key, item in value.items() for hit in _literal_secrets(item, (*path, key))]
    return found + [(*path, key) for key in SECRET_KEYS & value.keys() if _hides_literal(value[key])]


def _hides_literal(value: Any) -> bool:
    """Whether text under a secret's key stands there itself; from here on the redactor knows it, so that no excerpt
    of the text shows it."""
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        hidden = [_hides_literal(item) for item in inner]  # all of them, not up to the first
        return any(hidden)
    if not isinstance(value, str) or TEMPLATE.search(value):
        return False
    Secret(value)
    return True


# Of one scalar's names that cannot be filled in, so many are told.
_MANY = 100


class _Filler:
    """Fills variables into every scalar but SQL, and reports all missing names at once."""

    def __init__(self, tree: Tree, values: Values, problems: list[Problem], known: Known) -> None:
        self.tree, self.values, self.problems = tree, values, problems
        self.unfilled: set[Path] = set()
        self.dialect = tree.value.get("sql_dialect", known.settings.get("sql_dialect"))

    def fill(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {
                key: self.fill(item, (*path, key))
                for key, item in value.items()
                if not self._skipped(path, key)
            }
        if isinstance(value, list):
            return [self.fill(item, (*path, i)) for i, item in enumerate(value)]
        return (
            self._scalar(value, path)
            if isinstance(value, str) and ("{{" in value or "${" in value)
            else value
        )

    def _skipped(self, path: Path, key: str) -> bool:
        # Overlays that were not chosen may name variables that only their own runs have.
        return not path and key == "environments"

    def _scalar(self, value: str, path: Path) -> Any:
        missing: list[Missing] = []
        if _is_sql(path):
            filled: Any = value
            note(
                value,
                "duckdb" if self.dialect == "duckdb" and "steps" in path else "spark",
                self.values,
                missing,
            )
        elif path[0] == "vars" and VARIABLE.search(value):
            self._problem(path, "a variable cannot be made of another", "", Missing("", "", value, 0, 0))
            return value
        else:
            filled = fill(value, self.values, missing)
        first = {(name.kind, name.name): name for name in reversed(missing)}
        for name in islice(reversed(first.values()), _MANY):  # each has to be looked for in the text
            self._problem(path, *self._words(name), name)
            self.unfilled.add(path)
        return filled

    def _words(self, missing: Missing) -> tuple[str, str]:
        """What is wrong with a name, and the hint."""
        match missing.kind:
            case "variable":
                return f"unknown variable '{missing.name}'", self._meant(missing.name)
            case "environment":
                hint = "set it in the environment, or in a .env file beside the text"
                return f"${{{missing.name}}} is {'empty' if missing.name in os.environ else 'not set'}", hint
            case "sql":
                hint = f"say vars: {{x: ${{{missing.name}}}}}, and {{{{ x }}}} here"
                return f"${{{missing.name}}} is not filled in inside SQL", hint
            case "odd":
                form = "{{ name }}" if missing.name.startswith("{{") else "${NAME}"
                return f"'{missing.name}' is not filled in", f"{form} takes a name alone"
            case _:
                return f"the value of '{missing.name}' holds half a character (a lone surrogate)", ""

    def _meant(self, variable: str) -> str:
        """Which variable was meant. One that --set alone knows is the misspelt one, and not what the text says."""
        values = self.values
        written = {*values.overlay, *values.own, *values.notebook}
        only_set = nearest(variable, [name for name in values.overrides if name not in written])
        if only_set:
            return f"--set says '{only_set}': did you mean --set {variable}=...?"
        return suggest(variable, values.names()) or "define it under vars:, or with --set"

    def _problem(self, path: Path, message: str, hint: str, at: Missing) -> None:
        place = self.tree.place_in(path, at.text, at.start, at.end)
        self.problems.append(Problem(message, render_path(self.tree.written(path)), place, hint))


def _is_sql(path: Path) -> bool:
    """A function's parameter may be called `filter` too."""
    return path[0] == "pipelines" and path[-1] in SQL_KEYS and "params" not in path
