"""@transform: Python functions by name, with what their annotations ask for."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, overload

from odibi_magics.errors import UsageError, suggest
from odibi_magics.secret import names_secret

F = TypeVar("F", bound=Callable[..., Any])

# Frame classes by the library and the name, so that none of the libraries is imported for it.
_KINDS = {
    ("pandas", "DataFrame"): "pandas", ("polars", "DataFrame"): "polars", ("polars", "LazyFrame"): "polars_lazy",
    ("pyarrow", "Table"): "arrow", ("pyarrow", "RecordBatchReader"): "reader", ("pyspark", "DataFrame"): "spark",
}  # fmt: skip
_SHORT = {"pd": "pandas", "pl": "polars", "pa": "pyarrow"}


@dataclass(frozen=True)
class Function:
    """A registered function.

    frames: its frame parameters in order, each with the kind its annotation names ("pandas" with none).
    params: its other parameters. origin: the file it comes from, "" where that is unknown.
    source: its text, "" where it cannot be had.
    """

    name: str
    call: Callable[..., Any]
    frames: tuple[tuple[str, str], ...]
    params: tuple[inspect.Parameter, ...]
    origin: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """Where its lines are counted: "transforms.py", "cell [3]", or "its cell" where the number is not known."""
        cell = re.match(r"<ipython-input-(\d+)-", self.origin)
        if cell:
            return f"cell [{cell[1]}]"
        in_cell = self.origin.startswith("<") or "ipykernel_" in self.origin
        return "its cell" if in_cell else PurePath(self.origin).name


_registered: dict[str, Function] = {}


@overload
def transform(function: F, /) -> F: ...
@overload
def transform(*, name: str | None = None) -> Callable[[F], F]: ...
def transform(function: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
    """Registers a function for `function:` steps, under its own name or `name`.

    Its first parameters are the input frames: of the kind their annotation names (pandas.DataFrame, also with none;
    polars.DataFrame, polars.LazyFrame, pyarrow.Table, pyarrow.RecordBatchReader, pyspark.sql.DataFrame). A parameter
    named like an upstream node takes that node; the first takes `df`. The others come from `params:`.

    Raises UsageError for what cannot be called with a frame.
    """
    if function is None:
        return lambda wrapped: _register(wrapped, name)
    return _register(function, name)


def _register(function: F, name: str | None) -> F:
    made = describe(function, name or function.__name__)
    _registered[made.name] = made
    return function


def registered() -> Mapping[str, Function]:
    """The functions registered in this process, by name."""
    return _registered


def describe(function: Callable[..., Any], name: str) -> Function:
    """A function as steps see it. Raises UsageError where it takes no frame, or is async or a generator."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError(f"@transform: '{name}' must return a frame; async functions and generators do not")
    parameters = [
        _resolved(function, parameter) for parameter in inspect.signature(function).parameters.values()
    ]
    named = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]
    if not named or named[0].kind is inspect.Parameter.VAR_KEYWORD:
        raise UsageError(
            f"@transform: '{name}' takes no frame: its first parameter is the input, def {name}(df): …"
        )
    frames = [(named[0].name, _kind(named[0].annotation) or "pandas")]
    for parameter in named[1:]:
        kind = _kind(parameter.annotation)
        if kind is None:
            break
        frames.append((parameter.name, kind))
    return Function(
        name, function, tuple(frames), tuple(named[len(frames) :]), _origin(function), _source(function)
    )


def _resolved(function: Callable[..., Any], parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter with its annotation looked up; as text where the name is only there for type checkers."""
    if not isinstance(parameter.annotation, str):
        return parameter
    try:
        looked_up = eval(parameter.annotation, getattr(inspect.unwrap(function), "__globals__", {}))
    except Exception:  # any expression may stand there
        return parameter
    return parameter.replace(annotation=looked_up)


def _kind(annotation: Any) -> str | None:
    if isinstance(annotation, str):
        library, _, name = annotation.rpartition(".")
        root = library.partition(".")[0]
        return _KINDS.get((_SHORT.get(root, root), name), "pandas" if annotation == "DataFrame" else None)
    root = getattr(annotation, "__module__", "").partition(".")[0]
    return _KINDS.get((root, getattr(annotation, "__name__", "")))


def _origin(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else ""


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


# Calls ----------------------------------------------------------------------------------------------------------------


def check_call(
    function: Function, params: Mapping[str, Any], inputs: Collection[str]
) -> list[tuple[str, str]]:
    """All that is wrong with a call: (parameter, message) each. inputs: upstream nodes it is known to have."""
    return [*_unknown(function, params), *_missing(function, params, inputs), *_mistyped(function, params)]


def _unknown(function: Function, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    frames = {name for name, _ in function.frames}
    names = [p.name for p in function.params if p.kind is not p.VAR_KEYWORD]
    takes_any = len(names) < len(function.params)
    for name in params:
        if name in frames:
            yield name, f"'{name}' of {function.name}() takes an input frame, not a value"
        elif name not in names and not takes_any:
            hint = suggest(name, names) or "it takes none"
            yield name, f"{function.name}() has no parameter '{name}' ({hint})"


def _missing(
    function: Function, params: Mapping[str, Any], inputs: Collection[str]
) -> Iterator[tuple[str, str]]:
    for name, _ in function.frames[1:]:
        if name not in inputs:
            yield name, f"'{name}' of {function.name}() takes a frame: name the node in depends_on: [{name}]"
    for parameter in function.params:
        given = (
            parameter.name in params or parameter.name in inputs or parameter.default is not parameter.empty
        )
        if not given and parameter.kind is not parameter.VAR_KEYWORD:
            yield parameter.name, f"{function.name}() needs the parameter '{parameter.name}'"


def _mistyped(function: Function, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in function.params:
        if parameter.name not in params or parameter.annotation is parameter.empty:
            continue
        if not fits(params[parameter.name], parameter.annotation):
            expected, given = _word(parameter.annotation), _given(parameter.name, params[parameter.name])
            yield (
                parameter.name,
                f"'{parameter.name}' of {function.name}() is {expected}, and {given} was given",
            )


_PLAIN = (str, int, float, bool, list, tuple, dict, set)


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value of YAML is of an annotated type; annotations that YAML has no values for always fit."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in args)
    if origin is Literal:
        return value in args and type(value) in {type(arg) for arg in args}
    if origin in (list, tuple, dict, set):
        return _fits_plain(value, origin) and _items_fit(value, origin, args)
    return annotation not in _PLAIN or _fits_plain(value, annotation)


def _fits_plain(value: Any, kind: type) -> bool:
    if kind in (int, float) and isinstance(value, bool):
        return False
    if kind in (tuple, set):
        return isinstance(value, (list, tuple, set))
    return isinstance(value, (int, float) if kind is float else kind)


def _items_fit(value: Any, origin: type, args: tuple[Any, ...]) -> bool:
    if not args:
        return True
    if origin is dict:
        return all(fits(key, args[0]) and fits(item, args[1]) for key, item in value.items())
    return origin is tuple or all(fits(item, args[0]) for item in value)


def _word(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _given(name: str, value: Any) -> str:
    if value is None:
        return "null"
    return type(value).__name__ if names_secret(name) else f"{type(value).__name__} {value!r}"
