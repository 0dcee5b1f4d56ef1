"""Functions proved to answer alike on both engines, as data.

name: one row for each way to call it, in the words of signatures.py:
what it takes -> what Spark gives: what DuckDB gets.
In templates {0} is the first argument, {0:p} the same as an operand, {all} the list; {over} stands where an
aggregate's FILTER and OVER go. The first row whose types fit is taken, one with no widening before others.
Answers are proved by tests/sql/answers.json, recorded from Spark.
"""

from __future__ import annotations

from functools import cache

from odibi_magics.sql.letters import LOWER, UPPER

_LENGTH = "string -> int: CAST(length({0}) AS INTEGER)"
_SUBSTRING = (
    "string, int -> string: substring({0}, CASE WHEN {1:p} = 0 THEN 1 "
    "ELSE greatest({1}, -length({0}) - CAST({1:p} = 0 AS INTEGER)) END)",
    "string, int, int -> string: CASE WHEN {2:p} <= 0 THEN left({0}, 0 * {1:p}) WHEN {1:p} >= 0 "
    "THEN substring({0}, greatest({1}, 1), {2}) ELSE left(right({0}, -CAST({1} AS BIGINT)), "
    "greatest(0, CAST({2} AS BIGINT) - greatest(0, -CAST({1} AS BIGINT) - length({0}))) + 0 * {2:p}) END",
)
_NAN_LOG = "double -> double: CASE WHEN {{0:p}} <= 0 THEN NULL ELSE {}({{0}}) END"


def _part(duckdb: str) -> tuple[str, ...]:
    return (
        f"date -> int: CAST({duckdb}({{0}}) AS INTEGER)",
        f"timestamp -> int: CAST({duckdb}({{0}}) AS INTEGER)",
    )


def _time(duckdb: str) -> tuple[str, ...]:
    return (f"timestamp -> int: CAST({duckdb}({{0}}) AS INTEGER)",)


def _double(duckdb: str) -> tuple[str, ...]:
    return (f"double -> double: {duckdb}({{0}})",)


_DATE_ADD = ("date, int -> date: {0:p} + CAST({1} AS INTEGER)",)
_DATE_SUB = ("date, int -> date: {0:p} - CAST({1} AS INTEGER)",)
_DATEDIFF = ("date, date -> int: CAST({0:p} - {1:p} AS INTEGER)",)
_COALESCE = ("T, T... -> T: coalesce({all})",)
_IF = ("boolean, T, T -> T: CASE WHEN {0} THEN {1} ELSE {2} END",)
_CONTAINS = "string, string -> boolean: {}({{0}}, {{1}})"
# C's pow of 1 is 1 whatever the exponent.
_POW = (
    "double, double -> double: CASE WHEN abs({0}) = 1 AND NOT isfinite({1}) THEN CAST('nan' AS DOUBLE) "
    "ELSE pow({0}, {1}) END",
)

