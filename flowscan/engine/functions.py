"""Trino's functions where DuckDB lacks them or means something else, as DuckDB macros.

A macro for Trino's `name` is called `trino_name`, and the dialect rewrites calls to it; so
DuckDB's own function of that name stays what it is. Invariant: a body means what Trino answers
(tests/engines compares them); macros are created when a query first needs them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

PREFIX: Final = "trino_"

# Longest run of zero groups first: the rule of RFC 5952 for shortening an IPv6 address.
_SHORTEN: Final = "\n    ".join(
    f"WHEN contains(s, '{':0' * n}:') THEN regexp_replace(s, '{':0' * n}:', '::')"
    for n in range(8, 1, -1)
)

# Not functions of Trino, but called by rewritten SQL and by the bodies below. An IPADDRESS is
# 128 bits, IPv4 under ::ffff:0:0, so that order and networks are Trino's.
_HELPERS: Final = r"""
fdiv(a, b) := CASE WHEN b = 0 THEN CASE WHEN a > 0 THEN 'inf'::DOUBLE WHEN a < 0 THEN
    '-inf'::DOUBLE ELSE 'nan'::DOUBLE END ELSE CAST(a AS DOUBLE) / b END;
bad_ip(x) := CAST('Cannot cast value to IPADDRESS: ' || x AS UHUGEINT);
ip4(x) := CASE WHEN len(string_split(x, '.')) = 4 THEN CAST(281470681743360 +
    list_reduce(list_transform(string_split(x, '.'), lambda e: CAST(CAST(e AS UTINYINT) AS
    UBIGINT)), lambda m, n: m * 256 + n) AS UHUGEINT) ELSE trino_bad_ip(x) END;
hextet(g) := CAST('0x' || g AS UINTEGER);
undot(x) := CASE WHEN contains(x, '.') THEN regexp_extract(x, '^(.*:)[0-9.]+$', 1) ||
    list_transform([string_split(regexp_extract(x, '([0-9.]+)$', 1), '.')], lambda p:
    printf('%x:%x', CAST(p[1] AS UTINYINT) * 256 + CAST(p[2] AS UTINYINT),
    CAST(p[3] AS UTINYINT) * 256 + CAST(p[4] AS UTINYINT)))[1] ELSE x END;
ip6(x) := list_transform([list_transform(list_transform([list_transform(string_split(
    trino_undot(x), '::'), lambda h: list_filter(string_split(h, ':'), lambda g: g <> ''))],
    lambda h: CASE WHEN len(h) = 1 THEN h[1] ELSE list_concat(list_concat(h[1],
    list_transform(range(8 - len(h[1]) - len(h[2])), lambda z: '0')), h[2]) END)[1],
    lambda e: CAST(trino_hextet(e) AS UHUGEINT))], lambda n: CASE WHEN len(n) = 8 THEN
    list_reduce(n, lambda a, b: a * 65536 + b) ELSE trino_bad_ip(x) END)[1];
ip(x) := CASE WHEN contains(x, ':') THEN trino_ip6(x) ELSE trino_ip4(x) END;
ip_short(s) := CASE {SHORTEN} ELSE s END;
ip_text(v) := CASE WHEN v >> 32 = 65535 THEN concat_ws('.', v >> 24 & 255, v >> 16 & 255, v >> 8
    & 255, v & 255) ELSE trino_ip_trim(trino_ip_short(':' ||
    array_to_string(list_transform(range(112, -1, -16), lambda i: lower(to_hex(CAST(v >> CAST(i
    AS UHUGEINT) & 65535 AS BIGINT)))), ':') || ':')) END;
ip_trim(s) := regexp_replace(regexp_replace(s, '^:([^:])', '\1'), '([^:]):$', '\1');
host_bits(net) := CAST(CASE WHEN contains(net, ':') THEN 128 ELSE 32 END - CAST(split_part(net,
    '/', 2) AS INTEGER) AS UHUGEINT);
masked(a, n) := CASE WHEN n >= 128 THEN 0::UHUGEINT ELSE a >> n END;
in_network(net, a) := trino_masked(a, trino_host_bits(net)) =
    trino_masked(trino_ip(split_part(net, '/', 1)), trino_host_bits(net));
exponent(whole, frac, e) := e + CASE WHEN whole <> '0' THEN length(whole) - 1 ELSE
    length(ltrim(frac, '0')) - length(frac) - 1 END;
digits(d, e) := left(d, 1) || '.' || CASE WHEN length(d) > 1 THEN substr(d, 2) ELSE '0' END ||
    'E' || e;
mantissa(s, e) := trino_digits(rtrim(ltrim(replace(s, '.', ''), '0'), '0'),
    trino_exponent(split_part(s, '.', 1), split_part(s, '.', 2), e));
