"""Results as Athena types them: sums are BIGINT, IPADDRESS is text, times are UTC.

DuckDB sums BIGINT into 128 bits and flowscan keeps an IPADDRESS in 128 bits; neither exists in
Arrow. Invariant: only the types change, never a value; a sum that needs more than 64 bits is an
error, as it is on Athena.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from flowscan.errors import EngineError

_MAPPED = 0xFFFF


def convert(batches: Any, kinds: Sequence[str]) -> Any:
    """A RecordBatchReader over another one, with columns of Athena's types.

    `kinds` are DuckDB's names of the column types.
    """
    import pyarrow as pa

    schema = pa.schema(
        [_field(field, kind) for field, kind in zip(batches.schema, kinds, strict=True)]
    )

    def converted() -> Iterator[Any]:
        for batch in batches:
            columns = [_column(c, k) for c, k in zip(batch.columns, kinds, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, converted())


def _field(field: Any, kind: str) -> Any:
    import pyarrow as pa

    new = {"HUGEINT": pa.int64(), "UHUGEINT": pa.string()}.get(kind)
    return field.with_type(new) if new is not None else field


def _column(column: Any, kind: str) -> Any:
    import pyarrow as pa

    if kind == "HUGEINT":
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            raise EngineError("a sum is too large for BIGINT") from None
    if kind == "UHUGEINT":
        return pa.array([None if v is None else _address(int(v)) for v in column.to_pylist()])
    return column


def _address(value: int) -> str:
    if value >> 32 == _MAPPED:
        return str(ipaddress.IPv4Address(value & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(value))
