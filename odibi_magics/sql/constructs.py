"""The nodes of the tree that are accepted, and plain words for those that are not."""

from __future__ import annotations

import re

from sqlglot import exp

EXPRESSIONS = frozenset({
    exp.Column, exp.Identifier, exp.Dot, exp.Star, exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.RawString,
    exp.Concat,
    exp.Paren, exp.Tuple, exp.Anonymous, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Case, exp.If,
    exp.And, exp.Or, exp.Not, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.Escape, exp.RegexpLike, exp.Exists, exp.Interval, exp.Var, exp.Extract, exp.Trim,
    exp.Window, exp.WindowSpec, exp.Filter, exp.Distinct, exp.IgnoreNulls, exp.RespectNulls, exp.Bracket,
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.CurrentDate, exp.CurrentTimestamp, exp.Any,
    exp.All,

})  # fmt: skip

QUERIES = frozenset({
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Table,
    exp.TableAlias,
    exp.Join, exp.Where, exp.Group, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Having, exp.Qualify, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Values, exp.Hint, exp.Lateral,
})  # fmt: skip

_WORDS: dict[type[exp.Expr], str] = {
    exp.Cluster: "CLUSTER BY", exp.Sort: "SORT BY", exp.Distribute: "DISTRIBUTE BY", exp.Lambda: "a lambda (x -> ...)",
    exp.HexString: "a hexadecimal literal", exp.QueryTransform: "SELECT TRANSFORM", exp.SessionUser: "session_user",
    exp.IntervalSpan: "an interval of several units", exp.JSONExtract: "a:b", exp.TableSample: "TABLESAMPLE",
}  # fmt: skip

# What has another way to be said.
INSTEAD: dict[type[exp.Expr], str] = {
    exp.Version: "VERSION AS OF and TIMESTAMP AS OF are not accepted: `read:` takes version: and timestamp:",
    exp.Into: "SELECT INTO is not allowed: a step only reads",
    exp.Array: "Spark SQL has no [1, 2]: write array(1, 2)",
    exp.SimilarTo: "Spark SQL has no SIMILAR TO: write RLIKE",
    exp.Placeholder: "a parameter is not filled in here: write {{ name }}",
    exp.Parameter: "a parameter is not filled in here: write {{ name }}",
}


def words_of(node: exp.Expr) -> str:
    """A construct as people write it: SimilarTo as SIMILAR TO."""
    return _WORDS.get(type(node)) or re.sub(_BETWEEN_WORDS, " ", type(node).__name__).upper()


_BETWEEN_WORDS = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
