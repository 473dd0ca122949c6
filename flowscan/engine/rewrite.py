"""Trino expressions rewritten to DuckDB ones of the same meaning, on sqlglot's tree.

Each rule takes a node whose children are done already and gives the node that replaces it.
Invariant: a node without a rule is one that both engines read alike.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp

from flowscan.engine import formats, functions, types
from flowscan.errors import QueryError

Rule = Callable[[Any], exp.Expression]

_UNITS: Final = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "year": "to_years",
}
_EXTRACT: Final = {
    "DOW": "isodow",
    "DAY_OF_WEEK": "isodow",
    "DAY_OF_YEAR": "doy",
    "DAYOFYEAR": "doy",
    "DAYOFWEEK": "isodow",
    "DAY_OF_MONTH": "day",
    "YOW": "isoyear",
    "YEAR_OF_WEEK": "isoyear",
    "TIMEZONE_HOUR": "timezone_hour",
}
_UTC: Final = {"utc", "etc/utc", "z", "gmt", "+00:00"}
_INTEGRAL: Final = exp.DataType.INTEGER_TYPES


def call(name: str, *args: Any) -> exp.Anonymous:
    """A call of a function by name, which no generator translates further."""
    return exp.Anonymous(this=name, expressions=[a for a in args if a is not None])


def macro(name: str, *args: Any) -> exp.Anonymous:
    """A call of one of our macros."""
    return call(functions.PREFIX + name, *args)


def cast(node: Any, to: str) -> exp.Cast:
    """CAST(node AS to), where `to` is a type of DuckDB."""
    return exp.Cast(this=node, to=exp.DataType.build(to, dialect="duckdb"))


def tree(root: exp.Expression) -> exp.Expression:
    """Rewrite a whole statement, innermost expressions first.

    Raises:
        QueryError: it contains what flowscan cannot run with Trino's meaning.
    """
    types.annotate(root)
    for node in reversed(list(root.walk(bfs=True))):
        rule = _RULES.get(type(node))
        if rule is None:
            continue
        new = rule(node)
        if new is not node:
            new.meta["t"] = types.of(node)
            node.replace(new)
            if node is root:
                root = new
    return root


def _function(node: exp.Anonymous) -> exp.Expression:
    name, args = node.name.lower(), list(node.expressions)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(node, args)
    if name in functions.NAMES:
        return macro(name, *args)
    if name in functions.RENAMES:
        return call(functions.RENAMES[name], *args)
    return node


def _text(node: Any, function: str) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise QueryError(f"{function} needs its pattern as a literal")


def _string(text: str) -> exp.Literal:
    return exp.Literal.string(text)


def _date_format(node: Any, args: list[Any]) -> exp.Expression:
    pattern = formats.mysql(_text(args[1], "date_format"))
    return call("strftime", cast(args[0], "TIMESTAMP"), _string(pattern))


def _date_parse(node: Any, args: list[Any]) -> exp.Expression:
    return call("strptime", args[0], _string(formats.mysql(_text(args[1], "date_parse"))))


def _format_datetime(node: Any, args: list[Any]) -> exp.Expression:
    pattern = formats.joda(_text(args[1], "format_datetime"))
    return call("strftime", cast(args[0], "TIMESTAMP"), _string(pattern))


def _parse_datetime(node: Any, args: list[Any]) -> exp.Expression:
    pattern = formats.joda(_text(args[1], "parse_datetime"))
    return cast(call("strptime", args[0], _string(pattern)), "TIMESTAMPTZ")


def _date_trunc(node: Any, args: list[Any]) -> exp.Expression:
    return cast(node.copy(), "DATE") if types.of(args[1]) == "date" else node


def _date_add(node: Any, args: list[Any]) -> exp.Expression:
    unit, count, moment = args
    name = _UNITS.get(unit.name.lower()) if isinstance(unit, exp.Literal) else None
    if name in ("to_days", "to_weeks", "to_months", "to_years"):
        count = cast(count, "INTEGER")
    step = call(name, count) if name else macro("interval", unit, count)
    total = exp.Paren(this=exp.Add(this=moment, expression=step))
    return cast(total, "DATE") if types.of(moment) == "date" else total


def _concat(node: Any, args: list[Any]) -> exp.Expression:
    joined = args[0]
    for arg in args[1:]:
        joined = exp.DPipe(this=joined, expression=arg, safe=True)
    return exp.Paren(this=joined)


def _null_wins(node: Any, args: list[Any]) -> exp.Expression:
    empty = [exp.Is(this=a.copy(), expression=exp.Null()) for a in args]
    case = exp.Case(ifs=[exp.If(this=exp.or_(*empty), true=exp.Null())], default=node.copy())
    return exp.Paren(this=case)


def _contains(node: Any, args: list[Any]) -> exp.Expression:
    container, element = args
    if types.of(element) != "ip":
        return call("list_contains", container, element)
    if not (isinstance(container, exp.Literal) and container.is_string):
        return macro("in_network", container, element)
    try:
        network = ipaddress.ip_network(container.name, strict=False)
    except ValueError:
        raise QueryError(f"{container.name[:60]!r} is no network") from None
    base = 0xFFFF << 32 if network.version == 4 else 0
    first, last = (base + int(n) for n in (network.network_address, network.broadcast_address))
    low, high = (cast(_string(str(n)), "UHUGEINT") for n in (first, last))
    exact = exp.Between(this=element, low=low, high=high)
    text = _octets(network, element)
    return exp.Paren(this=exp.and_(text, exact) if text is not None else exact)


def _octets(network: Any, element: Any) -> Any:
    """A cheap condition on the text that lets through all of the network, and little else."""
    whole = network.prefixlen // 8
    if network.version != 4 or whole == 0 or element.meta.get("ip_of") is None:
        return None
    octets = str(network.network_address).split(".")[:whole]
    start = ".".join(octets) + ("." if whole < 4 else "")
    text = element.meta["ip_of"]
    return exp.or_(
        call("starts_with", text.copy(), _string(start)),
        call("contains", text.copy(), _string(":")),
    )


def _from_unixtime(node: Any, args: list[Any]) -> exp.Expression:
    if len(args) == 2 and isinstance(args[1], exp.Literal) and args[1].name.lower() in _UTC:
        args = args[:1]
    return macro("from_unixtime", *args)


def _at_zone(node: Any, moment: Any, zone: Any) -> exp.Expression:
    instant = cast(moment, "TIMESTAMPTZ")
    if isinstance(zone, exp.Literal) and zone.name.lower() in _UTC:
        return instant
    return exp.AtTimeZone(this=instant, zone=zone)


def _regexp_replace(node: Any, args: list[Any]) -> exp.Expression:
    new = args[2] if len(args) > 2 else _string("")
    if isinstance(new, exp.Lambda):
        raise QueryError("regexp_replace with a function is not supported")
    if isinstance(new, exp.Literal):
        text = new.name.replace("\\", "\\\\")
        for digit in "0123456789":
            text = text.replace(f"${digit}", f"\\{digit}")
        new = _string(text)
    return call("regexp_replace", args[0], args[1], new, _string("g"))


def _approx_percentile(node: Any, args: list[Any]) -> exp.Expression:
    if len(args) != 2:
        raise QueryError("approx_percentile with weights or an accuracy is not supported")
    return macro("approx_percentile", *args)


def _reduce(node: Any, args: list[Any]) -> exp.Expression:
    array, start, step, finish = args
    total = call("list_reduce", array, step, start)
    last = call("list_transform", exp.Array(expressions=[total]), finish)
    return call("list_extract", last, exp.Literal.number(1))


def _match(found: Callable[[Any, Any], exp.Expression]) -> Callable[[Any, list[Any]], Any]:
    def rule(node: Any, args: list[Any]) -> Any:
        return exp.Paren(this=found(args[0], call("len", call("list_filter", *args))))

    return rule


def _zero() -> Any:
    return exp.Literal.number(0)


_SPECIAL: Final[dict[str, Callable[[Any, list[Any]], exp.Expression]]] = {
    "date_format": _date_format,
    "date_parse": _date_parse,
    "format_datetime": _format_datetime,
    "parse_datetime": _parse_datetime,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "concat": _concat,
    "greatest": _null_wins,
    "least": _null_wins,
    "contains": _contains,
    "from_unixtime": _from_unixtime,
    "at_timezone": lambda node, args: _at_zone(node, *args),
    "regexp_replace": _regexp_replace,
    "approx_percentile": _approx_percentile,
    "reduce": _reduce,
    "any_match": _match(lambda _, n: exp.GT(this=n, expression=_zero())),
    "none_match": _match(lambda _, n: exp.EQ(this=n, expression=_zero())),
    "all_match": _match(lambda a, n: exp.EQ(this=n, expression=call("len", a.copy()))),
}


def _cast(node: exp.Cast) -> exp.Expression:
    to, inner, kind = node.to, node.this, types.of(node.this)
    if to.this == exp.DataType.Type.IPADDRESS:
        return _ip(node, inner, kind)
    if to.this in exp.DataType.TEXT_TYPES:
        return _as_text(node, inner, kind)
    if to.this in _INTEGRAL and kind == "double":
        node.set("this", call("round", inner))
    elif to.is_type("timestamp", "timestamptz", "time"):
        # timestamp(3): DuckDB's types have no precision in parentheses.
        to.set("expressions", [])
    return node


def _ip(node: exp.Cast, inner: Any, kind: types.Type) -> exp.Expression:
    if kind == "ip":
        return exp.Paren(this=inner)
    number = macro("ip", inner)
    new = call("TRY", number) if isinstance(node, exp.TryCast) else number
    new.meta["ip_of"] = inner
    return new


def _as_text(node: exp.Cast, inner: Any, kind: types.Type) -> exp.Expression:
    clock = "%Y-%m-%d %H:%M:%S.%g"
    new: exp.Expression = node
    if kind == "ip":
        new = macro("ip_text", inner)
    elif kind == "double":
        new = macro("double_text", inner)
    elif kind == "timestamptz":
        new = call("strftime", cast(inner, "TIMESTAMP"), _string(f"{clock} UTC"))
    elif kind == "timestamp":
        new = call("strftime", inner, _string(clock))
    if node.to.expressions:
        length = node.to.expressions[0].this
        node.set("to", exp.DataType.build("VARCHAR", dialect="duckdb"))
        return call("left", new.copy(), length)
    return new


def _divide(node: exp.Div) -> Any:
    left, right = types.of(node.left), types.of(node.right)
    result = types.of(node)
    if result == "double" or (left == "double" or right == "double"):
        return macro("fdiv", node.left, node.right)
    digits = types.scale(result)
    if digits is not None and result != "int":
        return cast(node.copy(), f"DECIMAL(38, {digits})")
    return node


def _plus(node: Any) -> Any:
    sides = {types.of(node.left), types.of(node.right)}
    if sides == {"date", "interval"}:
        return cast(exp.Paren(this=node.copy()), "DATE")
    if isinstance(node, exp.Sub) and sides == {"date"}:
        return call("to_days", cast(exp.Paren(this=node.copy()), "INTEGER"))
    return node


def _extract(node: exp.Extract) -> exp.Expression:
    part = node.this.name.upper()
    if part in _EXTRACT:
        node.set("this", exp.Var(this=_EXTRACT[part]))
    return node


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expression:
    return _at_zone(node, node.this, node.args["zone"])


def _fetch(node: exp.Fetch) -> Any:
    if "WITH TIES" in node.sql(dialect="trino").upper():
        raise QueryError("FETCH FIRST … WITH TIES is not supported", hint="use rank()")
    return node


def _unnest(node: exp.Unnest) -> exp.Expression:
    alias = node.args.get("alias")
    names = [c.name for c in alias.columns] if alias else []
    arrays = list(node.expressions)
    ordinal = node.args.get("offset")
    if len(arrays) == 1 and len(names) <= 1 and not ordinal:
        return node
    offset = ordinal.name if isinstance(ordinal, exp.Identifier) else None
    if ordinal and offset is None and len(names) > 1:
        offset = names.pop()
    columns = arrays
    if len(arrays) == 1 and (len(names) == 2 or types.of(arrays[0]) == "map"):
        columns = [call("map_keys", arrays[0].copy()), call("map_values", arrays[0].copy())]
    parts: list[Any] = [
        exp.alias_(call("unnest", c), name, quoted=True)
        for c, name in zip(columns, names, strict=False)
    ]
    if offset:
        longest = call("greatest", *(call("len", c.copy()) for c in columns))
        counter = call("unnest", call("generate_series", exp.Literal.number(1), longest))
        parts.append(exp.alias_(counter, offset, quoted=True))
    name = alias.this if alias is not None else exp.to_identifier("unnested")
    return exp.Lateral(this=exp.select(*parts).subquery(), alias=exp.TableAlias(this=name))


_RULES: Final[dict[type[Any], Rule]] = {
    exp.Anonymous: _function,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Div: _divide,
    exp.Add: _plus,
    exp.Sub: _plus,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_time_zone,
    exp.Fetch: _fetch,
    exp.Unnest: _unnest,
}
