"""What type an expression has, as far as Trino's meaning of an operator depends on it.

Trino's `/` on decimals, its DATE plus INTERVAL, and its casts to text mean other things than
DuckDB's for some types. This module says the type of an expression where it can be told from
literals, functions and the columns of the lake, through CTEs and subqueries; None where not.
Invariant: an answer is never a guess; None leaves DuckDB's own meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlglot import exp

from flowscan import schema

Type = str | None
Columns = dict[str, Type]

LAKE: Final[Columns] = {
    **{name: "varchar" if f.type == "string" else "int" for name, f in schema.BY_NAME.items()},
    "date": "date",
    "start_ts": "timestamp",
    "end_ts": "timestamp",
    schema.SOURCE_ID: "int",
}

_SAME: Final = {
    *("min", "max", "arbitrary", "any_value", "max_by", "min_by", "lag", "lead", "first_value"),
    *("last_value", "nth_value", "coalesce", "nullif", "greatest", "least", "abs", "round"),
    *("sum", "truncate", "mod", "ceil", "ceiling", "floor", "try"),
}
_RETURNS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            *("count", "count_if", "approx_distinct", "length", "strpos", "row_number", "rank"),
            *("dense_rank", "ntile", "year", "month", "day", "hour", "minute", "second", "week"),
            *("quarter", "day_of_week", "dow", "day_of_year", "doy", "day_of_month", "date_diff"),
            *("cardinality", "codepoint", "bitwise_and", "bitwise_or", "bitwise_xor", "yow"),
            *("year_of_week", "week_of_year", "regexp_count", "millisecond"),
        ),
        "int",
    ),
    **dict.fromkeys(
        (
            *("to_iso8601", "date_format", "format_datetime", "concat", "upper", "lower"),
            *("substr", "substring", "split_part", "regexp_extract", "regexp_replace", "replace"),
            *("array_join", "listagg", "format", "lpad", "rpad", "trim", "ltrim", "rtrim"),
            *("reverse", "json_extract_scalar", "concat_ws", "chr"),
        ),
        "varchar",
    ),
    **dict.fromkeys(
        (
            *("to_unixtime", "sqrt", "ln", "log2", "log10", "log", "exp", "power", "pow", "rand"),
            *("random", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"),
            *("geometric_mean", "percent_rank", "cume_dist", "cbrt", "pi", "e", "corr"),
            *("nan", "infinity"),
        ),
        "double",
    ),
    **dict.fromkeys(
        (
            *("from_unixtime", "now", "from_iso8601_timestamp", "parse_datetime"),
            "with_timezone",
        ),
        "timestamptz",
    ),
    "date_parse": "timestamp",
    "at_timezone": "timestamp",
    "date": "date",
    "from_iso8601_date": "date",
    "last_day_of_month": "date",
    "map_agg": "map",
    "histogram": "map",
    "map": "map",
    "regexp_like": "bool",
    "contains": "bool",
    "starts_with": "bool",
}
_CASTS: Final = {
    exp.DataType.Type.DATE: "date",
    exp.DataType.Type.TIMESTAMP: "timestamp",
    exp.DataType.Type.TIMESTAMPTZ: "timestamptz",
    exp.DataType.Type.IPADDRESS: "ip",
    exp.DataType.Type.BOOLEAN: "bool",
    exp.DataType.Type.ARRAY: "array",
    exp.DataType.Type.MAP: "map",
    **dict.fromkeys(exp.DataType.INTEGER_TYPES, "int"),
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "varchar"),
    exp.DataType.Type.DOUBLE: "double",
    exp.DataType.Type.FLOAT: "double",
}
_PREDICATES: Final = (exp.Predicate, exp.Connector, exp.Not)


def annotate(tree: exp.Expression) -> None:
    """Write the type of every expression into `node.meta["t"]`, for the rewriting to read."""
    _query(tree, {}, {})


def of(node: Any) -> Type:
    """The type that `annotate` found."""
    found = node.meta.get("t") if isinstance(node, exp.Expression) else None
    return str(found) if found is not None else None


def scale(kind: Type) -> int | None:
    """Digits after the point of a decimal type, 0 for integers, None for all others."""
    if kind == "int":
        return 0
    return int(kind.split(":")[1]) if kind and kind.startswith("decimal:") else None


def _query(tree: Any, ctes: Mapping[str, Columns], outer: Columns) -> Columns:
    known = dict(ctes)
    with_ = tree.args.get("with_") or tree.args.get("with")
    for cte in with_.expressions if with_ else ():
        columns = _query(cte.this, known, {})
        known[cte.alias.lower()] = _renamed(columns, cte.args.get("alias"))
    if isinstance(tree, exp.SetOperation):
        left = _query(tree.left, known, outer)
        _query(tree.right, known, outer)
        return left
    if isinstance(tree, exp.Subquery):
        return _query(tree.this, known, outer)
    if isinstance(tree, exp.Values):
        return _values(tree, known, outer)
    return _select(tree, known, outer) if isinstance(tree, exp.Select) else {}


def _select(tree: exp.Select, ctes: Mapping[str, Columns], outer: Columns) -> Columns:
    columns: Columns = {}
    sources = [tree.args.get("from_") or tree.args.get("from"), *(tree.args.get("joins") or [])]
    for source in sources:
        if source is not None:
            columns = {**_source(source.this, ctes, {**outer, **columns}), **columns}
    scope = {**outer, **columns}
    for part in _own(tree):
        _expression(part, ctes, scope)
    result: Columns = {}
    for projection in tree.expressions:
        if isinstance(projection, exp.Star) or (
            isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
        ):
            result.update(columns)
        else:
            result[projection.alias_or_name.lower()] = of(projection)
    return result


def _own(tree: exp.Select) -> Iterator[exp.Expression]:
    for key, value in tree.args.items():
        if key in ("from", "from_", "with", "with_"):
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if isinstance(part, exp.Join):
                yield from (p for p in [part.args.get("on")] if p is not None)
            elif isinstance(part, exp.Expression):
                yield part


def _source(source: Any, ctes: Mapping[str, Columns], outer: Columns) -> Columns:
    if isinstance(source, exp.Table):
        return dict(ctes.get(source.name.lower(), LAKE))
    if isinstance(source, exp.Subquery | exp.Values):
        return _renamed(_query(source, ctes, outer), source.args.get("alias"))
    for child in source.iter_expressions() if isinstance(source, exp.Expression) else ():
        _expression(child, ctes, outer)
    alias = source.args.get("alias") if isinstance(source, exp.Expression) else None
    return {c.name.lower(): None for c in alias.columns} if alias else {}


def _values(tree: exp.Values, ctes: Mapping[str, Columns], outer: Columns) -> Columns:
    for row in tree.expressions:
        _expression(row, ctes, outer)
    first = tree.expressions[0]
    cells = first.expressions if isinstance(first, exp.Tuple) else [first]
    return {f"col{i}": of(cell) for i, cell in enumerate(cells)}


def _renamed(columns: Columns, alias: Any) -> Columns:
    names = [c.name.lower() for c in alias.columns] if alias else []
    return dict(zip(names, columns.values(), strict=False)) if names else columns


def _expression(node: exp.Expression, ctes: Mapping[str, Columns], scope: Columns) -> None:
    if isinstance(node, exp.Query):
        columns = _query(node, ctes, scope)
        node.meta["t"] = next(iter(columns.values()), None)
        return
    for child in node.iter_expressions():
        _expression(child, ctes, scope)
    node.meta["t"] = _type(node, scope)


def _type(node: Any, scope: Columns) -> Type:
    if isinstance(node, exp.Column):
        return scope.get(node.name.lower())
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        return _cast(node.to)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod):
        return _arithmetic(node, of(node.left), of(node.right))
    if isinstance(node, exp.Anonymous):
        return _call(node.name.lower(), node.expressions)
    if isinstance(node, exp.If):
        return of(node.args.get("true")) or of(node.args.get("false"))
    if isinstance(node, exp.Case):
        branches = [*(c.args["true"] for c in node.args["ifs"]), node.args.get("default")]
        return next((of(b) for b in branches if of(b)), None)
    if isinstance(node, exp.Alias | exp.Paren | exp.Neg | exp.Window | exp.Filter | exp.Distinct):
        # SELECT DISTINCT has neither a value nor expressions.
        inner = [node.this] if node.this is not None else node.expressions
        return of(inner[0]) if inner else None
    return _simple(node)


def _simple(node: Any) -> Type:
    if isinstance(node, exp.AtTimeZone):
        return "timestamp"
    if isinstance(node, exp.Interval):
        return "interval"
    if isinstance(node, exp.CurrentDate):
        return "date"
    if isinstance(node, exp.CurrentTimestamp):
        return "timestamptz"
    if isinstance(node, exp.Localtimestamp):
        return "timestamp"
    if isinstance(node, exp.DPipe | exp.Trim | exp.Substring):
        return "varchar"
    if isinstance(node, exp.Extract | exp.StrPosition | exp.Count):
        return "int"
    return "bool" if isinstance(node, _PREDICATES) else None


def _literal(node: exp.Literal) -> Type:
    if node.is_string:
        return "varchar"
    text = str(node.this).lower()
    if "e" in text:
        return "double"
    return f"decimal:{len(text.split('.')[1])}" if "." in text else "int"


def _cast(to: exp.DataType) -> Type:
    if to.is_type("decimal"):
        digits = [int(p.name) for p in to.expressions]
        return f"decimal:{digits[1] if len(digits) > 1 else 0}"
    return _CASTS.get(to.this)


def _arithmetic(node: exp.Expression, left: Type, right: Type) -> Type:
    for one, other in ((left, right), (right, left)):
        if one in ("date", "timestamp", "timestamptz"):
            return "interval" if other == one else one
    if "double" in (left, right):
        return "double"
    a, b = scale(left), scale(right)
    if a is None or b is None:
        return "interval" if "interval" in (left, right) else None
    if left == right == "int":
        return "int"
    return f"decimal:{a + b if isinstance(node, exp.Mul) else max(a, b)}"


def _call(name: str, args: list[exp.Expression]) -> Type:
    if name in ("date_trunc", "date_add") and args:
        return of(args[-1])
    if name == "avg" and args:
        return of(args[0]) if (of(args[0]) or "").startswith("decimal:") else "double"
    if name == "approx_percentile" and len(args) == 2:
        return of(args[0])
    if name in _SAME:
        return next((of(a) for a in args if of(a)), None)
    return _RETURNS.get(name)
