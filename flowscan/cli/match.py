"""`flowscan match`: which listed addresses talked to us, and did they get in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowscan.cli.options import LakeOption, OutputOption, SinceOption, UntilOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.match import MatchResult


def command(
    lake: LakeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="Only these feeds.")] = None,
    incremental: Annotated[
        bool,
        typer.Option("--incremental", help="Only days and feeds that changed since the last run."),
    ] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="Show what was refused inbound as well.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show as a table.")] = 50,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
) -> None:
    """Match the feeds against the lake. Calls of ours to a listed address come first.

    Without --since, --until and --feed the result is kept as the SQL table `matches`.
    Formats other than table give every row.

    Example: flowscan match --since 7d --feed tor-exit
    """
    from flowscan.cli.options import moment, open_lake
    from flowscan.cli.render import emit
    from flowscan.errors import UsageError
    from flowscan.match import match

    if incremental and (since or until or feed):
        raise UsageError("--incremental takes no --since, --until or --feed")
    result = match(
        open_lake(lake),
        since=moment(since),
        until=moment(until),
        feeds=feed or None,
        incremental=incremental,
    )
    unchanged = incremental and not result.stats.days
    if unchanged:
        typer.echo("nothing changed since the last run", err=True)
    elif not result.stats.indicators:
        typer.echo("no feeds yet: flowscan feeds add tor-exit", err=True)
    elif not result.stats.addresses:
        typer.echo("no flows to compare with: flowscan ingest", err=True)
    if format_ is not Format.table:
        emit(result.rows, format_, output)
        return
    if unchanged:
        return
    _summary(result)
    shown, more = summary_rows(result.rows, noise=noise, limit=limit)
    if shown.num_rows:
        emit(shown, format_, output)
    if more:
        typer.echo(f"… and {more:,} more (--limit)", err=True)


def _summary(result: MatchResult) -> None:
    import pyarrow.compute as pc

    from flowscan.match.model import RANKS

    stats, rows = result.stats, result.rows
    typer.echo(
        f"{stats.listed:,} of {stats.addresses:,} addresses are listed "
        f"({stats.indicators:,} indicators, {stats.trusted:,} addresses spared as trusted)"
    )
    for rank, meaning in RANKS.items():
        mine = rows.filter(pc.equal(rows["rank"], rank))
        if mine.num_rows:
            addresses = len(pc.unique(mine["address"]))
            flows = pc.sum(mine["flows"]).as_py()
            typer.echo(f"  {rank} {meaning}: {addresses:,} addresses, {flows:,} flows")


_KEYS = ["rank", "address", "feed", "category"]


def summary_rows(rows: Any, *, noise: bool, limit: int) -> tuple[Any, int]:
    """One row per rank, address and feed, and how many more there are; ports and hosts joined."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from flowscan.cli.render import utc
    from flowscan.match.model import RANKS
    from flowscan.net.services import port_label

    chosen = rows if noise else rows.filter(pc.less(rows["rank"], 6))
    sums = [("flows", "sum"), ("bytes", "sum"), ("last_seen", "max")]
    order = [("rank", "ascending"), ("bytes_sum", "descending")]
    order += [(name, "ascending") for name in _KEYS[1:]]
    groups = chosen.group_by(_KEYS).aggregate(sums).sort_by(order)
    shown = groups.slice(0, limit)
    locals_ = _by_weight(chosen, shown, ["local_address"])
    ports = _by_weight(chosen, shown, ["port", "protocol"])
    table = pa.table(
        {
            "what": [RANKS[rank] for rank in shown["rank"].to_pylist()],
            "address": shown["address"],
            "feed": pc.binary_join_element_wise(shown["feed"], " (", shown["category"], ")", ""),
            "local": [_some([str(address) for (address,) in met]) for met in locals_],
            "ports": [_some([port_label(*service) for service in met]) for met in ports],
            "flows": shown["flows_sum"],
            "bytes": shown["bytes_sum"],
            "last_seen": [utc(second) for second in shown["last_seen_max"].to_pylist()],
        }
    )
    return table, groups.num_rows - shown.num_rows


def _by_weight(rows: Any, shown: Any, names: list[str]) -> list[list[tuple[Any, ...]]]:
    """Values that each of the shown groups has in some columns, those of most flows first."""
    mine = rows.join(shown.select(_KEYS), _KEYS, join_type="inner")
    counted = mine.group_by([*_KEYS, *names]).aggregate([("flows", "sum")])
    order = [("flows_sum", "descending"), *((name, "ascending") for name in names)]
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in counted.sort_by(order).to_pylist():
        key = tuple(row[name] for name in _KEYS)
        found.setdefault(key, []).append(tuple(row[name] for name in names))
    return [found[tuple(row[name] for name in _KEYS)] for row in shown.select(_KEYS).to_pylist()]


def _some(items: list[str], most: int = 3) -> str:
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" +{rest}" if rest > 0 else "")
