"""`flowscan feeds`: the threat feeds and trusted lists of a lake."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from flowscan.cli.options import LakeOption, OutputOption
from flowscan.cli.render import Format

if TYPE_CHECKING:
    from flowscan.feeds import Feed, Problem
    from flowscan.feeds.store import FeedStore, Update

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Threat feeds and trusted lists: add, update, show. Nothing is fetched unless told.",
)
FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]
NONE_YET = "no feeds yet: flowscan feeds add tor-exit, or a file of yours; flowscan feeds catalog"
NameArgument = Annotated[str, typer.Argument(help="Name of the feed.", show_default=False)]


@app.command()
def add(
    location: Annotated[
        str,
        typer.Argument(
            help="File, folder, https URL, or a name of the catalogue.", show_default=False
        ),
    ],
    lake: LakeOption = None,
    name: Annotated[str | None, typer.Option(help="Name; default: from the location.")] = None,
    category: Annotated[
        str | None, typer.Option(help="scanner, c2, tor, mining, brute-force, spam, custom, …")
    ] = None,
    confidence: Annotated[int | None, typer.Option(min=0, max=100, help="0 to 100.")] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="A trusted list: what it holds is never matched.")
    ] = False,
    lifetime: Annotated[
        str | None, typer.Option(help="Indicators count for so long after an update: 24h, 7d.")
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help="Format, where content does not tell it.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of a CSV with the addresses.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Take private and reserved addresses.")
    ] = False,
    allow_broad: Annotated[
        bool, typer.Option("--allow-broad", help="Take prefixes wider than /8 (IPv6: /19).")
    ] = False,
) -> None:
    """Add a feed and load it. Formats are told by content.

    Example: flowscan feeds add ./blocklist.txt --category c2
    """
    from dataclasses import replace

    from flowscan.config import parse_duration
    from flowscan.feeds.formats import parser

    if as_ is not None:
        parser(as_)
    base = _described(location, name)
    feed = replace(
        base,
        category=_category(category or base.category),
        confidence=base.confidence if confidence is None else confidence,
        trusted=trusted or base.trusted,
        lifetime=parse_duration(lifetime) if lifetime else None,
        format=as_,
        column=column,
        private=allow_private,
        broad=allow_broad,
    )
    _say(_store(lake, create=True).add(feed))


@app.command("list")
def list_(
    lake: LakeOption = None, format_: FormatOption = Format.table, output: OutputOption = None
) -> None:
    """List the feeds of the lake with their size and age.

    Example: flowscan feeds list --format json
    """
    import pyarrow as pa

    from flowscan.cli.render import emit

    rows = [_row(feed) for feed in _store(lake).all()]
    if not rows:
        typer.echo(NONE_YET, err=True)
        if format_ is Format.table and output is None:
            return
    names = list(_row_names())
    emit(pa.table({n: pa.array([row[n] for row in rows]) for n in names}), format_, output)


@app.command()
def update(
    names: Annotated[
        list[str] | None, typer.Argument(help="Feeds; default: all enabled ones.")
    ] = None,
    lake: LakeOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take over a version that shrank or grew absurdly.")
    ] = False,
) -> None:
    """Load feeds again: unchanged ones cost one conditional request, failures keep the last good.

    Exit code 3 when a feed failed or was held back.

    Example: flowscan feeds update
    """
    updates = _store(lake).update(names or (), force=force)
    if not updates:
        typer.echo(NONE_YET, err=True)
    for one in updates:
        _say(one)
    if any(one.outcome in {"failed", "held"} for one in updates):
        raise typer.Exit(3)


@app.command()
def show(
    name: NameArgument,
    lake: LakeOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Indicators to show.")] = 10,
    format_: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """Show one feed: settings, history, counts and some of its indicators.

    Example: flowscan feeds show tor-exit
    """
    import pyarrow.compute as pc

    from flowscan.cli.options import open_lake
    from flowscan.cli.render import emit, plain
    from flowscan.feeds.store import FeedStore

    opened = open_lake(lake)
    feed = FeedStore(opened).get(name)
    if format_ is Format.table:
        for key, value in _row(feed, full=True).items():
            typer.echo(f"{key:<14} {plain('' if value is None else value)}")
    rows = opened.read("indicators")
    rows = rows.filter(pc.equal(rows["feed"], name)).select(
        ["indicator", "first", "last", "description", "expires"]
    )
    emit(rows.slice(0, limit) if format_ is Format.table else rows, format_, output)


@app.command()
def remove(name: NameArgument, lake: LakeOption = None) -> None:
    """Forget a feed and its indicators.

    Example: flowscan feeds remove our-blocklist
    """
    _store(lake).remove(name)
    typer.echo(f"{name}: removed")


@app.command()
def enable(name: NameArgument, lake: LakeOption = None) -> None:
    """Use a disabled feed again, from its last good version.

    Example: flowscan feeds enable tor-exit
    """
    _say(_store(lake).enable(name))


@app.command()
def disable(name: NameArgument, lake: LakeOption = None) -> None:
    """Stop using a feed without forgetting it.

    Example: flowscan feeds disable tor-exit
    """
    _store(lake).disable(name)
    typer.echo(f"{name}: disabled")


@app.command()
def catalog(format_: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List well-known free feeds with their terms; `feeds add NAME` adds one.

    Example: flowscan feeds catalog
    """
    import pyarrow as pa

    from flowscan.cli.render import emit
    from flowscan.feeds import catalogue

    rows = [
        {
            "name": known.name,
            "category": "trusted" if known.trusted else known.category,
            "every_hours": known.refresh,
            "title": known.title,
            "terms": known.terms,
            "url": known.url,
        }
        for known in catalogue().values()
    ]
    shown = pa.Table.from_pylist(rows)
    emit(shown.drop_columns(["url"]) if format_ is Format.table else shown, format_, output)


