"""How results leave the program: tables in six formats, bars, sizes, progress.

Invariant: text that came from logs, feeds or registries leaves this module escaped for its
destination by `flowscan.text`, and a terminal never gets Parquet.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowscan.text import (
    bar,
    csv_cell,
    human_bytes,
    human_count,
    json_value,
    markdown_text,
    plain,
    utc,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from rich.console import Console

__all__ = [
    "Format",
    "bar",
    "console",
    "csv_cell",
    "emit",
    "human_bytes",
    "human_count",
    "json_value",
    "plain",
    "progress",
    "utc",
]


class Format(StrEnum):
    """Output formats of commands that print rows."""

    table = "table"
    csv = "csv"
    json = "json"
    ndjson = "ndjson"
    parquet = "parquet"
    markdown = "markdown"


def console(*, err: bool = False) -> Console:
    """Return a console for stdout (data) or stderr (progress)."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=False)


def emit(
    table: pa.Table, fmt: Format, output: Path | None = None, *, title: str | None = None
) -> None:
    """Write rows to stdout or to a file in the format asked for.

    Raises:
        UsageError: Parquet was asked for on a terminal.
    """
    if fmt is Format.parquet:
        _emit_parquet(table, output)
        return
    if output is not None:
        with output.open("w", encoding="utf-8", newline="") as stream:
            _write(table, fmt, stream, title)
        return
    _write(table, fmt, sys.stdout, title)


def _emit_parquet(table: pa.Table, output: Path | None) -> None:
    import pyarrow.parquet as pq

    from flowscan.errors import UsageError

    if output is not None:
        pq.write_table(table, output, compression="zstd")
        return
    if sys.stdout.isatty():
        raise UsageError("Parquet is binary", hint="name a file with -o, or pipe the output")
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    sys.stdout.buffer.write(sink.getvalue())


def _write(table: pa.Table, fmt: Format, stream: Any, title: str | None) -> None:
    if fmt is Format.table:
        _write_table(table, stream, title)
    elif fmt is Format.csv:
        _write_csv(table, stream)
    elif fmt is Format.markdown:
        _write_markdown(table, stream, title)
    else:
        _write_json(table, stream, lines=fmt is Format.ndjson)


def _rows(table: pa.Table) -> Iterator[tuple[object, ...]]:
    """Values of each row; not by name, since a SELECT may give two columns the same."""
    for batch in table.to_batches():
        columns = [map(json_value, column.to_pylist()) for column in batch.columns]
        yield from zip(*columns, strict=True)


def _keys(names: Sequence[str]) -> list[str]:
    """Names of columns as keys of an object: `n`, and `n_2` for another `n`."""
    keys: dict[str, None] = {}
    for name in names:
        key, number = name, 1
        while key in keys or (key != name and key in names):
            number += 1
            key = f"{name}_{number}"
        keys[key] = None
    return list(keys)


def _write_json(table: pa.Table, stream: Any, *, lines: bool) -> None:
    import json

    keys = _keys(table.column_names)
    texts = (
        json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=True) for row in _rows(table)
    )
    if lines:
        stream.writelines(f"{text}\n" for text in texts)
        return
    stream.write("[")
    for i, text in enumerate(texts):
        stream.write(("," if i else "") + "\n  " + text)
    stream.write("\n]\n" if table.num_rows else "]\n")


def _write_csv(table: pa.Table, stream: Any) -> None:
    import csv

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in table.column_names])
    for row in _rows(table):
        writer.writerow([csv_cell(v) for v in row])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return plain(value)


_GROUPED = frozenset({
    "flows", "packets", "bytes", "records", "rejects", "rejected", "refused", "count", "rows",
    "sources", "sessions", "clients", "servers", "targets", "sent", "received",
})  # fmt: skip


def _number(name: str, value: object) -> str:
    grouped = (
        name.rsplit("_", maxsplit=1)[-1] in _GROUPED or name.split("_", maxsplit=1)[0] in _GROUPED
    )
    return f"{value:,}" if grouped and isinstance(value, int) else _cell(value)


def _write_table(table: pa.Table, stream: Any, title: str | None) -> None:
    import pyarrow as pa
    from rich.console import Console

    from flowscan.cli.layout import Grid, draw

    if not table.num_rows:
        stream.write(f"{title}: no rows\n" if title else "no rows\n")
        return
    # In a pipe a row is one line, however long, and nothing is padded or cut.
    out = Console(file=stream, highlight=False, width=None if stream.isatty() else 10_000)
    types = table.schema.types
    numeric = [pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types]
    names = table.column_names
    rows = [
        [_number(n, value) for n, value in zip(names, row, strict=True)] for row in _rows(table)
    ]
    with out.capture() as captured:
        draw(Grid([plain(name) for name in names], numeric, rows), out, title)
    stream.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def _write_markdown(table: pa.Table, stream: Any, title: str | None) -> None:
    if title:
        stream.write(f"## {markdown_text(title)}\n\n")
    names: Sequence[str] = table.column_names
    stream.write("| " + " | ".join(markdown_text(n) for n in names) + " |\n")
    stream.write("|" + " --- |" * len(names) + "\n")
    for row in _rows(table):
        stream.write("| " + " | ".join(markdown_text(_cell(v)) for v in row) + " |\n")


@contextmanager
def progress(begun: str) -> Iterator[Callable[[str], None]]:
    """Say on stderr what is being done, `begun` and then what is said; only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console(err=True), transient=True) as shown:
        task = shown.add_task(begun, total=None)
        yield lambda text: shown.update(task, description=text)
