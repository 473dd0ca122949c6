"""What this package knows as SQL text: predicates on addresses, lists of ports.

In query files a reserved tag names the thing and its text stands behind it, so that the file means
the same wherever it is pasted: `/*$private(srcaddr)*/ (srcaddr LIKE '10.%' OR …)`,
`dstport IN /*$ports.web*/ (80, 443)`, `BETWEEN /*$ports.steam*/ 27015 AND 27050`. Nothing is bound
when a query runs; `written` puts the texts there, and a test holds every file to it.

Invariants: the text means the same to DuckDB, Trino, Athena and Spark, and what `net.ranges` says
for every address as AWS writes it (canonical, lower case); an argument is an expression of a
maintainer, never data.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from flowscan.net import ports, ranges
from flowscan.net.address import Interval, format_address
from flowscan.net.ports import Ports, Span
from flowscan.net.services import TCP, UDP, service_name

_WIDTH: Final = 100


def private(address: str) -> str:
    """Whether an address is of a private network: in a flow log, ours."""
    return _within(address, "private")


def special(address: str) -> str:
    """Whether an address is neither ours nor of the internet: link-local, multicast and such."""
    return _within(address, "special")


def values(of: Ports) -> str:
    """The numbers of a list, in parentheses, for IN."""
    return f"({', '.join(map(str, sorted(of)))})"


def names(of: Ports) -> str:
    """Rows (port, name of its service), for VALUES; a service of TCP names its port before UDP."""
    found = {port: service_name(port, TCP) or service_name(port, UDP) for port in sorted(of)}
    return ", ".join(f"({port}, '{name}')" for port, name in found.items() if name)


def _within(address: str, kind: ranges.Kind) -> str:
    tests: list[str] = []
    for interval in _joined(ranges.intervals_of(kind)):
        tests += _tests(address, *interval)
    return f"({' OR '.join(tests)})"


def _joined(intervals: list[Interval]) -> list[Interval]:
    """Intervals that follow each other become one."""
    found: list[Interval] = []
    for one in intervals:
        if found and found[-1].family == one.family and found[-1].last + 1 == one.first:
            one = Interval(one.family, found.pop().first, one.last)  # noqa: PLW2901
        found.append(one)
    return found


def _tests(address: str, family: int, first: int, last: int) -> Iterator[str]:
    """Tests that only texts of the interval pass.

    Comparing texts is cheap, and Parquet's statistics are of use to it; a regular expression costs
    twice as much. Of texts with as many digits before the mark, order is that of the numbers.
    """
    if last - first < 4:
        few = ", ".join(f"'{format_address(family, v)}'" for v in range(first, last + 1))
        yield f"{address} IN ({few})"
    elif family == 6:  # the first group decides; `fc0::1` is between the texts, but too short
        low, high = (f"{value >> 112:x}:" for value in (first, last))
        yield f"({address} BETWEEN '{low}' AND '{high}~' AND position(':' IN {address}) = 5)"
    else:
        yield from _tests_of_four(address, first, last)


def _tests_of_four(address: str, first: int, last: int) -> Iterator[str]:
    same = (32 - (first ^ last).bit_length()) // 8
    head = "".join(f"{first >> 24 - 8 * i & 255}." for i in range(same))
    low, high = (value >> 24 - 8 * same & 255 for value in (first, last))
    if (low, high) == (0, 255):
        yield f"{address} LIKE '{head}%'"
        return
    for a, b in _same_length(low, high):
        shape = f"{head}{'_' * len(a)}.%"
        yield f"({address} BETWEEN '{head}{a}.' AND '{head}{b}.~' AND {address} LIKE '{shape}')"


def _same_length(low: int, high: int) -> Iterator[tuple[str, str]]:
    for least, most in ((0, 9), (10, 99), (100, 255)):
        if low <= most and high >= least:
            yield str(max(low, least)), str(min(high, most))


_PREDICATES: Final[dict[str, Callable[[str], str]]] = {"private": private, "special": special}

_TAG: Final = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]*
      | /\*\$(?P<name>[a-z_]+\(.*?\)|[a-z_]+\.[a-z_]+)\*/\s*
      | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(r"(?P<group>[a-z_]+)(?:\((?P<argument>.+)\)|\.(?P<item>[a-z_]+))")
_NUMBERS: Final = re.compile(r"\d+(?:\s+AND\s+\d+)?")
_NUMBER: Final = re.compile(r"\d+")
_ROWS: Final = re.compile(r"\(\d+,\s+'[^']*'\)(?:,\s+\(\d+,\s+'[^']*'\))*")
_PARENTHESIS: Final = re.compile(r"(?:[^'()]|'(?:[^']|'')*')*[()]")


def named(name: str) -> str:
    """The text of what a reserved tag names: `private(srcaddr)`, `ports.web`, `names.web`.

    Raises:
        ValueError: it names nothing.
    """
    parts = _NAME.fullmatch(name)
    group, argument, item = parts.groups() if parts else ("", None, None)
    if argument is not None and group in _PREDICATES:
        return _PREDICATES[group](argument)
    found: object = getattr(ports, item.upper(), None) if item else None
    if group == "names" and isinstance(found, frozenset):
        return names(found)
    if group == "ports" and isinstance(found, frozenset):
        return values(found)
    if group == "ports" and isinstance(found, Span):
        return f"{found.first} AND {found.last}"
    if group == "ports" and isinstance(found, int):
        return str(found)
    raise ValueError(f"/*${name}*/ names nothing that net knows")


class Default(NamedTuple):
    """A reserved tag of a query file: the text that belongs behind it, and where one stands."""

    name: str
    text: str
    begin: int
    end: int


def defaults(sql: str) -> Iterator[Default]:
    """The reserved tags of a text, with the places of the texts behind them.

    Raises:
        ValueError: a tag names nothing, or no text of its kind stands behind it.
    """
    for match in _TAG.finditer(sql):
        name = match["name"]
        if name is None:
            continue
        text = named(name)
        end = _end(sql, match.end(), name, text)
        if end == match.end():
            raise ValueError(f"/*${name}*/ has no default text behind it")
        yield Default(name, text, match.end(), end)


def _end(sql: str, begin: int, name: str, text: str) -> int:
    """Where the default text that begins there ends; `begin` when none of its kind does."""
    if text.startswith("(") and not name.startswith("names."):
        return _group_end(sql, begin)
    shape = _ROWS if text.startswith("(") else _NUMBERS if " " in text else _NUMBER
    found = shape.match(sql, begin)
    return found.end() if found else begin


def _group_end(sql: str, begin: int) -> int:
    if sql[begin : begin + 1] != "(":
        return begin
    depth, at = 1, begin + 1
    while depth:
        found = _PARENTHESIS.match(sql, at)
        if found is None:
            return begin
        depth += 1 if found[0].endswith("(") else -1
        at = found.end()
    return at


def written(sql: str) -> str:
    """The text with the right default behind every reserved tag, in lines of 100 at most.

    Raises:
        ValueError: as `defaults`.
    """
    parts: list[str] = []
    end = 0
    for default in defaults(sql):
        held = sql[default.begin : default.end]
        parts.append(sql[end : default.begin])
        parts.append(held if held.split() == default.text.split() else _wrapped(sql, default))
        end = default.end
    return "".join([*parts, sql[end:]])


def _wrapped(sql: str, default: Default) -> str:
    line = sql[sql.rfind("\n", 0, default.begin) + 1 : default.begin]
    text = default.text
    # A line ends between two tests, rows or numbers, not inside of one.
    inside = r" (?!OR )" if " AND " in text else r"(?<!\),) " if "'" in text else None
    if inside:
        text = re.sub(inside, "\0", text)
    lines = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=" " * len(line),
        subsequent_indent=" " * (len(line) - len(line.lstrip()) + (2 if line.strip() else 0)),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).lstrip().replace("\0", " ")