double_text(x) := CASE WHEN x = 0 THEN '0E0' WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE
    WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE CASE WHEN x < 0 THEN '-' ELSE '' END ||
    trino_mantissa(split_part(CAST(abs(x) AS VARCHAR), 'e', 1),
    coalesce(TRY_CAST(split_part(CAST(abs(x) AS VARCHAR), 'e', 2) AS INTEGER), 0)) END;
interval(unit, n) := CASE lower(unit) WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second'
    THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n) WHEN 'hour' THEN to_hours(n) WHEN 'day'
    THEN to_days(CAST(n AS INTEGER)) WHEN 'week' THEN to_weeks(CAST(n AS INTEGER)) WHEN 'month'
    THEN to_months(CAST(n AS INTEGER)) WHEN 'quarter' THEN to_months(CAST(3 * n AS INTEGER))
    WHEN 'year' THEN to_years(CAST(n AS INTEGER)) ELSE CAST(error('''' || unit || ''' is not a
    valid time unit') AS INTERVAL) END;
"""

_MACROS: Final = r"""
nan() := 'nan'::DOUBLE;
infinity() := 'inf'::DOUBLE;
e() := exp(1);
width_bucket(x, low, high, n) := CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 ELSE
    CAST(floor((x - low) / (high - low) * n) AS BIGINT) + 1 END;
array_distinct(a) := list_filter(a, lambda v, i: list_position(a, v) = i);
array_union(a, b) := list_filter(list_concat(a, b), lambda v, i: list_position(list_concat(a, b),
    v) = i);
array_except(a, b) := list_filter(a, lambda v, i: list_position(a, v) = i AND NOT
    list_contains(b, v));
approx_distinct(x) := approx_count_distinct(x);
approx_distinct(x, e) := approx_count_distinct(x);
approx_percentile(x, p) := approx_quantile(x, p);
array_join(a, d) := array_to_string(a, d);
array_join(a, d, n) := array_to_string(list_transform(a, lambda e: coalesce(e::VARCHAR, n)), d);
array_remove(a, x) := list_filter(a, lambda e: e <> x);
array_position(a, x) := coalesce(list_position(a, x), 0);
arrays_overlap(a, b) := list_has_any(a, b);
slice(a, s, n) := list_slice(a, s, s + n - 1);
sequence(a, b) := generate_series(a, b);
sequence(a, b, s) := generate_series(a, b, s);
element_at(a, i) := a[i];
at_timezone(t, z) := CAST(t AS TIMESTAMPTZ) AT TIME ZONE z;
with_timezone(t, z) := CAST(t AS TIMESTAMP) AT TIME ZONE z;
bitwise_and(a, b) := CAST(a AS BIGINT) & CAST(b AS BIGINT);
bitwise_or(a, b) := CAST(a AS BIGINT) | CAST(b AS BIGINT);
bitwise_xor(a, b) := xor(CAST(a AS BIGINT), CAST(b AS BIGINT));
bitwise_not(a) := ~CAST(a AS BIGINT);
bitwise_left_shift(a, n) := CAST(a AS BIGINT) << n;
bitwise_right_shift(a, n) := CAST(a AS BIGINT) >> n;
bitwise_and_agg(x) := bit_and(CAST(x AS BIGINT));
bitwise_or_agg(x) := bit_or(CAST(x AS BIGINT));
codepoint(s) := unicode(s);
date_diff(u, a, b) := date_sub(u, CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP));
day_of_month(t) := day(t);
day_of_week(t) := isodow(t);
dow(t) := isodow(t);
day_of_year(t) := dayofyear(t);
doy(t) := dayofyear(t);
week_of_year(t) := week(t);
year_of_week(t) := isoyear(t);
yow(t) := isoyear(t);
last_day_of_month(t) := last_day(t);
millisecond(t) := millisecond(t) % 1000;
every(x) := bool_and(x);
from_hex(s) := unhex(s);
to_hex(b) := hex(b);
to_utf8(s) := encode(s);
from_utf8(b) := decode(b);
md5(b) := unhex(md5(b));
sha1(b) := unhex(sha1(b));
sha256(b) := unhex(sha256(b));
from_iso8601_date(s) := CAST(s AS DATE);
from_iso8601_timestamp(s) := CAST(s AS TIMESTAMPTZ);
from_unixtime(x) := to_timestamp(x);
from_unixtime(x, z) := to_timestamp(x) AT TIME ZONE z;
to_unixtime(t) := epoch(t);
to_iso8601(t) := CASE typeof(t) WHEN 'DATE' THEN strftime(CAST(t AS TIMESTAMP), '%Y-%m-%d') WHEN
    'TIMESTAMP WITH TIME ZONE' THEN strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ') ELSE
    strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g') END;
geometric_mean(x) := geomean(x);
is_nan(x) := isnan(x);
is_infinite(x) := isinf(x);
is_finite(x) := isfinite(x);
json_extract_scalar(j, p) := json_extract_string(j, p);
json_parse(s) := CAST(s AS JSON);
json_format(j) := CAST(j AS VARCHAR);
levenshtein_distance(a, b) := levenshtein(a, b);
hamming_distance(a, b) := hamming(a, b);
log(b, x) := ln(x) / ln(b);
map_agg(k, v) := map(list_distinct(list(k) FILTER (WHERE k IS NOT NULL)),
    list_transform(list_distinct(list(k) FILTER (WHERE k IS NOT NULL)), lambda e:
    list_filter(list({'k': k, 'v': v}), lambda s: s.k = e)[1].v));
rand() := random();
regexp_like(s, p) := regexp_matches(s, p);
regexp_extract(s, p) := CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END;
regexp_extract(s, p, g) := CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
regexp_count(s, p) := len(regexp_extract_all(s, p));
regexp_split(s, p) := string_split_regex(s, p);
replace(s, f) := replace(s, f, '');
replace(s, f, t) := replace(s, f, t);
split(s, d) := string_split(s, d);
split(s, d, n) := CASE WHEN len(string_split(s, d)) <= n THEN string_split(s, d) ELSE
    list_append(string_split(s, d)[:n - 1], array_to_string(string_split(s, d)[n:], d)) END;
split_part(s, d, n) := CASE WHEN n <= len(string_split(s, d)) THEN split_part(s, d, n) END;
substr(s, a) := CASE WHEN a = 0 OR -a > length(s) THEN '' ELSE substr(s, a) END;
substr(s, a, n) := CASE WHEN a = 0 OR -a > length(s) THEN '' ELSE substr(s, a, n) END;
substring(s, a) := CASE WHEN a = 0 OR -a > length(s) THEN '' ELSE substr(s, a) END;
substring(s, a, n) := CASE WHEN a = 0 OR -a > length(s) THEN '' ELSE substr(s, a, n) END;
truncate(x) := trunc(x);
"""

RENAMES: Final[dict[str, str]] = {
    "array_sort": "list_sort",
    "array_intersect": "list_intersect",
    "array_max": "list_max",
    "array_min": "list_min",
    "transform": "list_transform",
    "filter": "list_filter",
    "format": "printf",
    "stddev": "stddev_samp",
    "variance": "var_samp",
}
"""Functions of which DuckDB has the same under another name."""

Overloads = dict[str, list[tuple[str, str]]]


def _read(text: str) -> Overloads:
    found: Overloads = {}
    for name, arguments, body in _DEFINITION.findall(text):
        found.setdefault(name, []).append((arguments, " ".join(body.split())))
    return found


def named(sql: str) -> str:
    """A text whose calls of Trino's functions name the macros; all else stands as it is."""
    return _CALL_OF_TRINO.sub(lambda call: PREFIX + call[0], sql)


def needed(sql: str) -> list[str]:
    """Macros that the text calls, each after those that its own body calls."""
    order: dict[str, None] = {}

    def add(text: str) -> None:
        for name in map(str.lower, _CALL.findall(text)):
            if name in _ALL and name not in order:
                for _, body in _ALL[name]:
                    add(body)
                order[name] = None

    add(sql)
    return list(order)


def ordered() -> list[str]:
    """All macros, each after those that its own body calls."""
    return needed(" ".join(f"{PREFIX}{name}()" for name in _ALL))


def create(con: duckdb.DuckDBPyConnection, name: str, prefix: str = PREFIX) -> None:
    """Create one macro; it lives in the connection's own catalogue, beside the views."""
    bodies = ", ".join(f"({arguments}) AS ({body})" for arguments, body in _ALL[name])
    con.execute(f"CREATE MACRO {prefix}{name}{bodies}")


_DEFINITION: Final = re.compile(r"^(\w+)\(([^)]*)\) := (.*?);$", re.MULTILINE | re.DOTALL)
_CALL_OF_TRINO: Final = re.compile(rf"\b(?:{'|'.join(_read(_MACROS))})(?=\()", re.IGNORECASE)
_CALL: Final = re.compile(rf"\b{PREFIX}([a-z0-9_]+)\(", re.IGNORECASE)
_ALL: Final[Overloads] = _read(_HELPERS.replace("{SHORTEN}", _SHORTEN) + _MACROS)
NAMES: Final = frozenset(_read(_MACROS))
"""Functions of Trino that have a macro."""
