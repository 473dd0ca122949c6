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
        typer.Option("--incremental", help="Only flows and feeds that are new since the last run."),
    ] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="Show what was refused inbound as well.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show as a table.")] = 50,
    format_: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.table,
    output: OutputOption = None,
) -> None:
    """Match the feeds against the lake. Accepted egress to a listed address comes first.

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
    if not result.stats.indicators:
        typer.echo("no feeds yet: flowscan feeds add tor-exit", err=True)
    elif not result.stats.addresses:
        typer.echo("no flows to compare with: flowscan ingest", err=True)
    if format_ is not Format.table:
        emit(result.rows, format_, output)
        return
    _summary(result)
    shown = summary_rows(result.rows, noise=noise)
    if shown.num_rows:
        emit(shown.slice(0, limit), format_, output)
    if shown.num_rows > limit:
        typer.echo(f"… and {shown.num_rows - limit:,} more (--limit)", err=True)


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


def summary_rows(rows: Any, *, noise: bool) -> Any:
    """One row per address, rank and feed: what a person reads; ports and local hosts joined."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from flowscan.cli.render import utc
    from flowscan.match.model import RANKS
    from flowscan.net.services import port_label

    chosen = rows if noise else rows.filter(pc.less(rows["rank"], 6))
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in chosen.to_pylist():
        key = (row["rank"], row["address"], row["feed"])
        group = groups.setdefault(key, row | {"ports": {}, "locals": {}, "sums": [0, 0]})
        label = port_label(row["port"], row["protocol"])
        group["ports"][label] = group["ports"].get(label, 0) + row["flows"]
        group["locals"][row["local_address"]] = None
        group["sums"][0] += row["flows"]
        group["sums"][1] += row["bytes"] or 0
        group["last_seen"] = max(group["last_seen"] or 0, row["last_seen"] or 0)
    order = sorted(groups.values(), key=lambda g: (g["rank"], -g["sums"][1], g["address"]))
    return pa.table(
        {
            "what": pa.array([RANKS[g["rank"]] for g in order], pa.string()),
            "address": pa.array([g["address"] for g in order], pa.string()),
            "feed": pa.array([f"{g['feed']} ({g['category']})" for g in order], pa.string()),
            "local": pa.array([_some(list(g["locals"])) for g in order], pa.string()),
            "ports": pa.array([_some(_by_weight(g["ports"])) for g in order], pa.string()),
            "flows": pa.array([g["sums"][0] for g in order], pa.int64()),
            "bytes": pa.array([g["sums"][1] for g in order], pa.int64()),
            "last_seen": pa.array([utc(g["last_seen"]) for g in order], pa.string()),
        }
    )


def _by_weight(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda label: (-counts[label], label))


def _some(items: list[str], most: int = 3) -> str:
    rest = len(items) - most
    return ", ".join(str(i) for i in items[:most]) + (f" +{rest}" if rest > 0 else "")