SCALAR: dict[str, tuple[str, ...]] = {
    # choices and NULL
    "coalesce": _COALESCE,
    "nvl": ("T, T -> T: coalesce({all})",),
    "ifnull": ("T, T -> T: coalesce({all})",),
    "nvl2": ("K, T, T -> T: CASE WHEN {0:p} IS NOT NULL THEN {1} ELSE {2} END",),
    "nullifzero": ("N -> N: nullif({0}, 0)",),
    "zeroifnull": (
        "int -> int: coalesce({0}, 0)",
        "bigint -> bigint: coalesce({0}, 0)",
        "F -> F: coalesce({0}, 0)",
    ),
    "if": _IF,
    "isnull": ("T -> boolean: ({0:p} IS NULL)",),
    "isnotnull": ("T -> boolean: ({0:p} IS NOT NULL)",),
    "equal_null": ("O, O -> boolean: ({0:p} IS NOT DISTINCT FROM {1:p})",),
    "greatest": ("O, O+... -> O: greatest({all})",),
    "least": ("O, O+... -> O: least({all})",),
    "isnan": ("double -> boolean: coalesce(isnan({0}), FALSE)",),
    "nanvl": tuple(
        f"{one}, {one} -> {one}: CASE WHEN isnan({{0}}) THEN {{1}} ELSE {{0}} END" for one in ("float", "double")
    ),
    # numbers
    "abs": ("int -> int: abs({0})", "N -> N: abs({0})"),
    "negative": ("N -> N: -{0:p}",),
    "positive": ("N -> N: {0}",),
    "sign": ("double -> double: CASE WHEN isnan({0}) THEN {0} ELSE CAST(sign({0}) AS DOUBLE) END",),
    "signum": ("double -> double: CASE WHEN isnan({0}) THEN {0} ELSE CAST(sign({0}) AS DOUBLE) END",),
    "sqrt": _double("sqrt"),
    "cbrt": _double("cbrt"),
    "exp": _double("exp"),
    "ln": (_NAN_LOG.format("ln"),),
    "log10": (_NAN_LOG.format("log10"),),
    "log2": (_NAN_LOG.format("log2"),),
    "power": _POW,
    "pow": _POW,
    "pi": ("-> double: pi()",),
    "e": ("-> double: exp(1.0)",),
    "sin": _double("sin"),
    "cos": _double("cos"),
    "tan": _double("tan"),
    "asin": _double("asin"),
    "acos": _double("acos"),
    "atan": _double("atan"),
    "atan2": ("double, double -> double: atan2({0:p} + 0, {1:p} + 0)",),  # Spark makes 0.0 of -0.0
    "sinh": _double("sinh"),
    "cosh": _double("cosh"),
    "tanh": _double("tanh"),
    "degrees": _double("degrees"),
    "radians": _double("radians"),
    "bit_count": ("bigint -> int: CAST(bit_count(CAST({0} AS BIGINT)) AS INTEGER)",),
    "factorial": ("int -> bigint: CASE WHEN {0:p} BETWEEN 0 AND 20 THEN CAST(factorial({0}) AS BIGINT) END",),
    "bin": ("bigint -> string: CASE WHEN {0:p} >= 0 THEN bin({0}) "
            "ELSE bin(CAST(CAST({0} AS HUGEINT) + 18446744073709551616 AS UBIGINT)) END",),
    "hex": (
        "bigint -> string: hex({0})",
        "string -> string: hex({0})",
        "binary -> string: hex({0})",
    ),
    # text
    "lower": LOWER,
    "lcase": LOWER,
    "upper": UPPER,
    "ucase": UPPER,
    "length": (_LENGTH,),
    "len": (_LENGTH,),
    "char_length": (_LENGTH,),
    "character_length": (_LENGTH,),
    "octet_length": ("string -> int: CAST(strlen({0}) AS INTEGER)",),
    "bit_length": ("string -> int: CAST(bit_length({0}) AS INTEGER)",),
    "trim": ("string -> string: trim({0}, ' ')", "string, string -> string: trim({1}, {0})"),
    "ltrim": ("string -> string: ltrim({0}, ' ')", "string, string -> string: ltrim({1}, {0})"),
    "rtrim": ("string -> string: rtrim({0}, ' ')", "string, string -> string: rtrim({1}, {0})"),
    "btrim": ("string -> string: trim({0}, ' ')", "string, string -> string: trim({0}, {1})"),
    "concat_ws": ("literal string, string... -> string: concat_ws({all})",),
    "substring": _SUBSTRING,
    "substr": _SUBSTRING,
    "left": ("string, int -> string: left({0}, CASE WHEN {1:p} < 0 THEN 0 ELSE {1} END)",),
    "right": ("string, int -> string: right({0}, CASE WHEN {1:p} < 0 THEN 0 ELSE {1} END)",),
    "replace": (
        "string, string -> string: CASE WHEN {1:p} = '' THEN {0} ELSE replace({0}, {1}, '') END",
        "string, string, string -> string: CASE WHEN {1:p} = '' AND {2:p} IS NOT NULL THEN {0} "
        "ELSE replace({0}, {1}, {2}) END",
    ),
    # DuckDB's keeps together what is shown as one letter.
    "reverse": (
        "string -> string: CASE WHEN strlen({0}) = length({0}) THEN reverse({0}) "
        "ELSE array_to_string(list_reverse(string_split({0}, '')), '') END",
        "array<T> -> array<T>: list_reverse({0})",
    ),
    "repeat": ("string, int -> string: repeat({0}, CASE WHEN {1:p} < 0 THEN 0 ELSE {1} END)",),
    "space": ("int -> string: repeat(' ', CASE WHEN {0:p} < 0 THEN 0 ELSE {0} END)",),
    "lpad": (
        "string, int -> string: CASE WHEN {1:p} <= 0 THEN left({0}, 0) ELSE lpad({0}, {1}, ' ') END",
        "string, int, string -> string: CASE WHEN {1:p} <= 0 THEN left({0}, 0 * length({2})) "
        "WHEN {2:p} = '' THEN left({0}, {1}) ELSE lpad({0}, {1}, {2}) END",
    ),
    "rpad": (
        "string, int -> string: CASE WHEN {1:p} <= 0 THEN left({0}, 0) ELSE rpad({0}, {1}, ' ') END",
        "string, int, string -> string: CASE WHEN {1:p} <= 0 THEN left({0}, 0 * length({2})) "
        "WHEN {2:p} = '' THEN left({0}, {1}) ELSE rpad({0}, {1}, {2}) END",
    ),
    "instr": ("string, string -> int: CAST(instr({0}, {1}) AS INTEGER)",),
    "locate": ("string, string -> int: CAST(instr({1}, {0}) AS INTEGER)",),
    "position": ("string, string -> int: CAST(instr({1}, {0}) AS INTEGER)",),
        "startswith": (_CONTAINS.format("starts_with"),),
    "endswith": (_CONTAINS.format("ends_with"),),
    "contains": (_CONTAINS.format("contains"),),
    "translate": ("string, string, string -> string: translate({0}, {1}, {2})",),
    "ascii": ("string -> int: ascii({0})",),
    "split_part": ("string, string, int -> string: CASE WHEN {1:p} = '' AND abs({2}) = 1 THEN {0} ELSE split_part("
                   "{0}, CASE WHEN {1:p} = '' THEN {0} || 'x' ELSE {1} END, CASE WHEN {2:p} = 0 "
                   "THEN error('the index of split_part must not be 0') ELSE {2} END) END",),
    "md5": ("string -> string: md5({0})", "binary -> string: md5({0})"),
    "sha1": ("string -> string: sha1({0})",),
    "sha": ("string -> string: sha1({0})",),
    "base64": ("string -> string: to_base64(encode({0}))", "binary -> string: to_base64({0})"),
    "unbase64": ("string -> binary: from_base64({0})",),
    "unhex": ("string -> binary: CASE WHEN regexp_matches({0}, '^[0-9a-fA-F]*$') THEN unhex({0}) END",),
    "chr": ("int -> string: CASE WHEN {0:p} BETWEEN 1 AND 127 THEN chr({0}) WHEN {0:p} < 0 THEN '' "
            "ELSE error('chr of a code above 127 or of 0 is not proved equal: ' || {0:p}) END",),
    "char": ("int -> string: CASE WHEN {0:p} BETWEEN 1 AND 127 THEN chr({0}) WHEN {0:p} < 0 THEN '' "
             "ELSE error('char of a code above 127 or of 0 is not proved equal: ' || {0:p}) END",),
    "find_in_set": ("string, string -> int: CAST(CASE WHEN contains({0}, ',') THEN 0 * length({1}) "
                    "ELSE coalesce(list_position(string_split({1}, ','), {0}), 0 * length({0}) * length({1})) END "
                    "AS INTEGER)",),
    # dates and times, in UTC
    "year": _part("year"),
    "quarter": _part("quarter"),
    "month": _part("month"),
    "day": _part("day"),
    "dayofmonth": _part("day"),
    "dayofyear": _part("dayofyear"),
    "weekofyear": _part("week"),
    "hour": _time("hour"),
    "minute": _time("minute"),
    "second": _time("second"),
    "dayofweek": tuple(f"{t} -> int: CAST(dayofweek({{0}}) + 1 AS INTEGER)" for t in ("date", "timestamp")),
    "weekday": tuple(f"{t} -> int: CAST(isodow({{0}}) - 1 AS INTEGER)" for t in ("date", "timestamp")),
    "dayname": ("date -> string: strftime({0}, '%a')",),
    "monthname": ("date -> string: strftime({0}, '%b')",),
    "date_add": _DATE_ADD,
    "date_sub": _DATE_SUB,
    "datediff": _DATEDIFF,
    "date_diff": _DATEDIFF,
    "add_months": ("date, int -> date: CAST({0:p} + to_months(CAST({1} AS INTEGER)) AS DATE)",),
    "last_day": ("date -> date: last_day({0})",),
    "make_date": ("int, int, int -> date: make_date({0}, {1}, {2})",),
    "make_timestamp": (
        "int, int, int, int, int, N -> timestamp: make_timestamp({0}, {1}, {2}, CASE WHEN {3:p} = 24 "
        "THEN error('there is no hour 24') ELSE {3} END, {4}, CAST({5} AS DOUBLE))",
    ),
    "unix_date": ("date -> int: CAST({0:p} - DATE '1970-01-01' AS INTEGER)",),
    "date_from_unix_date": ("int -> date: DATE '1970-01-01' + CAST({0} AS INTEGER)",),
    "unix_seconds": ("timestamp -> bigint: CAST(epoch_us(date_trunc('second', {0})) // 1000000 AS BIGINT)",),
    "unix_millis": ("timestamp -> bigint: CAST(epoch_us(date_trunc('milliseconds', {0})) // 1000 AS BIGINT)",),
    "unix_micros": ("timestamp -> bigint: epoch_us({0})",),
    "timestamp_seconds": ("bigint -> timestamp: make_timestamp({0:p} * 1000000)",),
    "timestamp_millis": ("bigint -> timestamp: make_timestamp({0:p} * 1000)",),
    "timestamp_micros": ("bigint -> timestamp: make_timestamp({0})",),
    # arrays and maps
    "array": ("T... -> array<T>: [{all}]",),
    "size": ("array<T> -> int: CAST(len({0}) AS INTEGER)", "map<K,V> -> int: CAST(cardinality({0}) AS INTEGER)"),
    "cardinality": ("array<T> -> int: CAST(len({0}) AS INTEGER)", "map<K,V> -> int: CAST(cardinality({0}) AS INTEGER)"),
    "array_size": ("array<T> -> int: CAST(len({0}) AS INTEGER)",),
    "array_max": ("array<O> -> O: list_max({0})",),
    "array_min": ("array<O> -> O: list_min({0})",),
    "array_position": ("array<T>, T -> bigint: CASE WHEN {0:p} IS NULL OR {1:p} IS NULL THEN NULL "
                       "ELSE CAST(coalesce(list_position({0}, {1}), 0) AS BIGINT) END",),
    "array_append": ("array<T>, T -> array<T>: CASE WHEN {0:p} IS NOT NULL THEN list_append({0}, {1}) END",),
    "array_prepend": ("array<T>, T -> array<T>: CASE WHEN {0:p} IS NOT NULL THEN list_prepend({1}, {0}) END",),
    "array_join": ("array<string>, literal string -> string: CASE WHEN len({0}) = 0 THEN '' "
                   "ELSE coalesce(array_to_string({0}, {1}), CASE WHEN {0:p} IS NOT NULL THEN '' END) END",),
    "array_sort": ("array<O> -> array<O>: list_sort({0}, 'ASC', 'NULLS LAST')",),
    "sort_array": (
        "array<O> -> array<O>: list_sort({0}, 'ASC', 'NULLS FIRST')",
        "array<O>, literal boolean -> array<O>: CASE WHEN {1} THEN list_sort({0}, 'ASC', 'NULLS FIRST') "
        "ELSE list_sort({0}, 'DESC', 'NULLS LAST') END",
    ),
    "element_at": (
        "array<T>, int -> T: CASE WHEN {1:p} = 0 OR abs({1}) > len({0}) THEN "
        "error('the index ' || {1:p} || ' is not in an array of ' || len({0})) ELSE {0:p}[{1}] END",
        "map<K,V>, K -> V: {0:p}[{1}]",
    ),
    "try_element_at": ("array<T>, int -> T: CASE WHEN {1:p} = 0 THEN error('an index is not 0') ELSE {0:p}[{1}] END",
                       "map<K,V>, K -> V: {0:p}[{1}]"),
    "get": ("array<T>, int -> T: CASE WHEN {1:p} BETWEEN 0 AND 2147483646 THEN {0:p}[{1:p} + 1] END",),
    "map_keys": ("map<K,V> -> array<K>: map_keys({0})",),
    "map_values": ("map<K,V> -> array<V>: map_values({0})",),
    "map_contains_key": ("map<K,V>, K -> boolean: map_contains({0}, {1})",),
    "raise_error": ("string -> void: error({0})",),
}  # fmt: skip

