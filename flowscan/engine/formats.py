"""Date formats: Trino's two pattern languages (MySQL's `%i`, Joda's `mm`) in DuckDB's strftime.

Invariant: a pattern either translates to one that prints the same, or is refused by name.
"""

from __future__ import annotations

import re
from typing import Final

from flowscan.errors import QueryError

_MYSQL: Final = {
    **{letter: f"%{letter}" for letter in "abdfHIjmpSVyYW%"},
    "c": "%-m",
    "e": "%-d",
    "h": "%I",
    "i": "%M",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "r": "%I:%M:%S %p",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
}
_JODA: Final = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "y": "%Y",
    "yy": "%y",
    "xxxx": "%G",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "D": "%-j",
    "EEEE": "%A",
    "EEE": "%a",
    "EE": "%a",
    "E": "%a",
    "e": "%u",
    "ww": "%V",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "a": "%p",
    "Z": "+0000",
    "ZZ": "+00:00",
    "z": "UTC",
}
_JODA_PARTS: Final = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>([A-Za-z])\3*)|(?P<other>.)")


def mysql(pattern: str) -> str:
    """Translate a `date_format`/`date_parse` pattern.

    Raises:
        QueryError: it has a specifier that Trino does not support either, or that DuckDB lacks.
    """

    def one(match: re.Match[str]) -> str:
        letter = match[1]
        if letter in "DUuwX":
            raise QueryError(f"date format %{letter} is not supported")
        return _MYSQL.get(letter, letter)

    return re.sub(r"%(.)", one, pattern, flags=re.DOTALL)


def joda(pattern: str) -> str:
    """Translate a `format_datetime`/`parse_datetime` pattern; time zones print as UTC.

    Raises:
        QueryError: it has letters that DuckDB has nothing for.
    """
    parts = []
    for match in _JODA_PARTS.finditer(pattern):
        if match["quoted"] is not None:
            parts.append((match["quoted"].replace("''", "'") or "'").replace("%", "%%"))
        elif match["run"] is not None:
            if match["run"] not in _JODA:
                raise QueryError(f"date format {match['run']!r} is not supported")
            parts.append(_JODA[match["run"]])
        else:
            parts.append(match["other"].replace("%", "%%"))
    return "".join(parts)


def _nested(expression: str) -> str:
    """MySQL's specifiers replaced by SQL functions: for patterns that only run time knows."""
    for letter, other in _MYSQL.items():
        if other != f"%{letter}" and letter not in "Ms":
            expression = f"replace({expression}, '%{letter}', '{other}')"
    # %M (month name) must go before %i becomes %M.
    return expression


MACRO: Final = _nested("replace(replace(f, '%s', '%S'), '%M', '%B')")
"""strftime's pattern for MySQL's pattern `f`, as an SQL expression."""
