"""`flowscan rejects`: the records that could not be read, with reason, source and line."""

from __future__ import annotations

from typing import Annotated

import typer

from flowscan.cli.options import LakeOption, OutputOption
from flowscan.cli.render import Format


def command(
    lake: LakeOption = None,
    source: Annotated[
        str | None, typer.Option(help="Only sources whose URI contains this text.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count by reason and source instead.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 100,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
) -> None:
    """Show rejected records: reason, source, line number and text.

    Example: flowscan rejects --source 2026/08/03 --format csv
    """
    from flowscan.cli.options import open_lake
    from flowscan.cli.render import emit

    rows = open_lake(lake).read("rejects")
    if source is not None:
        import pyarrow.compute as pc

        rows = rows.filter(pc.match_substring(rows["source"], source))
    if summary:
        rows = rows.group_by(["reason", "source"]).aggregate([([], "count_all")])
        rows = rows.rename_columns(["reason", "source", "rejects"])
        rows = rows.sort_by([("rejects", "descending"), ("reason", "ascending")])
    else:
        rows = rows.sort_by([("source", "ascending"), ("line", "ascending")])
    shown = rows.slice(0, limit)
    if not rows.num_rows and format_ is Format.table and output is None:
        typer.echo("no rejects: every record that was read is a flow or says there was none")
        return
    if format_ is Format.table:
        shown = shown.set_column(
            shown.schema.get_field_index("source"), "source", [[_tail(s) for s in shown["source"]]]
        )
    emit(shown, format_, output)
    if shown.num_rows < rows.num_rows:
        typer.echo(f"… and {rows.num_rows - shown.num_rows:,} more (--limit)", err=True)


def _tail(uri: object, width: int = 48) -> str:
    """Keep the end of a long URI, which tells objects apart; other formats show it whole."""
    text = str(uri)
    return text if len(text) <= width else "…" + text[1 - width :]