AGGREGATES: dict[str, tuple[str, ...]] = {
    "min": ("O -> O: min({0}){over}",),
    "max": ("O -> O: max({0}){over}",),
    "avg": ("double -> double: avg({0}){over}",),
    "mean": ("double -> double: avg({0}){over}",),
    "sum": (
        "I -> bigint: CAST(sum({0}){over} AS BIGINT)",
        "double -> double: sum({0}){over}",
    ),
    "count_if": ("boolean -> bigint: CAST(coalesce(count_if({0}){over}, 0) AS BIGINT)",),
    "bool_and": ("boolean -> boolean: bool_and({0}){over}",),
    "every": ("boolean -> boolean: bool_and({0}){over}",),
    "bool_or": ("boolean -> boolean: bool_or({0}){over}",),
    "some": ("boolean -> boolean: bool_or({0}){over}",),
    "any": ("boolean -> boolean: bool_or({0}){over}",),
    "stddev": ("double -> double: stddev_samp({0}){over}",),
    "std": ("double -> double: stddev_samp({0}){over}",),
    "stddev_samp": ("double -> double: stddev_samp({0}){over}",),
    "stddev_pop": ("double -> double: stddev_pop({0}){over}",),
    "variance": ("double -> double: var_samp({0}){over}",),
    "var_samp": ("double -> double: var_samp({0}){over}",),
    "var_pop": ("double -> double: var_pop({0}){over}",),
    "median": ("double -> double: median({0}){over}",),
    "max_by": ("T, O -> T: arg_max_null({0}, {1}){over}",),
    "min_by": ("T, O -> T: arg_min_null({0}, {1}){over}",),
    "bit_and": ("I -> I: bit_and({0}){over}",),
    "bit_or": ("I -> I: bit_or({0}){over}",),
    "bit_xor": ("I -> I: bit_xor({0}){over}",),
    "percentile": ("double, literal X -> double: quantile_cont({0}, {1}){over}",),
    "regr_count": ("double, double -> bigint: CAST(regr_count({0}, {1}){over} AS BIGINT)",),
}

