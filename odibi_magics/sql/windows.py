"""OVER (...), FILTER (...) and IGNORE NULLS."""

from __future__ import annotations

from sqlglot import exp

from odibi_magics.sql.accepted import AGGREGATES, WINDOWS
from odibi_magics.sql.calls import call
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, kind, quoted


def window(self: Operators, node: exp.Expr) -> Typed:
    """A function with what follows its brackets."""
    over, filtered, nulls = "", "", ""
    at = node
    while not isinstance(at, exp.Anonymous):
        if isinstance(at, exp.Window):
            over = _over(self, at)
        elif isinstance(at, exp.Filter):
            filtered = f" FILTER (WHERE {self.condition(at.expression.this)})"
        elif isinstance(at, exp.IgnoreNulls):
            nulls = " IGNORE NULLS"
        elif not isinstance(at, exp.RespectNulls):
            return self.refuse(node, "OVER and FILTER follow a function")
        at = at.this
    name = at.name.lower()
    if name not in WINDOWS and name not in AGGREGATES and name != "count":
        return self.refuse(at, f"{name}() is no aggregate and no window function")
    if nulls and name not in ("first", "last", "first_value", "last_value", "nth_value", "lag", "lead"):
        return self.refuse(at, f"IGNORE NULLS does not go with {name}()")
    if name in _FRAMELESS and (spec := node.args.get("spec")) and not _is_ranks_own(name, spec):
        return self.refuse(at, f"{name}() takes no frame")
    if name in _ORDERED and "ORDER BY" not in over and not _named(node):
        return self.refuse(at, f"{name}() needs ORDER BY in OVER (...)")
    made = call(self, at, f"{filtered}{over}" or " ")
    if not nulls or made.type == UNKNOWN:
        return made
    return Typed(made.sql.replace(f"){filtered}{over}", f"{nulls}){filtered}{over}", 1), made.type, node)


_FRAMELESS = ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead")
_ORDERED = ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "lag", "lead", "first", "last",
            "first_value", "last_value", "nth_value")  # fmt: skip


def _is_ranks_own(name: str, spec: exp.Expr) -> bool:
    """The frame of all rows so far, which Spark has for ranks by itself."""
    frame = [str(spec.args.get(part) or "").upper() for part in ("kind", "start", "end")]
    return name not in ("lag", "lead") and frame in (
        ["ROWS", "UNBOUNDED", "CURRENT ROW"],
        ["ROWS", "UNBOUNDED", ""],
    )


def _named(node: exp.Expr) -> bool:
    return isinstance(node, exp.Window) and node.args.get("alias") is not None


def _over(self: Operators, node: exp.Window) -> str:
    alias = node.args.get("alias")
    if alias is not None:
        return f" OVER {quoted(alias.name)}"
    return f" OVER ({specification(self, node)})"


def specification(self: Operators, node: exp.Window) -> str:
    """What stands in OVER (...)."""
    parts = []
    if node.args.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(self.key(item).sql for item in node.args['partition_by'])}")
    order = node.args.get("order")
    if order is not None:
        parts.append(f"ORDER BY {', '.join(ordered(self, item) for item in order.expressions)}")
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(self, node, spec))
    return " ".join(parts)


def ordered(self: Operators, node: exp.Ordered) -> str:
    """One key of an ORDER BY; where NULLs go is always said, as the engines' defaults differ."""
    value = self.expression(node.this)
    if kind(value.type) in ("array", "map", "struct"):
        self.refuse(node, f"ORDER BY of {value.type}: where NULL in it goes is not the same on both engines")
    direction = " DESC" if node.args.get("desc") else ""
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{value}{direction} NULLS {nulls}"


def _frame(self: Operators, node: exp.Window, spec: exp.WindowSpec) -> str:
    kind = str(spec.args.get("kind") or "").upper()
    if spec.args.get("exclude") or kind not in ("ROWS", "RANGE"):
        self.refuse(node, "a frame is ROWS or RANGE BETWEEN ... AND ...")
    start = _bound(self, node, spec, "start", kind)
    if not spec.args.get("end"):
        return f"{kind} {start}"
    return f"{kind} BETWEEN {start} AND {_bound(self, node, spec, 'end', kind)}"


def _bound(self: Operators, node: exp.Window, spec: exp.WindowSpec, side: str, kind: str) -> str:
    value = spec.args.get(side)
    direction = str(spec.args.get(f"{side}_side") or "").upper()
    if isinstance(value, str):
        return f"{value} {direction}".strip()
    if kind == "ROWS" and isinstance(value, exp.Literal) and value.name.isdigit() and direction:
        return f"{value.name} {direction}"
    self.refuse(
        node,
        "a frame's bound is CURRENT ROW, or UNBOUNDED or a whole number (ROWS) with PRECEDING",
    )
    return "CURRENT ROW"