def _store(lake: str | None, *, create: bool = False) -> FeedStore:
    from flowscan.cli.options import open_lake
    from flowscan.feeds.store import FeedStore

    return FeedStore(open_lake(lake, create=create))


def _described(location: str, name: str | None) -> Feed:
    """Make the feed of a location, with what the catalogue says about it."""
    import re
    from dataclasses import replace
    from pathlib import Path

    from flowscan.feeds import Feed, catalogue

    if location in catalogue() and not Path(location).exists():
        known = catalogue()[location].feed()
        return replace(known, name=name) if name else known
    url = "://" in location
    tail = location.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    stem = tail.partition(".")[0] or tail
    derived = re.sub(r"[^a-z0-9.-]+", "-", stem.lower()).strip("-.") or "feed"
    return Feed(name or derived[:64], location if url else str(Path(location).absolute()))


def _category(category: str) -> str:
    from difflib import get_close_matches

    from flowscan.errors import UsageError
    from flowscan.feeds import CATEGORIES

    if category in CATEGORIES:
        return category
    near = get_close_matches(category, CATEGORIES, 1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(CATEGORIES)}"
    raise UsageError(f"no category {category!r}", hint=hint)


def _say(update: Update) -> None:
    from flowscan.cli.render import plain

    feed, counts = update.feed, update.feed.counts
    if update.outcome in {"failed", "held"}:
        what = "kept the last good version" if feed.updated else "not loaded"
        typer.echo(plain(f"{feed.name}: {update.outcome}: {update.message}; {what}"), err=True)
        return
    rest = [
        f"{number:,} {word}"
        for number, word in (
            (counts.domains, "domains ignored"),
            (counts.other, "hashes, URLs and the like ignored"),
            (counts.refused, "refused"),
            (counts.broken, "not understood"),
        )
        if number
    ]
    size = f"{counts.indicators:,} indicators ({feed.intervals:,} merged) as {feed.read_as}"
    typer.echo(plain(f"{feed.name}: {update.outcome}, {'; '.join([size, *rest])}"))
    _say_problems(update.problems)


def _say_problems(problems: tuple[Problem, ...]) -> None:
    from flowscan.cli.render import plain

    notable = [p for p in problems if not p.reason.endswith("entry, not an address")]
    for problem in notable[:5]:
        where = f"line {problem.line}: " if problem.line else ""
        typer.echo(plain(f"  {where}{problem.reason}: {problem.text}"), err=True)


def _row_names() -> tuple[str, ...]:
    return (
        "name", "category", "state", "indicators", "merged", "domains", "refused", "broken", "age",
        "location",
    )  # fmt: skip


def _row(feed: Feed, *, full: bool = False) -> dict[str, object]:
    from flowscan.cli.render import utc
    from flowscan.text import human_duration

    state = feed.state if feed.enabled else "disabled"
    age = human_duration(int(time.time()) - feed.updated) if feed.updated else "never"
    row: dict[str, object] = {
        "name": feed.name,
        "category": "trusted" if feed.trusted else feed.category,
        "state": state,
        "indicators": feed.counts.indicators,
        "merged": feed.intervals,
        "domains": feed.counts.domains,
        "refused": feed.counts.refused,
        "broken": feed.counts.broken,
        "age": age,
        "location": feed.location,
    }
    if full:
        row |= {
            "confidence": feed.confidence,
            "format": feed.read_as,
            "entries": feed.counts.entries,
            "other": feed.counts.other,
            "lifetime": human_duration(feed.lifetime) if feed.lifetime else None,
            "updated": utc(feed.updated),
            "checked": utc(feed.checked),
            "sha256": feed.digest,
            "etag": feed.etag,
            "last-modified": feed.last_modified,
            "problem": feed.problem,
        }
    return row