WINDOWS: dict[str, tuple[str, ...]] = {
    "row_number": ("-> int: CAST(row_number(){over} AS INTEGER)",),
    "rank": ("-> int: CAST(rank(){over} AS INTEGER)",),
    "dense_rank": ("-> int: CAST(dense_rank(){over} AS INTEGER)",),
    "percent_rank": ("-> double: percent_rank(){over}",),
    "cume_dist": ("-> double: cume_dist(){over}",),
    "ntile": ("literal int -> int: CAST(ntile({0}){over} AS INTEGER)",),
    "lag": ("T, literal int?, T? -> T: lag({all}){over}",),
    "lead": ("T, literal int?, T? -> T: lead({all}){over}",),
    "first_value": ("T -> T: first_value({all}){over}",),
    "last_value": ("T -> T: last_value({all}){over}",),
    "first": ("T -> T: first_value({all}){over}",),
    "last": ("T -> T: last_value({all}){over}",),
    "nth_value": ("T, literal int -> T: nth_value({0}, {1}){over}",),
}

# Written in Python (calls.py), because what DuckDB gets hangs on a pattern, a unit or digits: name -> arguments.
SPECIAL: dict[str, tuple[int, int]] = {
    "count": (1, 255), "round": (1, 2), "ceil": (1, 1), "ceiling": (1, 1), "floor": (1, 1),
    "mod": (2, 2), "pmod": (2, 2), "div": (2, 2), "concat": (1, 255), "try_divide": (2, 2), "try_add": (2, 2),
    "try_subtract": (2, 2), "try_multiply": (2, 2), "nullif": (2, 2),
    "date_format": (2, 2), "to_date": (1, 2), "to_timestamp": (1, 2), "try_to_timestamp": (1, 2),
    "unix_timestamp": (0, 2),
    "to_unix_timestamp": (1, 2), "from_unixtime": (1, 2), "date_trunc": (2, 2), "trunc": (2, 2), "date_part": (2, 2),
    "datepart": (2, 2), "dateadd": (2, 3), "timestampadd": (3, 3),
    "regexp_like": (2, 2), "regexp": (2, 2), "rlike": (2, 2), "regexp_replace": (3, 3), "regexp_extract": (2, 3),
    "split": (2, 3), "sha2": (2, 2),
    "current_date": (0, 0), "curdate": (0, 0), "current_timestamp": (0, 0), "now": (0, 0), "current_timezone": (0, 0),
    "array_contains": (2, 2), "struct": (1, 255), "named_struct": (2, 255), "map": (0, 255), "log": (1, 2),
    "int": (1, 1), "bigint": (1, 1), "smallint": (1, 1), "tinyint": (1, 1), "double": (1, 1), "float": (1, 1),
    "string": (1, 1), "boolean": (1, 1), "date": (1, 1), "timestamp": (1, 1),
    "typeof": (1, 1), "explode": (1, 1), "posexplode": (1, 1),
}  # fmt: skip

