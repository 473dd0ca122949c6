"""Values of an Arrow result as Trino's protocol shows them, so that answers can be compared."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any


def rows(table: Any) -> list[list[Any]]:
    columns = [column.to_pylist() for column in table.columns]
    return [[value(v) for v in row] for row in zip(*columns, strict=True)]


def value(v: Any) -> Any:
    if isinstance(v, dt.datetime):
        text = v.strftime("%Y-%m-%d %H:%M:%S.") + f"{v.microsecond // 1000:03d}"
        return text + (" UTC" if v.tzinfo else "")
    if isinstance(v, dt.date):
        return v.isoformat()
    if isinstance(v, dt.time):
        return v.strftime("%H:%M:%S.000")
    if isinstance(v, list):
        if v and isinstance(v[0], tuple):
            return {str(k): value(x) for k, x in v}
        return [value(x) for x in v]
    if isinstance(v, decimal.Decimal):
        return str(v)
    if isinstance(v, float) and not math.isfinite(v):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(v, "NaN")
    return v