_READS = "it reads from outside the query"
_VARIES = "it answers differently each time it is computed"
_ROUGH = "the engines approximate differently; count(DISTINCT x), median(x) and percentile(x, p) are exact"
_ORDER = "its answer depends on the order of the rows; OVER (ORDER BY ...), max_by and min_by say which row"
_SET = "the order in its answer is not the same on both engines"

# Refused with a reason of their own; what is on no list is refused as not proved.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("reflect", "java_method", "try_reflect"), "it calls Java code"),
    **dict.fromkeys(
        ("read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "read_json", "read_json_auto",
         "read_json_objects",
         "read_ndjson", "read_text", "read_blob", "glob", "delta_scan", "iceberg_scan", "sniff_csv", "query",
         "query_table",
         "read_files", "getenv", "input_file_name", "parquet_metadata", "parquet_schema", "sqlite_scan",
         "postgres_scan",
         "read_duckdb", "arrow_scan", "pandas_scan", "python_map_function", "duckdb_secrets", "which_secret",
         "read_xlsx", "st_read", "load_aws_credentials", "cloud_files", "read_kafka", "http", "ai_query",
         "secret"), _READS),
    **dict.fromkeys(
        ("rand", "random", "randn", "uuid", "shuffle", "monotonically_increasing_id", "spark_partition_id", "randstr",
         "uniform", "gen_random_uuid", "nextval", "setseed"), _VARIES),
    **dict.fromkeys(
        ("approx_count_distinct", "percentile_approx", "approx_percentile", "approx_top_k", "count_min_sketch",
         "approx_quantile"), _ROUGH),
    **dict.fromkeys(("first", "last", "any_value", "first_value", "last_value"), _ORDER),
    **dict.fromkeys(("collect_list", "collect_set", "array_agg", "listagg", "string_agg"), _SET),
}  # fmt: skip


def ways(name: str) -> tuple[str, ...]:
    """The rows of a function, () where it has none."""
    return SCALAR.get(name) or AGGREGATES.get(name) or WINDOWS.get(name) or ()


@cache
def accepted() -> frozenset[str]:
    """Every function that may be called."""
    listed = {name for table in (SCALAR, AGGREGATES, WINDOWS) for name, rows in table.items() if rows}
    return frozenset(listed | SPECIAL.keys())
